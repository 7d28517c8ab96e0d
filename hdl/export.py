# amaranth: UnusedElaboratable=no
"""Export of a machine: Verilog, one file a module, with what a simulator, a synthesizer and FuseSoC need."""

import errno
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from amaranth.hdl import Shape, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from spinplane.machine import Machine, command_fields

from .imce import Imce
from .machine_verilog import ARRAY, ARRAY_MODEL, TOP, array_model, array_stub, machine_verilog

_STUB = f"{ARRAY}_stub.v"


@dataclass(frozen=True, kw_only=True)
class Export:
    """What an export has written.

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
    """

    machine: str
    top: str
    folder: Path
    modules: tuple[str, ...]
    files: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Fields as JSON takes them."""
        return asdict(self) | {"folder": str(self.folder)}

    def __str__(self) -> str:
        return (
            f"machine {self.machine}: {len(self.modules)} modules below {self.top} in {self.folder}\n"
            f"  synthesis    {self.folder / 'synthesis.f'} (the array is a black box)\n"
            f"  simulation   {self.folder / 'simulation.f'} (with the behavioral array, {ARRAY_MODEL})\n"
            f"  parameters   {self.folder / f'{TOP}.json'}\n"
            f"  FuseSoC      {self.folder / f'{TOP}.core'}"
        )


def export(machine: Machine, folder: Path, *, kept_in: Path | None = None) -> Export:
    """Write a machine's Verilog and what belongs to it.

    The same machine gives the same bytes every time. Files of an earlier export are replaced, other files in
    the folder are left alone; on a failure the folder stays as it was.

    Parameters
    ----------
    machine : Machine
    folder : Path
        Created if it is not there.
    kept_in : Path, optional
        See `machine_verilog`.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    modules = machine_verilog(machine, kept_in)
    sources = [f"{module}.v" for module in modules]
    texts = {f"{module}.v": text for module, text in modules.items()}
    texts[ARRAY_MODEL] = array_model()
    texts[_STUB] = array_stub(machine)
    texts["synthesis.f"] = "".join(f"{name}\n" for name in [_STUB, *sources])
    texts["simulation.f"] = "".join(f"{name}\n" for name in [ARRAY_MODEL, *sources])
    texts[f"{TOP}.core"] = _core(machine, sources)
    names = (*texts, f"{TOP}.json")
    texts[f"{TOP}.json"] = json.dumps(_description(machine, list(modules), names), indent=2) + "\n"
    _replace(folder, texts)
    return Export(
        machine=machine.name, top=TOP, folder=folder, modules=tuple(modules), files=tuple(sorted(names))
    )


def _replace(folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    former = _former_files(folder)
    for name in texts:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8")
        for name in texts:
            os.replace(new / name, folder / name)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for name in former:
        if name not in texts:
            (folder / name).unlink(missing_ok=True)


def _former_files(folder: Path) -> list[str]:
    """Names that an earlier export has left in the folder."""
    try:
        description = json.loads((folder / f"{TOP}.json").read_text(encoding="utf-8"))
        if description["generator"].startswith("spinplane "):
            return [name for name in description["files"] if Path(name).name == name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass  # another program's file of that name
    return []


def _description(machine: Machine, modules: list[str], names: tuple[str, ...]) -> dict[str, Any]:
    top = Imce(machine)
    return {
        "generator": f"spinplane {version('spinplane')}",
        "top": TOP,
        "machine": asdict(machine),
        "clock": "clk",
        "reset": {"name": "rst", "active": "high", "kind": "synchronous"},
        "ports": _ports(top),
        "command_fields": command_fields(machine),
        "modules": modules,
        "simulation_only": [ARRAY_MODEL],
        "black_boxes": {ARRAY: _STUB},
        "files": sorted(names),
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


def _core(machine: Machine, sources: list[str]) -> str:
    """FuseSoC core description file (CAPI2)."""
    listed = "".join(f"      - {name}\n" for name in sources)
    return f"""CAPI=2:

name: "::spinplane-{machine.name}:{version("spinplane")}"
description: "In-memory convolution engine, machine {machine.name}"

filesets:
  rtl:
    files:
{listed}    file_type: verilogSource
  array_model:
    files:
      - {ARRAY_MODEL}
    file_type: systemVerilogSource
  array_black_box:
    files:
      - {_STUB}
    file_type: verilogSource

targets:
  default:
    filesets: [rtl]
  lint:
    flow: lint
    flow_options:
      tool: verilator
    filesets: [array_model, rtl]
    toplevel: {TOP}
  sim:
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2012]
    filesets: [array_model, rtl]
    toplevel: {TOP}
  synth:
    flow: generic
    flow_options:
      tool: yosys
      arch: ice40
    filesets: [array_black_box, rtl]
    toplevel: {TOP}
"""
