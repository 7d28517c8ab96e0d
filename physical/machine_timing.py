"""Worst paths of all modules of a machine, and what limits its clock."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spinplane.hdl.export.machine_verilog import ACCELERATOR
from spinplane.hdl.export.memories import MEMORIES, machine_memories
from spinplane.machine import Machine, Name
from spinplane.machine.files import write_file
from spinplane.machine.memory_times import TimesWithBounds

from .clock import ClockLimits
from .library import Library
from .logic_path import worst_logic_path
from .paths import Timing
from .progress import progress
from .timing import Netlists, find_sta, sta_is_installed, worst_paths
from .yosys import Yosys


@dataclass(frozen=True, kw_only=True)
class MachineTiming:
    """Worst paths of a machine.

    Parameters
    ----------
    tool : str
        Name and version of what found them.
    paths : mapping of str to Timing
        Of each module with all that it places.
    limits : ClockLimits or None
        Of the whole; None if ABC found the paths, which knows no memories.
    """

    tool: str
    paths: Mapping[str, Timing]
    limits: ClockLimits | None


def machine_netlists(
    machine: Machine, modules: Mapping[Name, str], times: TimesWithBounds, folder: Path
) -> tuple[Netlists, ...]:
    """Netlists of a machine in a folder with its memories at their times, and at either bound.

    The libraries of the memories are written.
    """
    libraries = {MEMORIES: times.middle, Name("memories_low"): times.low, Name("memories_high"): times.high}
    netlists = tuple(
        Netlists(folder=folder, memories=machine_memories(machine, modules, at, name))
        for name, at in libraries.items()
    )
    for one in netlists:
        for file, text in one.files().items():
            write_file(folder / file, text.encode())
    return netlists


def time_machine(
    machine: Machine,
    cells: Mapping[str, Counter[str]],
    netlists: Sequence[Netlists],
    library: Library,
    yosys: Yosys,
    technology: str,
) -> MachineTiming:
    """Time the mapped modules of a machine, by OpenSTA where it is installed, else by ABC.

    Parameters
    ----------
    machine : Machine
    cells : mapping of str to Counter
        As `map_modules` returns it.
    netlists : sequence of Netlists
        See `machine_netlists`.
    library : Library
    yosys : Yosys
    technology : str
        Of the array; empty where memories take no time.

    Raises
    ------
    SpinplaneError
        See `worst_paths` and `worst_logic_path`.
    """
    first, *bounds = netlists
    modules = [(Name(name), first) for name in cells]
    if not sta_is_installed():
        tool = f"ABC of {yosys}"
        found = _all(modules, tool, lambda name, of: worst_logic_path(name, cells, of, library, yosys))
        return MachineTiming(tool=tool, paths=dict(zip(cells, found, strict=True)), limits=None)
    sta = find_sta()
    tops = [(ACCELERATOR, bound) for bound in bounds]
    found = _all([*modules, *tops], str(sta), lambda name, of: worst_paths(name, cells, of, sta))
    paths = dict(zip(cells, found, strict=False))
    limits = ClockLimits.of(machine, technology, [paths[ACCELERATOR], *found[len(paths) :]])
    return MachineTiming(tool=str(sta), paths=paths, limits=limits)


def _all(
    jobs: Sequence[tuple[Name, Netlists]], tool: str, time: Callable[[Name, Netlists], Timing]
) -> list[Timing]:
    """Times of all, the last ones first: they place the most."""
    with progress() as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        task = bar.add_task(f"{tool} looks for paths", total=len(jobs))
        timings = []
        for timing in pool.map(time, *zip(*reversed(jobs), strict=True)):
            timings.append(timing)
            bar.advance(task)
    return timings[::-1]
