"""A technology's electrical contract, as `spinplane.machine.Electrical` states it."""

from spinplane.machine import Electrical, Machine, MachineClock

from .biasing import write_overlap
from .energy import write_energy
from .exclusive import exclusive_sense
from .sensing import decisions, margin
from .technology import Technology
from .wires import access_time


def electrical(technology: Technology) -> Electrical:
    """Times, energies and ports of a technology's array.

    The sense time is the slowest of read, AND and OR. Energies are those from the supply, of a write the mean of the
    two bits.

    Raises
    ------
    SpinplaneError
        If an operation cannot be sensed, or a write needs more than the supply.
    """
    margins = {decision.operation: margin(technology, decision) for decision in decisions()}
    overlap = write_overlap(technology)
    exclusive = exclusive_sense(technology) if technology.sensing.amplifiers == 2 else None
    return Electrical(
        name=technology.name,
        cell=technology.structure,
        rows=int(technology["bit_line.cells"]),
        sense_s=max(found.time_s for found in margins.values()),
        write_s=technology["write.pulse"],
        write_overlap=overlap,
        ports=("read", "write") if overlap == "same_array" else ("shared",),
        read_energy_j=margins["read"].energy_j,
        and_energy_j=margins["and"].energy_j,
        or_energy_j=margins["or"].energy_j,
        xor_energy_j=exclusive.energy_j if exclusive else None,
        write_energy_j=sum(write_energy(technology, bit).supply_j for bit in (0, 1)) / 2,
        sense_current_a=technology["read.current"] * (2 if technology.sensing.quantity == "current" else 1),
        write_current_a=max(technology["write.current_0"], technology["write.current_1"]),
        access_s=access_time(technology),
        cell_area_um2=technology["cell.area"] * (technology["process.feature_size"] * 1e6) ** 2,
    )


def machine_clock(machine: Machine, technology: Technology, clock_hz: float | None = None) -> MachineClock:
    """The clock of a machine whose arrays are of a technology, with lines of its own length.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    clock_hz : float, optional
        By default the fastest at which the machine's sense and write cycles are long enough.

    Raises
    ------
    SpinplaneError
        If a technology's arrays cannot be this machine: naming what it asks for, and what the technology allows, or the
        cycles and the clock that would do.
    """
    return electrical(with_lines_of(technology, machine)).clock(machine, clock_hz)


def with_lines_of(technology: Technology, machine: Machine) -> Technology:
    """The technology with bit and word lines as long as a machine's."""
    return technology.with_values({"bit_line.cells": machine.rows, "word_line.cells": machine.columns})
