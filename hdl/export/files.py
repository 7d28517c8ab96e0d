# amaranth: UnusedElaboratable=no
"""Export of an accelerator: Verilog, one file per module, with files for tools, drivers and readers."""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from amaranth.hdl import Shape, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from spinplane.machine import Machine, MachineClock
from spinplane.machine.files import making_folders, naming, note_written, scratch_folder, write_file
from spinplane.machine.memory_times import MemoryTimes
from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Shown

from ..accelerator import Accelerator
from ..common.clock_gate import ClockGating
from .c_header import c_header
from .constraints import accelerator_constraints
from .datasheet import datasheet
from .lint import slang_options, verilator_waivers
from .machine_verilog import ACCELERATOR as TOP
from .machine_verilog import machine_verilog, models, stubs
from .memories import machine_memories, placed_banks
from .register_map import bank_rows, register_table

#: Folder of the bench in an export.
BENCH_FOLDER = "bench"
_WAIVERS = "lint.vlt"
_MEMORY_LIBRARY, _MEMORY_CELLS, _CONSTRAINTS = "memories.lib", "memory_cells.v", f"{TOP}.sdc"
_HEADER, _REGISTERS, _DATASHEET = f"{TOP}.h", "registers.md", "datasheet.md"


@dataclass(frozen=True, kw_only=True, repr=False)
class Export(Shown):
    """The files of an export.

    Parameters
    ----------
    machine : str
    top : str
        Top module.
    folder : Path
    modules : tuple of str
        Synthesizable modules, leaves first; each lies in ``<module>.v``.
    files : tuple of str
        All files, relative to the folder.
    clock : MachineClock or None
        Of the datasheet and the bench.
    """

    machine: str
    top: str
    folder: Path
    modules: tuple[str, ...]
    files: tuple[str, ...]
    clock: MachineClock | None = None

    @property
    def heading(self) -> str:
        """What was exported."""
        return f"Verilog of {self.machine}"

    @property
    def main_figure(self) -> str:
        """How many modules, and where."""
        return f"{len(self.modules)} modules in {self.folder}"

    def records(self) -> tuple[Record, ...]:
        """A record for each file."""
        return tuple({"machine": self.machine, "file": name} for name in self.files)

    def __str__(self) -> str:
        lines = [
            f"machine {self.machine}: {len(self.modules)} modules below {self.top} in {self.folder}",
            f"  synthesis    {self.folder / 'synthesis.f'} (array and banks are black boxes)",
            f"  simulation   {self.folder / 'simulation.f'} (with their behavioral models)",
            f"  lint         {self.folder / 'lint.f'} (Verilator), {self.folder / 'slang.f'} (slang)",
            f"  parameters   {self.folder / f'{TOP}.json'}",
            f"  FuseSoC      {self.folder / f'{TOP}.core'}",
            f"  registers    {self.folder / _REGISTERS}, for C {self.folder / _HEADER}",
            f"  datasheet    {self.folder / _DATASHEET}",
        ]
        lines += [f"  clock        {self.clock}"] if self.clock else []
        if _CONSTRAINTS in self.files:
            names = ("timing.f", _MEMORY_LIBRARY, _CONSTRAINTS)
            lines.append(f"  timing       {', '.join(str(self.folder / name) for name in names)}")
        if any(name.startswith(f"{BENCH_FOLDER}/") for name in self.files):
            lines.append(f"  bench        python {self.folder / BENCH_FOLDER / 'run.py'} --simulator icarus")
        return "\n".join(lines)


