"""Commands that compile Verilog to simulation models, by Icarus and by Verilator and C++. No shell reads them.

Verilator writes a makefile too. It is not used: who has Python alone has no make, and can have a compiler of PyPI.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..names import DottedName, Name
from .text import Text, fill

TIMESCALE = ("1ns", "1ps")
ICARUS_FLAGS = ("-g2012",)
VERILATOR_FLAGS = (
    *("--vpi", "--no-public-flat-rw", "--timescale", "/".join(TIMESCALE)),
    # A log shows what is wrong with a model alone: lint is told of exports.
    *("-Wno-fatal", "-Wno-lint", "-Wno-SYMRSVDWORD"),
    # All variables begin as 0, as they do anyway unless a seed is asked for, but without a call for each.
    *("--x-initial", "fast"),
)
#: Signals whose names begin with an underscore are written too: registers are among them.
WAVES_FLAGS = ("--trace", "--trace-underscore")
#: What is run in each cycle, what is run once, and Verilator's run-time library, compiled once for all models and run
#: in every cycle that Python sees. A model of -O1 is compiled sooner than with Verilator's own -Os, and runs faster by
#: a fifth.
FAST, SLOW, LIBRARY = "-O1", "-O0", "-O2"


def icarus_options() -> Text:
    """File of options that says the time scale."""
    return fill(f"+timescale+{'/'.join(TIMESCALE)}\n")


def icarus_command(
    compiler: Path, tops: Iterable[Name], files: Iterable[DottedName], options: DottedName
) -> list[str]:
    """Compile files of the current folder to ``model.vvp``."""
    chosen = (word for top in tops for word in ("-s", top))
    return [str(compiler), *ICARUS_FLAGS, "-f", options, "-o", "model.vvp", *chosen, *files]


def verilator_command(verilator: Path, top: Name, files: Iterable[DottedName], *, waves: bool) -> list[str]:
    """Translate files of the current folder to C++ in ``cpp``."""
    return [
        str(verilator),
        *("-cc", "--prefix", "Vtop", "-Mdir", "cpp", "--top-module", top),
        *VERILATOR_FLAGS,
        *(WAVES_FLAGS if waves else []),
        *files,
    ]


def compile_command(
    compiler: Sequence[str],
    source: Path,
    target: Path,
    *,
    include: Path,
    features: Mapping[str, int],
    level: str,
    header: Path | None = None,
) -> list[str]:
    """Compile one file of C++ to an object file, as Verilator's own makefile does.

    A header, whose name ends in ``.h``, is compiled for reading it sooner.

    Parameters
    ----------
    compiler : sequence of str
        The program and its first arguments.
    source, target : Path
    include : Path
        Folder of Verilator's headers.
    features : mapping of str to int
        ``VM_…``, which of its features the design uses.
    level : str
        Option of optimization.
    header : Path, optional
        Read first. The compiler takes ``HEADER.gch`` instead where it lies next to it and fits.
    """
    return [
        *(
            *compiler,
            level,
            "-w",
            "-pthread",
            "-I.",
            f"-I{include}",
            f"-I{include / 'vltstd'}",
            "-DVERILATOR=1",
        ),
        *(f"-D{name}={value}" for name, value in features.items()),
        # Coroutines, which carry delays, came with C++20; the library compiles sooner without it.
        f"-std=gnu++{20 if features['VM_TIMING'] else 17}",
        *(("-include", str(header)) if header else ()),
        *(("-x", "c++-header") if source.suffix == ".h" else ("-c",)),
        *(str(source), "-o", str(target)),
    ]


def link_command(compiler: Sequence[str], objects: Iterable[str | Path], *, libraries: Path) -> list[str]:
    """Link object files and cocotb, whose libraries lie in a folder, to ``model`` in the folder above."""
    return [
        *(*compiler, "-pthread", *map(str, objects), "-o", "../model"),
        *(f"-Wl,-rpath,{libraries}", f"-L{libraries}", "-lcocotbvpi_verilator"),
    ]
