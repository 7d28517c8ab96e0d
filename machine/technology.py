"""The contract of a memory technology with a machine: times, energies and ports of its array."""

from dataclasses import dataclass
from math import ceil

from .clock import MachineClock, clock_text
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
        Energy of one bit line in one operation, in J, from the supply: cells, access transistors, bit line, sense
        amplifier. Word lines and decoders are not in it.
    sense_current_a, write_current_a : float
        Of one bit line that is sensed, and of one cell that is written.
    cell_area_um2 : float
    xor_energy_j : float, optional
        Of an XOR in one access; not given where a bit line has one amplifier.
    access_s : float
        Time from the clock's edge until the far end of a word line is up, in s: a flip-flop, the row decoder, the
        line. A sense takes it and `sense_s`. A write takes it and `write_s`, as its bit lines end with the clock.

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
    sense_current_a: float
    write_current_a: float
    cell_area_um2: float
    xor_energy_j: float | None = None
    access_s: float = 0.0

    def __post_init__(self) -> None:
        if self.write_overlap not in WRITE_OVERLAPS:
            raise SpinplaneError(
                f"write_overlap = {self.write_overlap!r}: must be one of {', '.join(WRITE_OVERLAPS)}"
            )
        for key in ("sense_s", "write_s"):
            if not 0 < getattr(self, key) < 1:
                raise SpinplaneError(f"{key} = {getattr(self, key)!r}: must be above 0 and below 1 s")
        if not 0 <= self.access_s < 1:
            raise SpinplaneError(f"access_s = {self.access_s!r}: must be at least 0 and below 1 s")

    def cycles_at(self, clock_s: float) -> tuple[int, int]:
        """Clock cycles of a sense and of a write pulse, either from the edge on that raises its word line.

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
        sense, write = (_cycles(time_s, clock_s) for time_s in self._times_s)
        return sense, write

    def fastest_clock_s(self, machine: Machine) -> float:
        """Shortest period of the clock in s at which a machine's sense and write cycles are long enough."""
        return shortest_period(machine, *self._times_s)

    def clock(self, machine: Machine, clock_hz: float | None = None) -> MachineClock:
        """The clock of a machine, by default the fastest at which its sense and write cycles are long enough.

        Raises
        ------
        SpinplaneError
            As of `check`.
        """
        fastest_s = self.fastest_clock_s(machine)
        self.check(machine, fastest_s if clock_hz is None else 1 / clock_hz)
        fastest = 1 / fastest_s
        return MachineClock(
            technology=self.name, clock_hz=fastest if clock_hz is None else clock_hz, fastest_hz=fastest
        )

    @property
    def _times_s(self) -> tuple[float, float]:
        """Of a sense and of a write, the way to the word line's far end included."""
        return self.access_s + self.sense_s, self.access_s + self.write_s

    def peak_currents_a(self, machine: Machine) -> tuple[float, float]:
        """Currents in A while all sub-arrays of a machine sense, and while all write, a whole row at once each."""
        bit_lines = machine.sub_arrays * machine.columns
        return bit_lines * self.sense_current_a, bit_lines * self.write_current_a

    def check(self, machine: Machine, clock_s: float) -> None:
        """Refuse a machine whose pulses are too short for the technology, that senses rows while others are written and
        must not, that XORs rows in one sense and cannot, or whose bit lines are longer.

        Raises
        ------
        SpinplaneError
            Naming the key of the machine, its value and the value that would do; of cycles, the clock that would do,
            too.
        """
        _check_write_overlap(machine, self.name, self.write_overlap)
        _check_xor_sensing(machine, self.name, 1 if self.xor_energy_j is None else 2)
        needed, own = self.cycles_at(clock_s), (machine.sense_cycles, machine.write_cycles)
        if needed[0] > own[0] or needed[1] > own[1]:
            sense, write = (time_s * 1e9 for time_s in self._times_s)
            raise SpinplaneError(
                f"machine {machine.name} at {clock_text(1 / clock_s)}: a sense of {self.name} takes {sense:.2f} ns and "
                f"a write {write:.2f} ns, {self.access_s * 1e9:.2f} ns of each to the word line; needs sense_cycles = "
                f"{needed[0]} and write_cycles = {needed[1]}, the machine has {own[0]} and {own[1]}, which hold up to "
                f"{clock_text(1 / self.fastest_clock_s(machine))}"
            )
        if machine.rows > self.rows:
            raise SpinplaneError(
                f"machine {machine.name}: rows = {machine.rows}, the times of {self.name} hold for at most {self.rows}"
            )


def shortest_period(machine: Machine, sense_s: float, write_s: float) -> float:
    """Period of the clock in s in whose cycles a machine's senses and writes of these times just fit.

    Parameters
    ----------
    machine : Machine
    sense_s, write_s : float
        From the clock's edge on, the way to the word line included.
    """
    return max(sense_s / machine.sense_cycles, write_s / machine.write_cycles)


def _check_write_overlap(machine: Machine, technology: str, allowed: str) -> None:
    """Refuse a machine that senses rows while others are written where `allowed` of a technology is ``"none"``."""
    if machine.overlaps_writes and allowed == "none":
        raise SpinplaneError(
            f"machine {machine.name}: write_overlap = {machine.write_overlap!r}, technology {technology} allows "
            f"{allowed!r}"
        )


def _check_xor_sensing(machine: Machine, technology: str, amplifiers: int) -> None:
    """Refuse a machine that XORs rows in one sense where a technology has one amplifier a bit line."""
    if machine.xor_sensing and amplifiers < 2:
        raise SpinplaneError(
            f"machine {machine.name}: xor_sensing = True, technology {technology} has {amplifiers} amplifier a bit "
            "line (sensing.amplifiers)"
        )


def _cycles(time_s: float, clock_s: float) -> int:
    # With room of one part in 1e9, so that 2 ns are two cycles of 1 ns and not three for a bit of rounding.
    return max(1, ceil(time_s / clock_s * (1 - 1e-9)))
