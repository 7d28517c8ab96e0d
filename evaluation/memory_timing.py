"""Times of a machine's memories at their ports, with what they are made of."""

from dataclasses import dataclass, fields

from spinplane.device import Technology, decisions
from spinplane.device.sensing import sense_time
from spinplane.device.wires import word_line_delay
from spinplane.machine import Machine, Parameter, SpinplaneError
from spinplane.machine.memory_times import MemoryTimes, TimesWithBounds

from .parameters import Known, shipped_parameters
from .sources import Figure, Sources, Values
from .technology_bounds import technology_bounds

_NAME = "memory_timing"
_SHORT, _LONG = 0.0, 1e-6
#: Keys of ``memory_timing.toml``.
KNOWN: dict[str, Known] = {
    "memory_timing.line_driver": ("ps", _SHORT, _LONG),
    "memory_timing.output": ("ps", _SHORT, _LONG),
    "memory_timing.setup": ("ps", _SHORT, _LONG),
    "memory_timing.bank_access": ("ns", _SHORT, _LONG),
    "memory_timing.bank_exponent": ("1", 0.0, 1.0),
    "memory_timing.pin_capacitance": ("fF", 0.0, 1e-12),
    "memory_timing.slew": ("ps", _SHORT, _LONG),
}
_REFERENCE_BITS = 8 * 1024 * 8


@dataclass(frozen=True, kw_only=True)
class MemoryFigures:
    """Times of memories at their ports, and what stands for the electrical side of a port.

    Parameters
    ----------
    sense, write : Figure
        From a step at the pin of an array's line until its sense is decided, until its write pulse is long enough.
    output : Figure
        From the edge at which a sense is decided to the array's output.
    setup : Figure
        Of all other inputs, before the edge that takes them.
    pin_capacitance, slew : Figure
        Of an input, and of an output.
    """

    sense: Figure
    write: Figure
    output: Figure
    setup: Figure
    pin_capacitance: Figure
    slew: Figure


def timing_parameters() -> dict[str, Parameter]:
    """Those of ``memory_timing.toml``."""
    return shipped_parameters(f"{_NAME}.toml", KNOWN)


def timing_sources(machine: Machine, technology: Technology) -> Sources:
    """Parameters of a technology whose lines are as long as a machine's, and those of this part.

    Their bounds are those of `technology_bounds`.
    """
    lines = {"bit_line.cells": machine.rows, "word_line.cells": machine.columns}
    technology = technology.with_values(lines)
    bounded, _ = technology_bounds(technology)
    return Sources(technology, timing_parameters()).with_parameters(bounded)


def memory_figures(sources: Sources) -> MemoryFigures:
    """Times of the memories that follow from parameters, see `timing_sources`."""

    def line(values: Values) -> float:
        return values["memory_timing.line_driver"] + word_line_delay(values.technology)

    def sense(values: Values) -> float:
        return line(values) + max(sense_time(values.technology, decision) for decision in decisions())

    def write(values: Values) -> float:
        return line(values) + values["write.pulse"]

    def own(key: str, unit: str) -> Figure:
        return sources.figure(
            lambda values: values[f"{_NAME}.{key}"], unit=unit, source="the parameter itself"
        )

    return MemoryFigures(
        sense=sources.figure(sense, unit="s", source="driver, word line, slowest of read, AND and OR"),
        write=sources.figure(write, unit="s", source="driver, word line, write pulse"),
        output=own("output", "s"),
        setup=own("setup", "s"),
        pin_capacitance=own("pin_capacitance", "F"),
        slew=own("slew", "s"),
    )


def bank_access(sources: Sources, bits: int) -> Figure:
    """Time in s from the edge that takes an address to the data, of a bank of so many bits."""
    return sources.figure(
        lambda values: access_time(values, bits),
        unit="s",
        source="access of 8 KiB times (size / 8 KiB)^exponent",
    )


def access_time(values: Values, bits: int) -> float:
    """Of a bank of so many bits, see `bank_access`."""
    growth = (bits / _REFERENCE_BITS) ** values[f"{_NAME}.bank_exponent"]
    return values[f"{_NAME}.bank_access"] * growth


def memory_times(machine: Machine, technology: Technology) -> TimesWithBounds:
    """Times of a machine's memories, for static timing.

    Raises
    ------
    SpinplaneError
        If a parameter is missing.
    """
    sources = timing_sources(machine, technology)
    figures = memory_figures(sources)
    known: dict[str, Figure] = {field.name: getattr(figures, field.name) for field in fields(figures)}
    known["bank access"] = bank_access(sources, _REFERENCE_BITS)
    for name, figure in known.items():
        if figure.value is None:
            raise SpinplaneError(f"no {name} of memories: {figure.missing} is missing")

    def times(end: str) -> MemoryTimes:
        at = {name: getattr(figure, end) for name, figure in known.items()}
        return MemoryTimes(
            technology=technology.name,
            sense_s=at["sense"],
            write_s=at["write"],
            output_s=at["output"],
            setup_s=at["setup"],
            bank_access_s=lambda bits: getattr(bank_access(sources, bits), end),
            pin_capacitance_f=at["pin_capacitance"],
            slew_s=at["slew"],
        )

    return TimesWithBounds(middle=times("value"), low=times("low"), high=times("high"))
