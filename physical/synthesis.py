"""Synthesis of a machine: cells of each module by Yosys, areas and worst paths of each block."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from spinplane.hdl.common.clock_gate import CLOCK_GATE, ClockGating
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, stubs
from spinplane.machine import Machine, Name, SpinplaneError
from spinplane.machine.external.cache import SYNTHESIS, Cache
from spinplane.machine.external.text import Text, fill, joined
from spinplane.machine.external.yosys import read_modules, write_netlist, write_statistics
from spinplane.machine.files import temporary_folder, write_file
from spinplane.machine.memory_times import TimesWithBounds

from .area import AreaReport
from .asic import AsicTarget
from .blocks import Target, area_report
from .fpga import FpgaTarget
from .library import read_library
from .machine_timing import machine_netlists, time_machine
from .netlists import directly_placed
from .progress import progress
from .timing import Netlists
from .yosys import Yosys, find_yosys, run_script


def synthesize(
    machine: Machine,
    *,
    liberty: Path | None = None,
    fpga: str | None = None,
    adders: str = "ripple",
    period_ns: float | None = None,
    timing: bool | None = None,
    times: TimesWithBounds | None = None,
    clock_gating: str = "none",
    kept_in: Path | None = None,
) -> AreaReport:
    """Map the logic of a machine's accelerator to cells and add up what each block takes.

    Every module is mapped once: nothing is optimized across the borders of modules. The memory array and the
    banks are black boxes and in no figure.

    Parameters
    ----------
    machine : Machine
    liberty : Path, optional
        Liberty file, plain or gzipped; without it the cells that come with the package are taken.
    fpga : str, optional
        One of `FPGA_FAMILIES`, in place of a library.
    adders : {"ripple", "fast"}
        See `ADDERS`.
    period_ns : float, optional
        Map for this clock period, with buffers, in place of the smallest area. It implies `timing`.
    timing : bool, optional
        Give the worst paths of each block, by OpenSTA where it is installed, else by ABC; by default if the library
        has timing.
    times : TimesWithBounds, optional
        Of the array and the banks, which take no time without.
    clock_gating : {"none", "enables", "cells"}
        See `ClockGating`. With ``"cells"`` each gate is the library's clock-gate cell, or of its latch if it has none,
        and there are no paths.
    kept_in : Path, optional
        Folder of a cache in which the Verilog, and cells and netlists of the modules, are looked up and left behind,
        under a digest of all that they follow from.

    Raises
    ------
    SpinplaneError
        If options exclude each other, the Liberty file lacks something (timing, where it is asked for), the family
        is unknown, or Yosys or OpenSTA is missing or fails.
    """
    gating = ClockGating.named(clock_gating)
    timing = True if period_ns is not None else timing
    if liberty is not None and fpga is not None:
        raise SpinplaneError("give either a Liberty file or an FPGA family, not both")
    if fpga is not None and (timing or adders != "ripple"):
        raise SpinplaneError("adders, a period and timing are of a Liberty file, not of an FPGA family")
    if gating is ClockGating.CELLS:
        if timing or fpga is not None:
            raise SpinplaneError("clock gating by cells: takes no FPGA family, period or timing")
        timing = False
    yosys = find_yosys()
    target: Target
    gate = None
    if fpga is not None:
        target, source, timing = FpgaTarget(family=fpga), "Yosys", False
    else:
        library = read_library(liberty)
        target, source = (
            AsicTarget(library=library, adders=adders, period_ns=period_ns),
            str(liberty or "spinplane"),
        )
        gate = library.clock_gate if gating is ClockGating.CELLS else None
        if timing is None:
            timing = library.is_timed
        elif timing:
            library.require_timing()
    black_boxes = stubs(machine)
    boxes, modules = dict(black_boxes), machine_verilog(machine, kept_in, clock_gating=gating)
    if gate:
        boxes[CLOCK_GATE] = modules.pop(CLOCK_GATE)
    timed = None
    if timing and isinstance(target, AsicTarget):
        times = times or TimesWithBounds.instant()
        with temporary_folder() as folder:
            netlists = machine_netlists(machine, modules, times, folder)
            cells = map_modules(modules, boxes, target, yosys, netlists=netlists[0], kept_in=kept_in)
            technology = times.middle.technology
            timed = time_machine(machine, cells, netlists, target.library, yosys, technology)
    else:
        cells = map_modules(modules, boxes, target, yosys, kept_in=kept_in)
    if gate:
        cells[CLOCK_GATE] = Counter({gate.name: 1})
    return area_report(
        cells,
        target,
        top=ACCELERATOR,
        machine=machine.name,
        library=target.name,
        library_source=source,
        yosys=str(yosys),
        black_boxes=tuple(black_boxes),
        timings=timed.paths if timed else None,
        sta=timed.tool if timed else None,
        clock_limits=timed.limits if timed else None,
        clock_gating=gating.value,
    )


def map_modules(
    modules: Mapping[Name, str],
    stubs: Mapping[Name, str],
    target: Target,
    yosys: Yosys,
    *,
    netlists: Netlists | None = None,
    kept_in: Path | None = None,
) -> dict[str, Counter[str]]:
    """Map Verilog modules to the cells of a target, their hierarchy kept.

    Parameters
    ----------
    modules : mapping of Name to str
        Verilog of each module by its name, the top last.
    stubs : mapping of Name to str
        Verilog of the ports of each black box.
    target : AsicTarget or FpgaTarget
    yosys : Yosys
    netlists : Netlists, optional
        To write, too.
    kept_in : Path, optional
        As `synthesize`.

    Returns
    -------
    dict of str to Counter
        For each module how many of each type it has: cells, placed modules and black boxes.

    Raises
    ------
    SpinplaneError
        If Yosys fails.
    """
    files = {**target.files(), "stubs.v": "".join(stubs.values())}
    files |= {fill("@name@.v", name=name): text for name, text in modules.items()}
    if netlists is not None:
        files |= netlists.files()
    jobs = [[name] for name in modules] if target.separately else [list(modules)]
    with (
        nullcontext(netlists.folder) if netlists else temporary_folder() as workdir,
        progress() as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for file, text in files.items():
            write_file(workdir / file, text.encode())
        kept = Cache(kept_in) if kept_in else None
        runs = [
            _Run(
                job=job,
                modules=modules,
                stubs=stubs,
                target=target,
                yosys=yosys,
                netlists=netlists,
                workdir=workdir,
            )
            for job in jobs
        ]
        task = bar.add_task(f"{yosys} maps to {target.name}", total=len(jobs))
        cells: dict[str, Counter[str]] = {}
        for mapped in pool.map(lambda run: run.kept(kept) if kept else run.mapped(), runs):
            cells |= {name: Counter(types) for name, types in mapped.items()}
            bar.advance(task)
    return cells


@dataclass(frozen=True, kw_only=True)
class _Run:
    """A run of Yosys, which maps some modules, most often one."""

    job: Sequence[Name]
    modules: Mapping[Name, str]
    stubs: Mapping[Name, str]
    target: Target
    yosys: Yosys
    netlists: Netlists | None
    workdir: Path

    @property
    def top(self) -> Name:
        return self.job[-1]

    @property
    def netlist(self) -> Path:
        return self.workdir / fill("@top@.netlist.v", top=self.top)

    def scripts(self) -> list[Text]:
        """From the smallest cells to the fastest: the first that meets the period is taken."""
        placed = directly_placed(self.modules[self.top], self.modules)
        read = read_modules([Name("stubs"), *(name for name in placed if name not in self.job)], self.job)
        write = [write_statistics(self.top)]
        if self.netlists:
            write.append(write_netlist(self.top, self.netlists.memories.stubs))
        efforts = range(self.target.efforts)
        return [joined([read, self.target.script(self.top, effort), *write]) for effort in efforts]

    def mapped(self) -> dict[str, dict[str, int]]:
        """Types of each module's cells."""
        for script in self.scripts():
            log = run_script(script, self.workdir, name=self.top, yosys=self.yosys)
            if self.target.is_met(log):
                break
        found = json.loads((self.workdir / f"{self.top}.json").read_text(encoding="utf-8"))["modules"]
        types = {name.removeprefix("\\"): _types(entry) for name, entry in found.items()}
        return {name: types[name] for name in self.job}

    def kept(self, cache: Cache) -> dict[str, dict[str, int]]:
        """The same, and the netlist, from a cache where they are there."""
        placed = directly_placed(self.modules[self.top], self.modules)
        read = {name: self.modules[name] for name in (*placed, *self.job)}
        memories = self.netlists.memories.techmap if self.netlists else None
        origin = (
            str(self.yosys),
            sorted(self.target.files().items()),
            read,
            self.stubs,
            self.scripts(),
            memories,
        )
        name = Name(f"{self.top}-{hashlib.sha256(repr(origin).encode()).hexdigest()[:16]}")

        def mapped() -> str:
            cells = self.mapped()
            netlist = self.netlist.read_text(encoding="utf-8") if self.netlists else ""
            return json.dumps({"cells": cells, "netlist": netlist})

        found = json.loads(cache.text(SYNTHESIS, name, mapped))
        if self.netlists:
            write_file(self.netlist, found["netlist"].encode())
        cells: dict[str, dict[str, int]] = found["cells"]
        return cells


def _types(entry: Mapping[str, object]) -> dict[str, int]:
    """Types of a module's cells and sub-modules, which some versions of Yosys list apart."""
    types: dict[str, int] = {}
    for key in ("num_cells_by_type", "num_submodules_by_type"):
        listed = entry.get(key)
        if isinstance(listed, dict):
            types |= listed
    return {name.removeprefix("\\"): number for name, number in types.items()}
