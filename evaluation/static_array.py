"""Energy, time and area of an array of static cells in place of a technology's, with the same row operations."""

from spinplane.machine import Machine, MachineClock, Parameter, SpinplaneError, clock_text

from .memory.bank_area import BankShape, sram_area
from .memory.parameters import memory_parameters
from .memory_timing import access_time, timing_parameters
from .parameters import Known, shipped_parameters
from .sources import Figure, Sources, Values

#: Name of this array among technologies.
STATIC = "sram"
KNOWN: dict[str, Known] = {
    "static.lines": ("1", 0.5, 2.0),
    "static.swing": ("1", 1.0, 10.0),
    "static.slowdown": ("1", 1.0, 10.0),
}


def static_parameters() -> dict[str, Parameter]:
    """Those of ``static_array.toml``."""
    return shipped_parameters("static_array.toml", KNOWN)


def static_sources() -> Sources:
    """Parameters of the array's energy, time and area."""
    return Sources(
        None,
        {
            **static_parameters(),
            **timing_parameters(),
            **memory_parameters(),
        },
    )


def sense(values: Values, machine: Machine, *, rows: int) -> float:
    """Energy in J of sensing one row, or two at once, in all columns.

    One row makes one bit line of each pair fall until the amplifier decides. Two rows make either fall where one cell
    does: ``static.lines`` of a pair, by ``static.swing`` times as much, since one line alone is compared.

    Parameters
    ----------
    values : Values
    machine : Machine
    rows : {1, 2}
    """
    line = machine.rows * values["sram.bit_line_capacitance"]
    fall = line * values["sram.read_swing"] * values["bank.supply_voltage"]
    if rows == 2:
        fall *= values["static.lines"] * values["static.swing"]
    return machine.columns * (fall + values["sram.amplifier_energy"]) + rows * _word_line(values, machine)


def write(values: Values, machine: Machine) -> float:
    """Energy in J of writing a row: one bit line of each pair falls all the way."""
    line = machine.rows * values["sram.bit_line_capacitance"]
    return machine.columns * line * values["bank.supply_voltage"] ** 2 + _word_line(values, machine)


def leakage(values: Values, machine: Machine) -> float:
    """Power in W of the cells of a sub-array."""
    return machine.rows * machine.columns * values["sram.leakage"]


def area(values: Values, machine: Machine) -> float:
    """Area in m² of one array without its decoder, which is logic."""
    return sram_area(values, BankShape(words=machine.rows, width=machine.columns, reads=0))


def static_clock(machine: Machine, clock_hz: float | None = None) -> MachineClock:
    """The clock of a machine with such arrays, by default the fastest in whose cycles they sense and write.

    Raises
    ------
    SpinplaneError
        If the clock is too fast.
    """
    shortest = access(static_sources(), machine).value
    if shortest is None:
        raise SpinplaneError("the times of an array of static cells are not there")
    fastest = 1 / shortest
    if clock_hz is not None and clock_hz > fastest:
        raise SpinplaneError(
            f"machine {machine.name} at {clock_text(clock_hz)}: its arrays of static cells hold up to "
            f"{clock_text(fastest)}"
        )
    return MachineClock(
        technology=STATIC, clock_hz=fastest if clock_hz is None else clock_hz, fastest_hz=fastest
    )


def access(sources: Sources, machine: Machine) -> Figure:
    """Shortest period of the clock in s: a sense of two rows in its cycles, a write in its own."""
    bits = machine.rows * machine.columns

    def shortest(values: Values) -> float:
        once = access_time(values, bits)
        sensed = once * values["static.slowdown"]
        setup = values["memory_timing.setup"]
        return max((sensed + setup) / machine.sense_cycles, (once + setup) / machine.write_cycles)

    return sources.figure(shortest, unit="s", source="access of a bank of as many bits, slower with two rows")


def _word_line(values: Values, machine: Machine) -> float:
    capacitance = machine.columns * values["sram.word_line_capacitance"]
    return capacitance * values["bank.supply_voltage"] ** 2