def export(
    machine: Machine,
    folder: Path,
    *,
    clock: MachineClock | None = None,
    kept_in: Path | None = None,
    bench: Mapping[str, bytes] | None = None,
    times: MemoryTimes | None = None,
    asynchronous_reset: bool = False,
    clock_gating: ClockGating = ClockGating.NONE,
) -> Export:
    """Write the Verilog of a machine's accelerator and the files that accompany it.

    The same machine gives the same bytes every time. Files of an earlier export are replaced, other files in
    the folder are left alone; on a failure the folder stays as it was.

    Parameters
    ----------
    machine : Machine
    folder : Path
        Created if it is not there.
    clock : MachineClock, optional
        What the datasheet says of it.
    kept_in : Path, optional
        See `machine_verilog`.
    bench : mapping of str to bytes, optional
        Files of a bench by their name in the folder `BENCH_FOLDER`, as `spinplane.sim.exported_bench` makes them.
    times : MemoryTimes, optional
        Of the memories; with them and `clock` there is a library of the memories, with constraints.
    asynchronous_reset : bool
        Assert ``rst`` without a clock; see `AsynchronousReset`.
    clock_gating : ClockGating
        Stop the clock of units in cycles in which none of their flip-flops can change.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    modules = machine_verilog(
        machine, kept_in, asynchronous_reset=asynchronous_reset, clock_gating=clock_gating
    )
    sources = [f"{module}.v" for module in modules]
    model_texts = {f"{name}.v": text for name, text in models().items()}
    stub_texts = {f"{name}_stub.v": text for name, text in stubs(machine).items()}
    ports, macros = _ports(Accelerator(machine)), placed_banks(modules)
    texts = {f"{module}.v": text for module, text in modules.items()} | model_texts | stub_texts
    texts["synthesis.f"] = "".join(f"{name}\n" for name in [*stub_texts, *sources])
    texts["simulation.f"] = "".join(f"{name}\n" for name in [*model_texts, *sources])
    texts["lint.f"] = f"// verilator --lint-only -f lint.f\n-Wall\n{_WAIVERS}\n-f simulation.f\n"
    texts[_WAIVERS] = verilator_waivers(modules)
    texts["slang.f"] = slang_options()
    texts[f"{TOP}.core"] = _core(machine, sources, [*model_texts], [*stub_texts])
    texts[_HEADER] = c_header(machine)
    texts[_REGISTERS] = register_table(machine)
    texts[_DATASHEET] = datasheet(
        machine,
        ports,
        macros,
        clock=clock,
        asynchronous_reset=asynchronous_reset,
        clock_gating=clock_gating,
    )
    if clock is not None and times is not None:
        memories = machine_memories(machine, modules, times)
        texts[_MEMORY_LIBRARY], texts[_MEMORY_CELLS] = memories.liberty, memories.verilog
        texts["timing.f"] = "".join(f"{name}\n" for name in [_MEMORY_CELLS, *sources])
        texts[_CONSTRAINTS] = accelerator_constraints(
            machine, ports, memories, clock, asynchronous_reset=asynchronous_reset
        )
    contents = {name: text.encode() for name, text in texts.items()}
    contents |= {f"{BENCH_FOLDER}/{name}": content for name, content in (bench or {}).items()}
    names = (*contents, f"{TOP}.json")
    reset = {"name": "rst", "active": "high", "kind": "asynchronous" if asynchronous_reset else "synchronous"}
    description = _description(machine, list(modules), ports, macros) | {
        "reset": reset,
        "clock_gating": clock_gating.value,
        "files": sorted(names),
    }
    contents[f"{TOP}.json"] = (json.dumps(description, indent=2) + "\n").encode()
    _replace(folder, contents)
    return Export(
        machine=machine.name,
        top=TOP,
        folder=folder,
        modules=tuple(modules),
        files=tuple(sorted(names)),
        clock=clock,
    )


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    former = _former_files(folder)
    for name in contents:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
    with making_folders(folder), scratch_folder(folder) as new:
        for name, content in contents.items():
            with naming(folder / name):
                (new / name).parent.mkdir(exist_ok=True)
                write_file(new / name, content)
        for name in contents:
            (folder / name).parent.mkdir(exist_ok=True)
        # Last the description: as long as it is the former one, another export knows the former files.
        *others, description = contents
        for name in others:
            os.replace(new / name, folder / name)
        for name in former:
            if name not in contents:
                (folder / name).unlink(missing_ok=True)
        os.replace(new / description, folder / description)
    note_written(folder, len(contents))


def _former_files(folder: Path) -> list[str]:
    """Names that an earlier export has left in the folder."""
    try:
        description = json.loads((folder / f"{TOP}.json").read_text(encoding="utf-8"))
        if description["generator"].startswith("spinplane "):
            return [name for name in description["files"] if _lies_in_an_export(PurePosixPath(name))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # another program's file of that name
    return []


def _lies_in_an_export(path: PurePosixPath) -> bool:
    return ".." not in path.parts and str(path.parent) in (".", BENCH_FOLDER)


def _description(
    machine: Machine, modules: list[str], ports: list[dict[str, Any]], macros: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "generator": f"spinplane {version('spinplane')}",
        "top": TOP,
        "machine": asdict(machine),
        "clock": "clk",
        "ports": ports,
        "banks": {
            row.name: {k: v for k, v in asdict(row).items() if k != "name"} for row in bank_rows(machine)
        },
        "macros": macros,
        "modules": modules,
        "simulation_only": [f"{name}.v" for name in models()],
        "black_boxes": {name: f"{name}_stub.v" for name in stubs(machine)},
    }


def _ports(component: wiring.Component) -> list[dict[str, Any]]:
    ports: list[dict[str, Any]] = [
        {"name": name, "direction": "input", "width": 1, "signed": False} for name in ("clk", "rst")
    ]
    for path, member, value in component.signature.flatten(component):
        shape = Value.cast(value).shape()
        port: dict[str, Any] = {
            "name": "__".join(map(str, path)),
            "direction": "input" if member.flow is In else "output",
            "width": shape.width,
            "signed": shape.signed,
        }
        if isinstance(member.shape, data.Layout):
            port["fields"] = _fields(member.shape)
        ports.append(port)
    return ports


def _fields(layout: data.Layout) -> list[dict[str, Any]]:
    fields = []
    for key, field in layout:
        shape = Shape.cast(field.shape)
        entry = {"name": key, "offset": field.offset, "width": shape.width, "signed": shape.signed}
        if isinstance(field.shape, data.Layout):
            entry["fields"] = _fields(field.shape)
        fields.append(entry)
    return fields


def _core(machine: Machine, sources: list[str], model_files: list[str], stub_files: list[str]) -> str:
    """FuseSoC core description file (CAPI2)."""

    def listed(names: list[str]) -> str:
        return "".join(f"      - {name}\n" for name in names)

    return f"""CAPI=2:

name: "::spinplane-{machine.name}:{version("spinplane")}"
description: "In-memory accelerator for convolutional networks, machine {machine.name}"

filesets:
  waivers:
    files:
      - {_WAIVERS}
    file_type: vlt
  rtl:
    files:
{listed(sources)}    file_type: verilogSource
  models:
    files:
{listed(model_files)}    file_type: systemVerilogSource
  black_boxes:
    files:
{listed(stub_files)}    file_type: verilogSource

targets:
  default:
    filesets: [rtl]
  lint:
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
    filesets: [waivers, models, rtl]
    toplevel: {TOP}
  sim:
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2012]
    filesets: [models, rtl]
    toplevel: {TOP}
  synth:
    flow: generic
    flow_options:
      tool: yosys
      arch: ice40
    filesets: [black_boxes, rtl]
    toplevel: {TOP}
"""
