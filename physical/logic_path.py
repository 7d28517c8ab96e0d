"""Worst paths of mapped modules, by ABC: of the logic alone, where no OpenSTA is."""

import re
from collections import Counter
from collections.abc import Mapping

from spinplane.machine import DottedName, Name, SpinplaneError
from spinplane.machine.external.yosys import logic_path

from .library import Library
from .paths import Timing, TimingPath
from .timing import Netlists, placed_instances, placed_modules
from .yosys import Yosys, run_script

_DELAY = re.compile(r"^ABC: .*\bDelay = *([\d.]+) ps", re.MULTILINE)
_ENDS = re.compile(r"^ABC: Start-point = pi(\d+) .*End-point = po(\d+) ", re.MULTILINE)
_PORTS = re.compile(r"^module .*?\((.*?)\);$", re.MULTILINE | re.DOTALL)
_DECLARED = re.compile(r"^  (input|output) (\S+) ?;$", re.MULTILINE)
_PS_PER_NS = 1000


def worst_logic_path(
    top: Name, cells: Mapping[str, Counter[str]], netlists: Netlists, library: Library, yosys: Yosys
) -> Timing:
    """Worst path through the gates of a module and of all that it places.

    It begins at an input, at a flip-flop or at a memory, and ends at one: their own times are not in it, nor is what
    the first gate's driver and the last one's load would add. An output that is another one's alias has the library's
    buffer. The clock is ideal, wires have no delay and no capacitance.

    Parameters
    ----------
    top : Name
    cells : mapping of str to Counter
        As `map_modules` returns it, of `top` and of all that it places.
    netlists : Netlists
    library : Library
    yosys : Yosys

    Raises
    ------
    SpinplaneError
        If Yosys or ABC fails.
    """
    placed = placed_instances(top, cells)
    of_library = [cell for name in placed if (cell := library.cells.get(name))]
    cut = [cell.name for cell in of_library if cell.is_flip_flop or cell.storage]
    if len(of_library) == len(cut):
        return Timing(between_registers=None, with_ports=None)
    memories = [cell for cell, (box, _) in netlists.memories.sizes.items() if box in placed]
    script = logic_path(placed_modules(top, cells), top, [*cut, *map(DottedName, memories)])
    log = run_script(script, netlists.folder, name=Name(f"{top}-abc"), yosys=yosys)
    delays, ends = _DELAY.findall(log), _ENDS.search(log)
    if not delays or ends is None:
        raise SpinplaneError(f"{yosys}: ABC tells no path of {top}")
    start, end = _ports((netlists.folder / f"{top}.logic.v").read_text(encoding="utf-8"), *ends.groups())
    path = TimingPath(delay_ns=round(float(delays[-1]) / _PS_PER_NS, 4), start=start, end=end)
    return Timing(between_registers=None, with_ports=path)


def _ports(netlist: str, start: str, end: str) -> tuple[str, str]:
    """Names of an input and an output by their numbers, which count each kind in the order of the module's ports."""
    header = _PORTS.search(netlist)
    ports = re.split(r"\s*,\s*", header[1]) if header else []
    flows = {name: flow for flow, name in _DECLARED.findall(netlist)}
    inputs, outputs = (
        [port for port in map(str.strip, ports) if flows.get(port) == flow] for flow in ("input", "output")
    )
    return _plain(inputs[int(start)]), _plain(outputs[int(end)])


def _plain(port: str) -> str:
    r"""Pin or port that was cut: ``\a.b\DFF.Q`` is pin Q of what drives ``b`` in ``a``."""
    return re.sub(r"\\+\w+\.(?=\w+$)", "/", port.removeprefix("\\")).replace(".", "/").replace("\\", "")
