"""The contract of a memory technology with a machine: times, energies and ports of its array."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from .errors import SpinplaneError
from .machine import WRITE_OVERLAPS, Machine


@dataclass(frozen=True, kw_only=True)
class Electrical:
    """Electrical contract of an array; `spinplane.device` fills it.

    Parameters
    ----------
    name : str
        Name of the technology.
    cell : str
        Structure of the bit cell, as ``"2T1R"``.
    rows : int
        Cells on a bit line for which the times hold.
    sense_s : float
        Time from word lines on to a decided sense amplifier, the slowest of read, AND and OR, in s.
    write_s : float
        Length of a write pulse in s.
    write_overlap : {"none", "same_array"}
        Whether rows may be sensed while another row of the same array is written.
    ports : tuple of str
        Ports of an array that can be used at once: ``("read", "write")``, or ``("shared",)``.
    read_energy_j, and_energy_j, or_energy_j, write_energy_j : float
        Energy of one bit line in one operation, in J: cells, access transistors, bit line, sense amplifier.
        Word lines and decoders are not in it.
    cell_area_um2 : float

    Raises
    ------
    SpinplaneError
        For a value that is not allowed, naming it.
    """

    name: str
    cell: str
    rows: int
    sense_s: float
    write_s: float
    write_overlap: str
    ports: tuple[str, ...]
    read_energy_j: float
    and_energy_j: float
    or_energy_j: float
    write_energy_j: float
    cell_area_um2: float

    def __post_init__(self) -> None:
        if self.write_overlap not in WRITE_OVERLAPS:
            raise SpinplaneError(
                f"write_overlap = {self.write_overlap!r}: must be one of {', '.join(WRITE_OVERLAPS)}"
            )
        for key in ("sense_s", "write_s"):
            if not 0 < getattr(self, key) < 1:
                raise SpinplaneError(f"{key} = {getattr(self, key)!r}: must be above 0 and below 1 s")

    def cycles_at(self, clock_s: float) -> tuple[int, int]:
        """Clock cycles of a sense and of a write pulse.

        Parameters
        ----------
        clock_s : float
            Period of the clock in s.

        Returns
        -------
        sense_cycles, write_cycles : int
            The fewest whole cycles that are long enough.

        Raises
        ------
        SpinplaneError
            If the period is not above 0.
        """
        if not clock_s > 0:
            raise SpinplaneError(f"clock period {clock_s!r} s: must be above 0")
        sense, write = (_cycles(time_s, clock_s) for time_s in (self.sense_s, self.write_s))
        return sense, write

    def check(self, machine: Machine, clock_s: float) -> None:
        """Refuse a machine whose pulses are too short for the technology, that senses rows while others are written and
        must not, or whose bit lines are longer.

        Raises
        ------
        SpinplaneError
            Naming the key of the machine, its value and the value that would do.
        """
        check_write_overlap(machine, self.name, self.write_overlap)
        sense, write = self.cycles_at(clock_s)
        for key, needed in (("sense_cycles", sense), ("write_cycles", write)):
            if getattr(machine, key) < needed:
                raise SpinplaneError(
                    f"machine {machine.name}: {key} = {getattr(machine, key)}, {self.name} needs {needed} at a "
                    f"clock period of {clock_s * 1e9:g} ns"
                )
        if machine.rows > self.rows:
            raise SpinplaneError(
                f"machine {machine.name}: rows = {machine.rows}, the times of {self.name} hold for at most {self.rows}"
            )


def check_write_overlap(machine: Machine, technology: str, allowed: str) -> None:
    """Refuse a machine that senses rows while others are written where `allowed` of a technology is ``"none"``."""
    if machine.overlaps_writes and allowed == "none":
        raise SpinplaneError(
            f"machine {machine.name}: write_overlap = {machine.write_overlap!r}, technology {technology} allows "
            f"{allowed!r}"
        )


def _cycles(time_s: float, clock_s: float) -> int:
    # Decimal texts, so that 2 ns are two cycles of 1 ns and not three for a bit of rounding.
    return max(1, ceil(Fraction(f"{time_s:.12g}") / Fraction(f"{clock_s:.12g}")))
