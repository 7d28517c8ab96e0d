"""Energies of one bit line in one operation: what its cells turn into heat, and what the supply gives for that."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .sensing import Decision, margin, read_voltage
from .technology import Technology
from .write import write_path_voltage


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Energy of one bit line in one operation, in J.

    Parameters
    ----------
    cell_j : float
        In the cells, their transistors and the bit line.
    supply_j : float
        From the supply: its voltage times the same charge, and the sense amplifier.
    """

    cell_j: float
    supply_j: float


def write_energy(technology: Technology, bit: int, *, pulse: float | None = None) -> Energy:
    """Energy of one write pulse in a cell that holds the other bit and keeps its resistance.

    A current of either sign comes from the one supply: a negative rail is a pump without a loss of its own.

    Parameters
    ----------
    technology : Technology
    bit : {0, 1}
    pulse : float, optional
        In s; the technology's if not given.

    Raises
    ------
    SpinplaneError
        If the cell needs more than the supply.
    """
    charge = technology[f"write.current_{bit}"] * (technology["write.pulse"] if pulse is None else pulse)
    voltage = write_path_voltage(technology, bit == 0, technology[f"write.current_{bit}"])
    supply = technology["process.supply_voltage"]
    if voltage > supply:
        raise SpinplaneError(
            f"{technology.name}: write.current_{bit} = {technology[f'write.current_{bit}'] * 1e6:g} µA: the cell needs "
            f"{voltage:.2f} V, the supply has {supply:g} V"
        )
    return Energy(cell_j=charge * voltage, supply_j=charge * supply)


def sense_energy(technology: Technology, decision: Decision) -> Energy:
    """Energy of one decision, the read current held until then and the bit line charged from 0.

    In the cells it is that of the lowest 1; of a bit line whose current is sensed, that of parallel cells all the time.

    Raises
    ------
    SpinplaneError
        If the decision cannot be sensed.
    """
    found = margin(technology, decision)
    if technology.sensing.quantity == "current":
        power = read_voltage(technology) * technology["read.current"] * decision.cells
        return Energy(cell_j=power * found.time_s, supply_j=found.energy_j)
    capacitance = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    constant = found.high_v / technology["read.current"] * capacitance
    # ∫ V·(1 − exp(−t/RC)) dt: the voltage of the lowest 1, until the decision.
    volt_seconds = found.high_v * (found.time_s + constant * float(np.expm1(-found.time_s / constant)))
    return Energy(cell_j=technology["read.current"] * volt_seconds, supply_j=found.energy_j)
