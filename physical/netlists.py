"""Netlists of a machine's modules: each mapped for itself, as Verilog of cells and of placed modules."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from spinplane.machine import Name
from spinplane.machine.external.text import joined
from spinplane.machine.external.yosys import read_modules, write_gates
from spinplane.machine.files import temporary_folder, write_file

from .asic import AsicTarget
from .library import Library
from .yosys import Yosys, run_script

_INSTANCE = re.compile(r"^  \\?(\S+) +(?:\\\S+ |\w+) ?\($", re.MULTILINE)


def placed_modules(text: str, modules: Iterable[Name]) -> list[Name]:
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
    with (
        temporary_folder() as workdir,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for file, text in {**target.files(), "stubs.v": "".join(stubs.values())}.items():
            write_file(workdir / file, text.encode())
        for name, text in modules.items():
            write_file(workdir / f"{name}.v", text.encode())

        def netlist(top: Name) -> str:
            placed = placed_modules(modules[top], modules)
            read = read_modules([Name("stubs"), *placed], [top])
            script = joined([read, target.script(top), write_gates(top)])
            run_script(script, workdir, name=top, yosys=yosys)
            return (workdir / f"{top}.gates.v").read_text(encoding="utf-8")

        return dict(zip(tops, pool.map(netlist, tops), strict=True))


def placed_cells(netlists: Iterable[str], library: Library) -> list[str]:
    """Cells of a library that netlists place, each once."""
    found = {name for text in netlists for name in _INSTANCE.findall(text)}
    return sorted(found.intersection(library.cells))
