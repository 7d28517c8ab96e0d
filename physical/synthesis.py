"""Synthesis of a machine: cells of each module by Yosys, areas and worst paths of each block."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, stubs
from spinplane.machine import Machine, Name, SpinplaneError
from spinplane.machine.external.cache import SYNTHESIS, Cache
from spinplane.machine.external.text import fill, joined
from spinplane.machine.external.yosys import read_modules, write_netlist, write_statistics
from spinplane.machine.files import temporary_folder, write_file

from .area import AreaReport, Timing
from .asic import AsicTarget
from .blocks import Target, area_report
from .fpga import FpgaTarget
from .library import read_library
from .timing import OpenSta, find_sta, netlist_files, worst_paths
from .yosys import Yosys, find_yosys, run_script


def synthesize(
    machine: Machine,
    *,
    liberty: Path | None = None,
    fpga: str | None = None,
    adders: str = "ripple",
    period_ns: float | None = None,
    timing: bool = False,
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
    timing : bool
        Give the worst paths of each block, by OpenSTA.
    kept_in : Path, optional
        Folder of a cache in which the cells of the modules are looked up and left behind, under a digest of all that
        they follow from. With `timing` it serves the Verilog alone.

    Raises
    ------
    SpinplaneError
        If options exclude each other, the Liberty file lacks something (timing, where it is asked for), the family
        is unknown, or Yosys or OpenSTA is missing or fails.
    """
    timing = timing or period_ns is not None
    if liberty is not None and fpga is not None:
        raise SpinplaneError("give either a Liberty file or an FPGA family, not both")
    if fpga is not None and (timing or adders != "ripple"):
        raise SpinplaneError("adders, a period and timing are of a Liberty file, not of an FPGA family")
    yosys = find_yosys()
    target: Target
    if fpga is not None:
        target, source = FpgaTarget(family=fpga), "Yosys"
    else:
        library = read_library(liberty)
        target, source = (
            AsicTarget(library=library, adders=adders, period_ns=period_ns),
            str(liberty or "spinplane"),
        )
        if timing:
            library.require_timing()
    sta = find_sta() if timing else None
    black_boxes = stubs(machine)
    modules = machine_verilog(machine, kept_in)
    timings = None
    if sta is not None:
        with temporary_folder() as directory:
            cells = map_modules(modules, black_boxes, target, yosys, netlists_in=directory)
            timings = _timings(list(modules), cells, directory, sta)
    elif kept_in is not None:
        cells = _kept_cells(kept_in, modules, black_boxes, target, yosys)
    else:
        cells = map_modules(modules, black_boxes, target, yosys)
    return area_report(
        cells,
        target,
        top=ACCELERATOR,
        machine=machine.name,
        library=target.name,
        library_source=source,
        yosys=str(yosys),
        black_boxes=tuple(black_boxes),
        timings=timings,
        sta=str(sta) if sta else None,
    )


def _timings(
    modules: Sequence[Name], cells: Mapping[str, Counter[str]], workdir: Path, sta: OpenSta
) -> dict[str, Timing]:
    """Worst paths of each module with all that it places."""

    def placed(name: Name) -> dict[Name, None]:
        inner = (placed(other) for other in modules if other in cells[name])
        return {module: None for modules in inner for module in modules} | {name: None}

    with _progress() as bar, ThreadPoolExecutor(os.cpu_count()) as pool:
        task = bar.add_task(f"{sta} looks for paths", total=len(modules))
        timings: dict[str, Timing] = {}
        for name, timing in zip(
            modules,
            pool.map(lambda name: worst_paths(list(placed(name)), name, workdir, sta), modules),
            strict=True,
        ):
            timings[name] = timing
            bar.advance(task)
    return timings


def _kept_cells(
    kept_in: Path, modules: Mapping[Name, str], stubs: Mapping[Name, str], target: Target, yosys: Yosys
) -> dict[str, Counter[str]]:
    """Cells of modules that were mapped before, by the same Yosys with the same files and scripts; or mapped now."""
    scripts = {name: target.script(name) for name in modules}
    origin = repr((str(yosys), sorted(target.files().items()), modules, stubs, scripts))
    name = Name(f"{ACCELERATOR}-{hashlib.sha256(origin.encode()).hexdigest()[:16]}")
    text = Cache(kept_in).text(
        SYNTHESIS, name, lambda: json.dumps(map_modules(modules, stubs, target, yosys))
    )
    return {name: Counter(types) for name, types in json.loads(text).items()}


def map_modules(
    modules: Mapping[Name, str],
    stubs: Mapping[Name, str],
    target: Target,
    yosys: Yosys,
    *,
    netlists_in: Path | None = None,
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
    netlists_in : Path, optional
        Folder to work in, which is left with all that `worst_paths` reads.

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
    if netlists_in is not None:
        files |= netlist_files(stubs)
    jobs = [[name] for name in modules] if target.separately else [list(modules)]
    with (
        nullcontext(netlists_in) if netlists_in else temporary_folder() as workdir,
        _progress() as bar,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for file, text in files.items():
            write_file(workdir / file, text.encode())

        def run(job: list[Name]) -> dict[str, Counter[str]]:
            top = job[-1]
            read = read_modules([Name("stubs"), *(name for name in modules if name not in job)], job)
            write = [write_statistics(top), *([write_netlist(top)] if netlists_in is not None else [])]
            for effort in range(target.efforts):
                script = joined([read, target.script(top, effort), *write])
                log = run_script(script, workdir, name=top, yosys=yosys)
                if target.is_met(log):
                    break
            found = json.loads((workdir / f"{top}.json").read_text(encoding="utf-8"))["modules"]
            types = {name.removeprefix("\\"): _types(entry) for name, entry in found.items()}
            return {name: types[name] for name in job}

        task = bar.add_task(f"{yosys} maps to {target.name}", total=len(jobs))
        cells: dict[str, Counter[str]] = {}
        for mapped in pool.map(run, jobs):
            cells |= mapped
            bar.advance(task)
    return cells


def _progress() -> Progress:
    """A bar for a person at a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _types(entry: Mapping[str, object]) -> Counter[str]:
    """Types of a module's cells and sub-modules, which some versions of Yosys list apart."""
    types: dict[str, int] = {}
    for key in ("num_cells_by_type", "num_submodules_by_type"):
        listed = entry.get(key)
        if isinstance(listed, dict):
            types |= listed
    return Counter({name.removeprefix("\\"): number for name, number in types.items()})
