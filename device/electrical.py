"""A technology's electrical contract, as `spinplane.machine.Electrical` states it."""

from spinplane.machine import Electrical, Machine, check_write_overlap

from .biasing import write_overlap
from .sensing import decisions, margin
from .technology import Technology
from .write import write_path_voltage


def write_energy(technology: Technology, bit: int) -> float:
    """Energy in J of one write pulse in one cell that holds the other bit and keeps its resistance."""
    current = technology[f"write.current_{bit}"]
    return current * write_path_voltage(technology, bit == 0, current) * technology["write.pulse"]


def electrical(technology: Technology) -> Electrical:
    """Times, energies and ports of a technology's array.

    The sense time is the slowest of read, AND and OR; the write energy is the mean of the two bits.

    Raises
    ------
    SpinplaneError
        If an operation cannot be sensed.
    """
    margins = {decision.operation: margin(technology, decision) for decision in decisions()}
    overlap = write_overlap(technology)
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
        write_energy_j=(write_energy(technology, 0) + write_energy(technology, 1)) / 2,
        cell_area_um2=technology["cell.area"] * (technology["process.feature_size"] * 1e6) ** 2,
    )


def check_machine(machine: Machine, technology: Technology, clock_s: float | None = None) -> None:
    """Refuse a machine that a technology's arrays cannot be.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    clock_s : float, optional
        Period of the clock in s; without it pulses and bit lines are not looked at.

    Raises
    ------
    SpinplaneError
        Naming the key of the machine, its value and what the technology allows.
    """
    check_write_overlap(machine, technology.name, write_overlap(technology))
    if clock_s is not None:
        electrical(technology).check(machine, clock_s)
