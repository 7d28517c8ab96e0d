"""Netlists of a machine's modules: each mapped for itself, as Verilog of cells and of placed modules."""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from spinplane.machine import Name
from spinplane.machine.external.text import Text, joined
from spinplane.machine.external.yosys import read_modules, write_gates, write_gates_as_json
from spinplane.machine.files import temporary_folder, write_file

from .asic import AsicTarget
from .library import Library
from .yosys import Yosys, run_script

_INSTANCE = re.compile(r"^  \\?(\S+) +(?:\\\S+ |\w+) ?\($", re.MULTILINE)


def directly_placed(text: str, modules: Iterable[Name]) -> list[Name]:
    """Those of `modules` that the Verilog of a module places."""
    found = set(re.findall(r"^  (\w+) (?:#\(|\\|\w)", text, re.MULTILINE))
    return [name for name in modules if name in found]


def module_netlists(
    tops: Sequence[Name],
    modules: Mapping[Name, str],
    stubs: Mapping[Name, str],
    target: AsicTarget,
    yosys: Yosys,
) -> dict[Name, str]:
    """Netlists of modules, mapped as `spinplane.physical.synthesize` maps them.

    Parameters
    ----------
    tops : sequence of Name
        Modules to map.
    modules : mapping of Name to str
        Verilog of these and of all that they place.
    stubs : mapping of Name to str
        Verilog of the ports of each black box.
    target : AsicTarget
        Without a period.
    yosys : Yosys

    Returns
    -------
    dict of Name to str
        Verilog of each by its name. Flip-flops and nets of the RTL keep their names.
    """
    return _map(tops, modules, stubs, target, yosys, write_gates, "gates.v")


def module_cells(
    modules: Mapping[Name, str], stubs: Mapping[Name, str], target: AsicTarget, yosys: Yosys
) -> dict[Name, dict[str, Any]]:
    """The same netlists of all modules as Yosys describes them in JSON: ``ports``, ``cells`` and ``netnames``."""
    texts = _map(list(modules), modules, stubs, target, yosys, write_gates_as_json, "gates.json")
    return {name: json.loads(text)["modules"][name] for name, text in texts.items()}


def _map(
    tops: Sequence[Name],
    modules: Mapping[Name, str],
    stubs: Mapping[Name, str],
    target: AsicTarget,
    yosys: Yosys,
    write: Callable[[Name], Text],
    ending: str,
) -> dict[Name, str]:
    """What `write` leaves in ``TOP.`` and an ending, of each top."""
    with (
        temporary_folder() as workdir,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for file, text in {**target.files(), "stubs.v": "".join(stubs.values())}.items():
            write_file(workdir / file, text.encode())
        for name, text in modules.items():
            write_file(workdir / f"{name}.v", text.encode())

        def netlist(top: Name) -> str:
            placed = directly_placed(modules[top], modules)
            read = read_modules([Name("stubs"), *placed], [top])
            script = joined([read, target.script(top), write(top)])
            run_script(script, workdir, name=top, yosys=yosys)
            return (workdir / f"{top}.{ending}").read_text(encoding="utf-8")

        return dict(zip(tops, pool.map(netlist, tops), strict=True))


def placed_cells(netlists: Iterable[str], library: Library) -> list[str]:
    """Cells of a library that netlists place, each once."""
    found = {name for text in netlists for name in _INSTANCE.findall(text)}
    return sorted(found.intersection(library.cells))
