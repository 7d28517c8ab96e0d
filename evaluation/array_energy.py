"""Energy of the array's row operations, from the supply: currents in the cells, lines that swing, amplifiers."""

from dataclasses import replace

from spinplane.device import Technology
from spinplane.device.energy import write_energy
from spinplane.device.exclusive import exclusive_sense
from spinplane.device.sensing import Decision, decisions, margin, sense_time
from spinplane.device.wires import access_time, write_line_voltage
from spinplane.machine import Machine, Parameter
from spinplane.machine.technology import shortest_period

from .memory.array_area import periphery_width
from .sources import Values

#: Key of the period of the clock.
PERIOD = "clock.period"


def of_machine(technology: Technology, machine: Machine) -> Technology:
    """The technology with lines as long as a machine's arrays have them."""
    lengths = {
        "bit_line.cells": (machine.rows, "rows of the machine"),
        "word_line.cells": (machine.columns, "columns of the machine"),
    }
    own = {
        key: Parameter(value=number, unit="1", mark="derived", source=source)
        for key, (number, source) in lengths.items()
    }
    return replace(technology, parameters={**technology.parameters, **own})


def period(values: Values, machine: Machine) -> float:
    """The shortest period in s in whose cycles the arrays sense and write, unless one is given."""
    if PERIOD in values:
        return values[PERIOD]
    technology = values.technology
    access = access_time(technology)
    sense = access + max(sense_time(technology, decision) for decision in decisions())
    return shortest_period(machine, sense, access + technology["write.pulse"])


def sense(values: Values, machine: Machine, operation: str, *, held: bool = False) -> float:
    """Energy in J of sensing one row, or two at once, in all columns.

    Parameters
    ----------
    values : Values
    machine : Machine
    operation : {"read", "and", "or"}
    held : bool
        The read current flows for all cycles of the operation, and not until the decision alone.
    """
    technology = values.technology
    decision = next(one for one in decisions() if one.operation == operation)
    found = margin(technology, decision)
    column = found.energy_j
    if held:
        column += _more(values, machine, decision, found.time_s)
    return machine.columns * column + decision.cells * word_line(technology, machine)


def exclusive(values: Values, machine: Machine) -> float:
    """Energy in J of an XOR of two rows in one access, of a technology with two amplifiers a bit line."""
    technology = values.technology
    return machine.columns * exclusive_sense(technology).energy_j + 2 * word_line(technology, machine)


def write(values: Values, machine: Machine, *, held: bool = False) -> float:
    """Energy in J of writing a row, half of it 1, each cell holding the other bit before.

    Parameters
    ----------
    values : Values
    machine : Machine
    held : bool
        The write current flows for all cycles of the pulse, and not for the cell's pulse alone.
    """
    technology = values.technology
    pulse = technology["write.pulse"]
    if held:
        pulse = max(pulse, machine.write_cycles * period(values, machine))
    cells = sum(write_energy(technology, bit, pulse=pulse).supply_j for bit in (0, 1)) / 2
    supply = technology["process.supply_voltage"]
    line = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    swing = sum(write_line_voltage(technology, bit) for bit in (0, 1)) / 2
    return machine.columns * (cells + line * swing * supply) + word_line(technology, machine)


def write_in_cells(values: Values, machine: Machine) -> float:
    """Of writing a row, the energy in J that becomes heat in the cells: with a supply of just the voltage they need."""
    technology = values.technology
    return machine.columns * sum(write_energy(technology, bit).cell_j for bit in (0, 1)) / 2


def leakage(values: Values, machine: Machine) -> float:
    """Power in W that leaks in what stands around the cells of a sub-array; its decoder is logic."""
    sensing = values.technology.sensing.quantity
    width = periphery_width(values, machine.rows, machine.columns, sensing)
    return width * values["logic.leakage_per_width"]


def word_line(technology: Technology, machine: Machine) -> float:
    """Energy in J of a word line that rises and falls."""
    capacitance = machine.columns * technology["word_line.capacitance_per_cell"]
    return capacitance * technology["process.supply_voltage"] ** 2


def _more(values: Values, machine: Machine, decision: Decision, time_s: float) -> float:
    """Energy in J that a bit line takes from the decision to the end of the sense's last cycle."""
    technology = values.technology
    rest = max(0.0, machine.sense_cycles * period(values, machine) - time_s)
    cells = decision.cells if technology.sensing.quantity == "current" else 1
    return cells * technology["read.current"] * technology["process.supply_voltage"] * rest
