"""Whether a mapped module does what its RTL does: one step from every state, with equal nets merged."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import Name
from spinplane.machine.external.text import Text
from spinplane.machine.external.yosys import compare_step, cut_sides, search_difference, show_difference
from spinplane.machine.files import write_file

from .yosys import OutOfTimeError, Yosys, run_script

# Work is limited in what is the same on every machine: conflicts of a pair of nets, and rounds of a prover for all that
# is left.
_CONFLICTS, _ROUNDS, _LAST_CONFLICTS = 100, 2, 1_000_000
# Of a processor, after which a script is ended that those limits do not reach: far more than a unit takes.
_SECONDS = 300

_STORES = re.compile(r"\$_?\w*(?:ff|latch|sr)", re.IGNORECASE)
_DIFFERS = re.compile(r"^\s*(?:\d+\s+)?\\cmp_(\S+)\s+0\s+0\s+0\s*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Equivalence:
    """What is known of a mapped module and its RTL.

    Parameters
    ----------
    verdict : str
        ``"proven"``: equal for ever, from any state in which flip-flops of one name hold the same. ``"unequal"``: not
        equal. ``"open"``: neither was found within the solver's limits.
    points : int
        Bits that were compared: outputs, next states of flip-flops, inputs of what is placed.
    open_points : int
        Those among them that are not known to be equal.
    difference : str
        Of what is unequal: the first signal that differs.
    """

    verdict: str
    points: int = 0
    open_points: int = 0
    difference: str = ""


def compare(
    top: Name,
    rtl: Mapping[Name, str],
    netlist: str,
    liberty: str,
    workdir: Path,
    yosys: Yosys,
) -> Equivalence:
    """Compare a mapped module with its RTL.

    Parameters
    ----------
    top : Name
    rtl : mapping of Name to str
        Verilog of the module and of those that it places, black boxes included; of the latter the ports count.
    netlist : str
        Verilog of the mapped module.
    liberty : str
        Text of the library to whose cells it was mapped.
    workdir : Path
        An empty folder.
    yosys : Yosys

    Raises
    ------
    SpinplaneError
        If Yosys fails, or the two have not the same ports or placed modules.
    """
    placed = [name for name in rtl if name != top]
    for name, text in rtl.items():
        write_file(workdir / f"{name}.v", text.encode())
    write_file(workdir / f"{top}.gates.v", netlist.encode())
    write_file(workdir / "library.lib", liberty.encode())

    def answer(kind: str, script: Text) -> str:
        """What a script said; nothing if it was ended."""
        name = Name(f"{top}_{kind}")
        with suppress(OutOfTimeError):
            return run_script(script, workdir, name=name, yosys=yosys, cpu_seconds=_SECONDS)
        return ""

    if not answer("cut", cut_sides(top, placed)):
        return Equivalence(verdict="open")
    _merge(workdir / f"{top}.sides.json")
    if not answer("step", compare_step(top, conflicts=_CONFLICTS)):
        return Equivalence(verdict="open")
    equal, left, has_state = _points(workdir / f"{top}.points.json")
    if not left:
        return Equivalence(verdict="proven", points=equal)
    found = answer("search", search_difference(top, rounds=_ROUNDS, conflicts=_LAST_CONFLICTS))
    if "UNSATISFIABLE" in found:
        return Equivalence(verdict="proven", points=equal + left)
    # Two sides may differ in a state of flip-flops that have no like that they never have together.
    is_unequal = "SATISFIABLE" in found and not has_state
    return Equivalence(
        verdict="unequal" if is_unequal else "open",
        points=equal + left,
        open_points=left,
        difference=_first_difference(answer("difference", show_difference(top))) if is_unequal else "",
    )


def _merge(path: Path) -> None:
    """In ``TOP.sides.json``, let flip-flops of the RTL hold the same where gates have one for them all.

    Of the RTL's states gates have no other. That these flip-flops go on to hold the same is compared: each takes what
    the one of the gates takes.
    """
    sides = json.loads(path.read_text(encoding="utf-8"))
    gates = sides["modules"]["gates"]
    for name, port in gates["ports"].items():
        if name.endswith(".q") and port["direction"] == "input":
            port["bits"] = gates["netnames"][name.removesuffix(".q")]["bits"]
    write_file(path, json.dumps(sides).encode())


def _points(path: Path) -> tuple[int, int, bool]:
    """Of ``TOP.points.json``: points known to be equal, others, and whether one side has flip-flops of its own."""
    (module,) = json.loads(path.read_text(encoding="utf-8"))["modules"].values()
    points = [port["bits"] for name, port in module["ports"].items() if name.startswith("cmp_")]
    proven = module["ports"]["trigger"]["bits"] == ["0"]
    equal = len(points) if proven else sum(bits == ["1"] for bits in points)
    has_state = any(_STORES.match(cell["type"]) for cell in module["cells"].values())
    return equal, len(points) - equal, has_state


def _first_difference(log: str) -> str:
    # What a flip-flop takes next is named ``NAME.d``, a bit ``NAME<n>``.
    name = next(iter(_DIFFERS.findall(log)), "").removesuffix(".d")
    return re.sub(r"<(\d+)>$", r"[\1]", name)
