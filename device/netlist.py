"""A circuit deck of read and AND, for ngspice and the user's transistor models."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import SpinplaneError, check_name

from .mtj import NegfJunction, heavy_metal_resistance, junction
from .sensing import bit_line_resistance, contents
from .technology import Element, Technology

_SECONDS = 60
_LEVEL = re.compile(r"^\s*v\(bl_(\d+)_(\d+)\)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class TransistorModel:
    """The user's n-channel transistor.

    Parameters
    ----------
    path : Path
        File with the model, included in the deck. ngspice does all that it says, commands of the shell too: take
        models only from those whom you trust.
    name : str
        Of the ``.model``; with `subcircuit` of the ``.subckt``, whose pins are drain, gate, source, bulk.
    width_m, length_m : float
        In m.
    subcircuit : bool

    Raises
    ------
    SpinplaneError
        If there is no such file or a deck cannot say its path, `name` is more than letters, digits, ``-``, ``_`` and
        ``.``, or a size is not above 0.
    """

    path: Path
    name: str
    width_m: float
    length_m: float
    subcircuit: bool = False

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise SpinplaneError(f"transistor models {self.path}: no such file")
        path = str(self.path.resolve())
        if not path.isprintable() or '"' in path:
            raise SpinplaneError(f"transistor models {path!r}: must be a path without quotes and line breaks")
        check_name("transistor", self.name, also=".")
        if not (self.width_m > 0 and self.length_m > 0):
            raise SpinplaneError(
                f"transistor {self.name}: {self.width_m!r} m by {self.length_m!r} m: both must be above 0"
            )


def sense_deck(technology: Technology, *, model: TransistorModel | None = None, fan_in: int = 2) -> str:
    """The deck: one bit line for each content of one cell and of `fan_in` cells, at the operating point.

    Without a model a transistor that is on is the technology's resistance, and the deck has to agree with the
    analytic levels; with one, it says what the user's transistor makes of them.

    Parameters
    ----------
    technology : Technology
    model : TransistorModel, optional
    fan_in : int

    Returns
    -------
    str
        Bit lines are the nodes ``bl_CELLS_ONES``.
    """
    mtj, supply = junction(technology), technology["process.supply_voltage"]
    lines = [f"* {technology.name}: bit lines of a read and of {fan_in} cells", f"Vdd vdd 0 DC {supply:.12g}"]
    if model is not None:
        lines.append(f'.include "{model.path.resolve()}"')
    shown = []
    for cells in sorted({1, fan_in}):
        for ones in range(cells + 1):
            name = f"{cells}_{ones}"
            shown.append(f"print v(bl_{name})")
            lines.append(f"Iread_{name} 0 bl_{name} DC {technology['read.current']:.12g}")
            lines.append(f"Rwire_{name} bl_{name} near_{name} {bit_line_resistance(technology) / 2:.12g}")
            for cell, state in enumerate(contents(cells, ones)):
                lines += _cell(technology, mtj, name, cell, bool(state), model)
    options = ".options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-15"
    return "\n".join([*lines, options, ".control", "set numdgt=12", "op", *shown, ".endc", ".end", ""])


def run_deck(deck: str) -> Mapping[tuple[int, int], float]:
    """Levels in V by number of cells and of anti-parallel ones, from ngspice without its start-up files.

    Raises
    ------
    SpinplaneError
        If ngspice is not installed, or its output has no levels.
    """
    program = shutil.which("ngspice")
    if program is None:
        raise SpinplaneError("ngspice is not installed: run 'sudo apt-get install ngspice'")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.sp"
        path.write_text(deck, encoding="utf-8")
        try:
            done = subprocess.run(
                [program, "-n", "-b", path.name],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                cwd=folder,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SpinplaneError(f"ngspice: no operating point after {_SECONDS} s") from None
    levels = {(int(cells), int(ones)): float(value) for cells, ones, value in _LEVEL.findall(done.stdout)}
    if len(levels) != deck.count("print v(bl_"):
        said = [line for line in (done.stderr + "\n" + done.stdout).splitlines() if "rror" in line]
        raise SpinplaneError(
            f"ngspice gave no operating point: {' '.join((said or ['no message'])[0].split())}"
        )
    return levels


def margins_of(levels: Mapping[tuple[int, int], float]) -> dict[str, float]:
    """Half of the distance between the two levels that read, AND and OR tell apart, in V."""
    fan_in = max(cells for cells, _ in levels)
    pairs = {"read": (1, 0), "and": (fan_in, fan_in - 1), "or": (fan_in, 0)}
    return {
        operation: (levels[cells, low + 1] - levels[cells, low]) / 2
        for operation, (cells, low) in pairs.items()
    }


def _cell(
    technology: Technology,
    mtj: object,
    name: str,
    cell: int,
    antiparallel: bool,
    model: TransistorModel | None,
) -> list[str]:
    selected = technology.operations["read"].selected
    own = f"{name}_{cell}"
    driven = {"0": "0", "vdd": "vdd", "read": f"near_{name}"}
    nodes = {line: driven[drive] for line, drive in selected.items() if drive in driven}
    # Nodes within the cell are numbered: what a file calls them could be anything, and SPICE knows no case.
    inner: dict[str, str] = {}
    lines = []
    for index, element in enumerate(technology.elements):
        if element.name not in technology.operations["read"].conducts:
            continue
        first, second = (
            nodes.get(end) or inner.setdefault(end, f"inner{len(inner)}_{own}") for end in element.between
        )
        lines.append(_line(technology, mtj, element, f"{own}_{index}", (first, second), antiparallel, model))
    return lines


def _line(
    technology: Technology,
    mtj: object,
    element: Element,
    name: str,
    ends: tuple[str, str],
    antiparallel: bool,
    model: TransistorModel | None,
) -> str:
    first, second = ends
    if element.kind == "half_heavy_metal":
        return f"Rmetal_{name} {first} {second} {heavy_metal_resistance(technology) / 2:.12g}"
    if element.kind == "mtj":
        return f"Bmtj_{name} {first} {second} I = {_current(technology, mtj, f'V({first},{second})', antiparallel)}"
    if model is None:
        return f"Ron_{name} {first} {second} {technology[element.resistance]:.12g}"
    kind = "X" if model.subcircuit else "M"
    size = f"W={model.width_m:.6g} L={model.length_m:.6g}"
    return f"{kind}{name} {first} vdd {second} 0 {model.name} {size}"


def _current(technology: Technology, mtj: object, voltage: str, antiparallel: bool) -> str:
    if isinstance(mtj, NegfJunction):
        g2, g0 = mtj.coefficients(antiparallel)
        return f"{voltage}*({g2:.15g}*{voltage}*{voltage}+{g0:.15g})"
    parallel = float(junction(technology).conductance_p(0.0))
    if not antiparallel:
        return f"{voltage}*{parallel:.15g}"
    half = technology["mtj.tmr_half_voltage"] ** 2
    return f"{voltage}*{parallel:.15g}/(1+{technology['mtj.tmr']:.15g}/(1+{voltage}*{voltage}/{half:.15g}))"
