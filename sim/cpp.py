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
#: The headers are compiled first for at least this many units, the fewest that repay it.
_HEADER_UNITS = 4
_HEADER = "Vtop__pch.h"


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
            self._command(self.include / f"{name}.cpp", folder / f"{name}.o", LIBRARY)
            for name in self.parts.library
        )

    def compile_design(self, main: Path) -> list[str]:
        """Names of object files, in the job's folder, of the design and the main program."""
        first = [self._command(main, Path("main.o"), FAST)]
        then = []
        targets = ["main.o"]
        for level, names in ((FAST, self.parts.fast), (SLOW, self.parts.slow)):
            units = self._units(names)
            header = None
            if len(units) >= _HEADER_UNITS and self.compiler.precompiles:
                header = Path(f"header{level}.h")
                write_file(self.folder / header, f'#include "{_HEADER}"\n'.encode())
                first.append(self._command(header, Path(f"{header}.gch"), level))
            for number, unit in enumerate(units):
                source = Path(f"unit{level}-{number}.cpp")
                write_file(
                    self.folder / source, "".join(f'#include "{name}.cpp"\n' for name in unit).encode()
                )
                targets.append(str(source.with_suffix(".o")))
                then.append(self._command(source, Path(targets[-1]), level, header))
        self._all(first)
        self._all(then)
        return targets

    def _command(self, source: Path, target: Path, level: str, header: Path | None = None) -> list[str]:
        return compile_command(
            self.compiler.command,
            source,
            target,
            include=self.include,
            features=self.parts.features,
            level=level,
            header=header,
        )

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

    def _all(self, commands: Iterable[list[str]]) -> None:
        with ThreadPoolExecutor(min(_MOST_JOBS, os.cpu_count() or 1)) as pool:
            for _ in pool.map(self.call, commands):
                pass
