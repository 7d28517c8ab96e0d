"""Mapping to the primitives of FPGAs, for counts of LUTs."""

import re
from collections import Counter
from dataclasses import dataclass

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.external.text import Text
from spinplane.machine.external.yosys import to_fpga

from .area import Figures


@dataclass(frozen=True, kw_only=True)
class _Family:
    """Regular expressions of the primitives of each kind."""

    luts: str
    flip_flops: str
    carries: str
    memories: str
    multipliers: str


_FAMILIES = {
    "xc7": _Family(
        luts=r"LUT[1-6]|INV",
        flip_flops=r"FD[RSCP]E(_1)?",
        carries=r"CARRY4",
        memories=r"RAM.*|SRL.*",
        multipliers=r"DSP48E1",
    ),
    # A CCU2C is the carry of a slice together with its two LUTs.
    "ecp5": _Family(
        luts=r"LUT4",
        flip_flops=r"TRELLIS_FF",
        carries=r"CCU2C",
        memories=r"DP16KD|PDPW16KD|TRELLIS_DPR16X4",
        multipliers=r"MULT18X18D",
    ),
    "ice40": _Family(
        luts=r"SB_LUT4",
        flip_flops=r"SB_DFF.*",
        carries=r"SB_CARRY",
        memories=r"SB_RAM.*|SB_SPRAM.*",
        multipliers=r"SB_MAC16",
    ),
}

FPGA_FAMILIES = tuple(_FAMILIES)
"""The families that can be asked for."""


@dataclass(frozen=True, kw_only=True)
class FpgaTarget:
    """A family of FPGAs as a target of synthesis.

    Parameters
    ----------
    family : str
        One of `FPGA_FAMILIES`.

    Raises
    ------
    SpinplaneError
        If it is not one of them.
    """

    family: str

    separately = False
    """Modules are mapped in one run: reading the primitives takes most of the time."""

    efforts = 1
    """There is one script."""

    adders = None
    period_ns = None

    @property
    def name(self) -> str:
        """Name of the family."""
        return self.family

    def __post_init__(self) -> None:
        if self.family not in _FAMILIES:
            raise SpinplaneError(f"fpga = {self.family!r}: must be one of {', '.join(_FAMILIES)}")

    def files(self) -> dict[str, str]:
        """Files that `script` reads: none."""
        return {}

    def is_met(self, log: str) -> bool:
        """Always: no period can be asked for."""
        return True

    def script(self, top: Name, effort: int = 0) -> Text:
        """Yosys commands that map the design in memory, its hierarchy kept."""
        return to_fpga(self.family, top)

    def figures(self, cells: Counter[str]) -> Figures:
        """Figures of a number of primitives of each type."""
        family = _FAMILIES[self.family]

        def number(pattern: str) -> int:
            return sum(count for name, count in cells.items() if re.fullmatch(pattern, name))

        return Figures(
            cells=cells.total(),
            flip_flops=number(family.flip_flops),
            luts=number(family.luts),
            carries=number(family.carries),
            memories=number(family.memories),
            multipliers=number(family.multipliers),
        )
