"""Mapping to the cells of a Liberty library."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.text import Text
from spinplane.machine.external.verilog import RIPPLE_CARRY, full_adder
from spinplane.machine.external.yosys import EFFORTS, constraints, to_cells

from .area import Figures
from .library import Library

ADDERS = ("ripple", "fast")
"""Carries that ripple through the library's full adders, or prefix adders and Booth's multipliers made of gates."""

_DELAY = re.compile(r"^ABC: .* Delay = *([\d.]+) ps", re.MULTILINE)
# ABC knows no flip-flops: a fifth of the period is theirs.
_LOGIC_SHARE = 0.8
_PS_PER_NS = 1000
_OUTPUT_LOAD_FF = 20  # about ten gates at 45 nm


@dataclass(frozen=True, kw_only=True)
class AsicTarget:
    """The cells of a library as a target of synthesis.

    Parameters
    ----------
    library : Library
    adders : {"ripple", "fast"}
        See `ADDERS`.
    period_ns : float, optional
        Map each module to the smallest cells with which ABC's estimate meets this clock period, or else to the
        fastest; without it for area alone.

    Raises
    ------
    SpinplaneError
        If `adders` is unknown, or the period is not a positive number, or the library has no timing for it.
    """

    library: Library
    adders: str = "ripple"
    period_ns: float | None = None

    separately = True
    """Modules are mapped in runs of their own: a module's cells depend on nothing else in the design."""

    def __post_init__(self) -> None:
        if self.adders not in ADDERS:
            raise SpinplaneError(f"adders = {self.adders!r}: must be one of {', '.join(ADDERS)}")
        if self.period_ns is not None:
            if not 0 < self.period_ns < math.inf:
                raise SpinplaneError(f"period_ns = {self.period_ns}: must be a positive number")
            self.library.require_timing()

    @property
    def efforts(self) -> int:
        """Number of scripts to choose from, from the smallest to the fastest cells."""
        return 1 if self.period_ns is None else EFFORTS

    def is_met(self, log: str) -> bool:
        """Whether the cells that Yosys has mapped to, as its log tells, are fast enough for the period."""
        if self.period_ns is None or "nothing to map" in log:
            return True
        delays = _DELAY.findall(log)
        return bool(delays) and float(delays[-1]) <= self._logic_ps

    @property
    def _logic_ps(self) -> int:
        return max(1, round((self.period_ns or 0) * _LOGIC_SHARE * _PS_PER_NS))

    @property
    def name(self) -> str:
        """Name of the library."""
        return self.library.name

    def files(self) -> dict[str, str]:
        """Files that `script` reads, by name."""
        files = {"library.lib": self.library.text}
        if (adder := self.library.full_adder) is not None:
            mapped = full_adder(adder.cell, adder.inputs, adder.sum, adder.carry)
            files |= {"carry.v": RIPPLE_CARRY, "adder.v": mapped}
        if self.period_ns is not None:
            files["abc.constr"] = constraints(self.library.buffer, _OUTPUT_LOAD_FF)
        return files

    def script(self, top: Name, effort: int = 0) -> Text:
        """Yosys commands that map the design in memory, its hierarchy kept.

        Additions that may ripple go to the library's full adder where it has one, as ABC uses no cell with two
        outputs. What that brings is measured in ``docs/area.md``.

        Parameters
        ----------
        top : Name
        effort : int
            Less than `efforts`.
        """
        fast = self.adders == "fast"
        return to_cells(
            top,
            leave=self.library.dont_use,
            booth=fast,
            full_adders=not fast and self.library.full_adder is not None,
            period_ps=None if self.period_ns is None else self._logic_ps,
            effort=effort,
        )

    def figures(self, cells: Counter[str]) -> Figures:
        """Figures of a number of cells of each type.

        Raises
        ------
        SpinplaneError
            If the library has no such cell, or no area for it.
        """
        library = self.library
        area, leakage, flip_flops = Decimal(0), Decimal(0), 0
        leakage_known = True
        for name, number in cells.items():
            cell = library.cells.get(name)
            if cell is None:
                raise SpinplaneError(f"library {library.source}: has no cell for Yosys' {name}")
            if cell.area is None:
                raise SpinplaneError(f"library {library.source}: cell {name} has no area")
            area += cell.area * number
            if cell.leakage_nw is None:
                leakage_known = False
            else:
                leakage += cell.leakage_nw * number
            flip_flops += number if cell.is_flip_flop else 0
        return Figures(
            cells=cells.total(),
            flip_flops=flip_flops,
            area_um2=float(area),
            leakage_nw=float(leakage) if leakage_known else None,
        )
