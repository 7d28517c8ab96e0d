"""Worst paths of mapped modules, by OpenSTA."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.opensta import MEMORY_LIBRARY, worst_paths_script
from spinplane.machine.external.process import run
from spinplane.machine.external.text import Text
from spinplane.machine.external.verilog import memory_bits
from spinplane.machine.files import write_file

from .area import Timing, TimingPath

_PATH = re.compile(r"^(between_registers|with_ports) (\S+)\nstart (.*)\nend (.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class OpenSta:
    """An OpenSTA that can be run: its ``program`` and its ``version``."""

    program: str
    version: str

    def __str__(self) -> str:
        return f"OpenSTA {self.version}"


def find_sta() -> OpenSta:
    """The ``sta`` on PATH.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    program = shutil.which("sta")
    if program is None:
        raise SpinplaneError("no OpenSTA (program sta) is installed: `apt-get install opensta`")
    found = re.search(r"\d+(\.\d+)+", run([program, "-version"], together=True).output)
    if found is None:
        raise SpinplaneError(f"{program}: is not OpenSTA")
    return OpenSta(program=program, version=found[0])


def netlist_files(stubs: Mapping[Name, str]) -> dict[str, Text]:
    """Files that `write_netlist` of Yosys and `worst_paths` read, by name.

    Parameters
    ----------
    stubs : mapping of Name to str
        Verilog of the ports of each black box.
    """
    return {"memories.lib": MEMORY_LIBRARY, "memories.v": memory_bits(stubs.values())}


def worst_paths(modules: Sequence[Name], top: Name, workdir: Path, sta: OpenSta) -> Timing:
    """Worst paths of a module and of all that it places.

    The clock is ideal, wires have no delay and no capacitance; inputs change at the clock's edge, at once and however
    many cells they drive; outputs have no load and are due at the edge.

    Parameters
    ----------
    modules : sequence of Name
        `top` and what it places, at any depth.
    top : Name
    workdir : Path
        Holds ``library.lib``, `netlist_files`, and the netlist of each module.
    sta : OpenSta

    Raises
    ------
    SpinplaneError
        If OpenSTA reports an error or does not finish.
    """
    script = f"{top}.tcl"
    write_file(workdir / script, worst_paths_script(modules, top).encode())
    told = run([sta.program, "-no_init", "-no_splash", "-exit", script], folder=workdir, together=True).output
    if error := re.search(r"^Error: (.*)$", told, re.MULTILINE):
        raise SpinplaneError(f"{sta}: {error[1]}")
    if not told.rstrip().endswith("complete"):
        raise SpinplaneError(f"{sta}: did not finish with {top}")
    paths: dict[str, TimingPath] = {}
    for kind, slack, start, end in _PATH.findall(told):
        path = TimingPath(delay_ns=round(1 - float(slack), 4), start=_plain(start), end=_plain(end))
        paths[kind] = max(paths.get(kind, path), path, key=lambda path: path.delay_ns)
    return Timing(between_registers=paths.get("between_registers"), with_ports=paths.get("with_ports"))


def _plain(pin: str) -> str:
    """Name of a pin without escapes and without the cell's type, which follows on what the instance drives."""
    return re.sub(r"\\+(?:\w+(?=/|$))?", "", pin)
