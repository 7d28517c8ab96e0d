"""Worst paths of mapped modules, by OpenSTA."""

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spinplane.hdl.export.memories import SENSE_LINES, WRITE_LINES, MemoryCells, memory_cells
from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.opensta import worst_paths_script
from spinplane.machine.external.process import run
from spinplane.machine.external.remedies import MissingToolError, remedy_of_program
from spinplane.machine.external.text import Text, fill
from spinplane.machine.files import write_file
from spinplane.machine.memory_times import MemoryTimes

from .paths import Timing, TimingPath

_PATH = re.compile(
    r"^(between_registers|with_ports|sense|write|banks) (\S+)\nstart (.*)\nend (.*)$", re.MULTILINE
)
_COUNT = re.compile(r"^count (\d+) (.*)$", re.MULTILINE)
# It goes on after each of these, without what it could not read, and exits with 0.
_COMPLAINT = re.compile(
    r"^(?:.*\bError: *(?P<error>.*)|(?P<other>Warning: .*\b(?:ignored|black box|not found)\b.*|.*No paths found.*))$",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class OpenSta:
    """An OpenSTA that can be run: its ``program`` and its ``version``."""

    program: str
    version: str

    def __str__(self) -> str:
        return f"OpenSTA {self.version}"


def sta_is_installed() -> bool:
    """Whether there is an ``sta`` on PATH."""
    return shutil.which("sta") is not None


def find_sta() -> OpenSta:
    """The ``sta`` on PATH.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    program = shutil.which("sta")
    if program is None:
        raise MissingToolError(f"no OpenSTA (program sta) is installed: {remedy_of_program('sta')}")
    found = re.search(r"\d+(\.\d+)+", run([program, "-version"], together=True).output)
    if found is None:
        raise SpinplaneError(f"{program}: is not OpenSTA")
    return OpenSta(program=program, version=found[0])


def _no_memories() -> MemoryCells:
    return memory_cells([], [], MemoryTimes())


@dataclass(frozen=True, kw_only=True)
class Netlists:
    """Netlists of a design's modules, and what they place.

    Parameters
    ----------
    folder : Path
        With ``library.lib``, `files` and ``NAME.netlist.v`` of each module.
    memories : MemoryCells
        Its black boxes; none if not given.
    """

    folder: Path
    memories: MemoryCells = field(default_factory=_no_memories)

    def files(self) -> dict[str, Text]:
        """Files of the memories, by name."""
        library = fill("@name@.lib", name=self.memories.name)
        return {library: self.memories.liberty, "memories.v": self.memories.techmap}


def worst_paths(top: Name, cells: Mapping[str, Counter[str]], netlists: Netlists, sta: OpenSta) -> Timing:
    """Worst paths of a module and of all that it places.

    The clock is ideal, wires have no delay and no capacitance; inputs change at the clock's edge, at once and however
    many cells they drive; outputs have no load and are due at the edge.

    Parameters
    ----------
    top : Name
    cells : mapping of str to Counter
        As `map_modules` returns it, of `top` and of all that it places.
    netlists : Netlists
    sta : OpenSta

    Raises
    ------
    SpinplaneError
        If OpenSTA complains of anything, does not finish, finds no path where there are cells, or has other instances
        than Yosys.
    """
    workdir, memories = netlists.folder, netlists.memories
    expected = placed_instances(top, cells)
    modules = placed_modules(top, cells)
    lines = worst_paths_script(
        modules,
        top,
        memories=memories.name,
        arrays=memories.arrays,
        banks=memories.banks,
        sense=SENSE_LINES,
        write=WRITE_LINES,
    )
    script = fill("@top@-@memories@.tcl", top=top, memories=memories.name)
    write_file(workdir / script, lines.encode())
    command = [sta.program, "-no_init", "-no_splash", "-exit", script]
    ended = run(command, folder=workdir, together=True)
    if complaint := _COMPLAINT.search(ended.output):
        raise SpinplaneError(f"{sta}: {complaint['error'] or complaint['other']}")
    if ended.status or not ended.output.rstrip().endswith("complete"):
        raise SpinplaneError(f"{sta}: did not finish with {top}")
    _compare_instances(ended.output, expected, memories, f"{sta}: {top}")
    paths: dict[str, TimingPath] = {}
    for kind, slack, start, end in _PATH.findall(ended.output):
        path = TimingPath(delay_ns=round(1 - float(slack), 4), start=_plain(start), end=_plain(end))
        paths[kind] = max(paths.get(kind, path), path, key=lambda path: path.delay_ns)
    if expected and not paths:
        raise SpinplaneError(f"{sta}: {top}: no paths found")
    return Timing(**{"between_registers": None, "with_ports": None} | paths)


def placed_instances(top: str, cells: Mapping[str, Counter[str]]) -> Counter[str]:
    """Instances of each type below a module: cells, black boxes and modules."""
    found: Counter[str] = Counter()
    for name, number in cells[top].items():
        found[name] += number
        if name in cells:
            for inner, times in placed_instances(name, cells).items():
                found[inner] += number * times
    return found


def placed_modules(top: Name, cells: Mapping[str, Counter[str]]) -> list[Name]:
    """A module and all that it places, the module last."""
    found = placed_instances(top, cells)
    return [*(Name(name) for name in cells if name in found), top]


def _compare_instances(told: str, expected: Counter[str], memories: MemoryCells, what: str) -> None:
    found: Counter[str] = Counter()
    for number, name in _COUNT.findall(told):
        box, _ = memories.sizes.get(name, (name, None))
        found[box] += int(number)
    for name in sorted({*found, *expected}):
        if found[name] != expected[name]:
            raise SpinplaneError(f"{what}: {found[name]} instances of {name}, Yosys has {expected[name]}")


def _plain(pin: str) -> str:
    """Name of a pin without escapes and without the cell's type, which follows on what the instance drives."""
    return re.sub(r"\\+(?:\w+(?=/|$))?", "", pin)
