"""Commands that compile Verilog to simulation models, by Icarus and by Verilator, C++ and make. No shell reads them."""

import os
import shlex
from collections.abc import Iterable, Sequence
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
#: Options of the compiler. A model of one level of optimization is compiled sooner than Verilator's own -Os, and runs
#: faster by a fifth. The library, compiled once, runs in every cycle that Python sees.
OPTIMIZATION = ("OPT_FAST=-O1", "OPT_GLOBAL=-O2")
_MOST_JOBS = 4


def icarus_options() -> Text:
    """File of options that says the time scale."""
    return fill(f"+timescale+{'/'.join(TIMESCALE)}\n")


def icarus_command(
    compiler: Path, tops: Iterable[Name], files: Iterable[DottedName], options: DottedName
) -> list[str]:
    """Compile files of the current folder to ``model.vvp``."""
    chosen = (word for top in tops for word in ("-s", top))
    return [str(compiler), *ICARUS_FLAGS, "-f", options, "-o", "model.vvp", *chosen, *files]


def verilator_command(
    verilator: Path, top: Name, files: Iterable[DottedName], *, main: DottedName, libraries: Path, waves: bool
) -> list[str]:
    """Translate files of the current folder to C++ and a makefile in ``cpp``, for a model at ``model``.

    Parameters
    ----------
    main : DottedName
        C++ file with the main program.
    libraries : Path
        Folder of cocotb's.
    """
    place = _word(libraries)
    return [
        str(verilator),
        *("-cc", "--exe", "--prefix", "Vtop", "-Mdir", "cpp", "-o", "../model", "--top-module", top),
        *VERILATOR_FLAGS,
        *(WAVES_FLAGS if waves else []),
        *("-LDFLAGS", f"-Wl,-rpath,{place} -L{place} -lcocotbvpi_verilator"),
        *(main, *files),
    ]


def make_command(
    make: Path,
    arguments: Iterable[str],
    *,
    compiler: Path,
    python: Path,
    variables: Sequence[str],
    waves: bool,
) -> list[str]:
    """Compile and link what Verilator has written to the current folder.

    Parameters
    ----------
    arguments : iterable of str
        Targets and options.
    variables : sequence of str
        ``NAME=value`` that Verilator's makefiles need.
    """
    return [
        *(str(make), f"-j{min(_MOST_JOBS, os.cpu_count() or 1)}", "-f", "Vtop.mk"),
        *(f"CXX={_word(compiler)}", f"LINK={_word(compiler)}", f"PYTHON3={_word(python)}"),
        *(f"VM_TRACE={int(waves)}", *variables, *OPTIMIZATION, *arguments),
    ]


def _word(path: Path) -> str:
    """A path as a makefile hands it to a shell as one word."""
    return shlex.quote(str(path)).replace("$", "$$")
