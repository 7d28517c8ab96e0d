"""What Verilator has written, compiled to object files by a C++ compiler, several at once."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import Name
from spinplane.machine.external.simulators import FAST, LIBRARY, SLOW, compile_command
from spinplane.machine.files import write_file

from .tools import Compiler

_MOST_JOBS = 4
#: Files are compiled together up to this many bytes: each would read the headers of the library anew.
_UNIT_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class VerilatedParts:
    """Files of a design in C++, without suffix, and what they need of Verilator's run-time library.

    Parameters
    ----------
    fast, slow : tuple of Name
        What is run in each cycle, and what is run once.
    library : tuple of Name
        Files of the library.
    features : dict of str to int
        What of it is asked for, as ``VM_TIMING``.
    """

    fast: tuple[Name, ...]
    slow: tuple[Name, ...]
    library: tuple[Name, ...]
    features: dict[str, int]

    @classmethod
    def of(cls, makefile: str) -> "VerilatedParts":
        """The lists in ``Vtop_classes.mk``."""
        found: dict[str, list[Name]] = {"FAST": [], "SLOW": [], "GLOBAL": []}
        for kind, speed, names in re.findall(
            r"^VM_(CLASSES|SUPPORT|GLOBAL)_(FAST|SLOW) \+= \\\n((?:[ \t]+\w+ \\\n)*)", makefile, re.MULTILINE
        ):
            found["GLOBAL" if kind == "GLOBAL" else speed] += map(Name, re.findall(r"\w+", names))
        features = re.findall(
            r"^(VM_(?:TIMING|COVERAGE|TRACE(?:_FST|_VCD|_SAIF)?|VPI)) = (\d+)$", makefile, re.MULTILINE
        )
        return cls(
            fast=tuple(found["FAST"]),
            slow=tuple(found["SLOW"]),
            library=tuple(found["GLOBAL"]),
            features={"VM_SC": 0} | {name: int(value) for name, value in features},
        )


@dataclass(frozen=True, kw_only=True)
class CppJob:
    """The compilation of one design.

    Parameters
    ----------
    folder : Path
        Where Verilator's files lie; commands run in it.
    compiler : Compiler
    include : Path
        Verilator's headers and the sources of its library.
    parts : VerilatedParts
    call : callable
        Runs a command, and raises an error if it fails.
    """

    folder: Path
    compiler: Compiler
    include: Path
    parts: VerilatedParts
    call: Callable[[list[str]], None]

    def compile_library(self, folder: Path) -> None:
        """Leave the object files of the run-time library in a folder."""
        self._all(
            (self.include / f"{name}.cpp", folder / f"{name}.o", LIBRARY) for name in self.parts.library
        )

    def compile_design(self, main: Path) -> list[str]:
        """Names of object files, in the job's folder, of the design and the main program."""
        work = [(main, Path("main.o"), FAST)]
        for level, names in ((FAST, self.parts.fast), (SLOW, self.parts.slow)):
            for number, unit in enumerate(self._units(names)):
                source = self.folder / f"unit{level}-{number}.cpp"
                write_file(source, "".join(f'#include "{name}.cpp"\n' for name in unit).encode())
                work.append((Path(source.name), Path(source.name).with_suffix(".o"), level))
        self._all(work)
        return [str(target) for _, target, _ in work]

    def _units(self, names: Sequence[Name]) -> list[list[Name]]:
        """Files that are compiled together."""
        units: list[list[Name]] = []
        room = 0
        for name in names:
            size = (self.folder / f"{name}.cpp").stat().st_size
            if size > room:
                units.append([])
                room = _UNIT_BYTES
            units[-1].append(name)
            room -= size
        return units

    def _all(self, work: Iterable[tuple[Path, Path, str]]) -> None:
        commands = [
            compile_command(
                self.compiler.command,
                source,
                target,
                include=self.include,
                features=self.parts.features,
                level=level,
            )
            for source, target, level in work
        ]
        with ThreadPoolExecutor(min(_MOST_JOBS, os.cpu_count() or 1)) as pool:
            for _ in pool.map(self.call, commands):
                pass
