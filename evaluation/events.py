"""What each event of a machine takes: energies of the array, of logic, of banks and of the clock, with bounds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from spinplane.device import Technology, load_technology, machine_clock
from spinplane.machine import Machine, Parameter
from spinplane.machine.memory_map import BankSize, MemoryMap

from . import array_energy, logic_energy, static_array
from .array_energy import PERIOD
from .bank_energy import SramBank, SttBank, counted_banks
from .energy_report import EnergyReport, EventEnergy
from .memory.parameters import memory_parameters
from .parameters import shipped_parameters
from .published import with_published
from .sources import Sources, Values
from .technology_bounds import technology_bounds

#: Technology of the banks that could be MRAM.
_STT = "stt-mram"
#: Counters by the words of each bank that they count: reads and writes.
_BANK_COUNTERS = {
    "image": ("image_reads", "image_writes"),
    "kernel": ("kernel_reads", ""),
    "parameters": ("parameter_words", ""),
    "scales": ("scale_words", ""),
    "thresholds": ("threshold_words", ""),
    "program": ("program_words", ""),
    "pool": ("pool_reads", "pool_writes"),
    "log": ("", "descriptors"),
}
_GROUPS = ("array", "logic", "banks", "clock", "leakage", "beside")
#: Words and widths of banks that are there for comparison alone.
_BESIDE = ((2048, 256), (1024, 64))


def energy_sources(
    machine: Machine, technology: Technology | None, *, clock_hz: float | None = None
) -> Sources:
    """All parameters from which energies of events follow.

    Parameters
    ----------
    machine : Machine
    technology : Technology or None
        Of the arrays; None for arrays of static cells.
    clock_hz : float, optional
        By default the fastest clock in whose cycles the arrays sense and write, which follows from other parameters.

    Raises
    ------
    SpinplaneError
        If arrays cannot be sensed or written.
    """
    own = {
        **memory_parameters(),
        **shipped_parameters("logic.toml", logic_energy.ASSUMED),
        **shipped_parameters("logic45.toml", logic_energy.KNOWN),
    }
    if clock_hz is not None:
        own[PERIOD] = Parameter(value=1e9 / clock_hz, unit="ns", mark="assumed", source="given by the user")
    if technology is None:
        return Sources(None, {**own, **static_array.static_parameters()})
    of_machine = array_energy.of_machine(technology, machine)
    return Sources(of_machine, own).with_parameters(technology_bounds(of_machine)[0])


def event_energies(
    machine: Machine,
    technology: Technology,
    *,
    clock_hz: float | None = None,
    sources: Sources | None = None,
) -> EnergyReport:
    """Energies of a machine's events.

    Parameters
    ----------
    machine : Machine
    technology : Technology
        Of the arrays.
    clock_hz : float, optional
        See `energy_sources`.
    sources : Sources, optional
        In place of `energy_sources`.

    Raises
    ------
    SpinplaneError
        As of `spinplane.device.machine_clock`: if arrays of the technology cannot be those of the machine, or the clock
        is too fast for its cycles.
    """
    clock = machine_clock(machine, technology, clock_hz)
    sources = sources or energy_sources(machine, technology, clock_hz=clock_hz)
    events = sorted(
        machine_events(machine, technology, sources), key=lambda event: _GROUPS.index(event.group)
    )
    return EnergyReport(
        machine=machine.name,
        technology=technology.name,
        clock=clock,
        cuts=technology_bounds(array_energy.of_machine(technology, machine))[1],
        period=sources.figure(
            lambda values: array_energy.period(values, machine),
            unit="s",
            source="decoder, word line, and sense or write in their cycles",
        ),
        events=tuple(with_published(event.energy()) for event in events),
    )


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event, and what it takes as a function of parameters.

    Parameters
    ----------
    group, name, counter : str
        As in `EventEnergy`.
    function : callable
        From `Values` to J, or to W of what leaks.
    held : callable, optional
        The same with currents that flow for all cycles of the operation.
    source : str
    unit : {"J", "W"}
    sources : Sources
        With its parameters.
    """

    group: str
    name: str
    function: Callable[[Values], float]
    source: str
    sources: Sources
    counter: str = ""
    held: Callable[[Values], float] | None = None
    unit: str = "J"

    def energy(self) -> EventEnergy:
        """Its figures."""
        return EventEnergy(
            group=self.group,
            name=self.name,
            counter=self.counter,
            energy=self.sources.figure(self.function, unit=self.unit, source=self.source),
            held=self.sources.figure(self.held, unit=self.unit, source=self.source) if self.held else None,
        )


def machine_events(machine: Machine, technology: Technology | None, sources: Sources) -> Iterator[Event]:
    """The events of a machine.

    Parameters
    ----------
    machine : Machine
    technology : Technology or None
        Of the arrays; None for arrays of static cells.
    sources : Sources
        See `energy_sources`.
    """
    if technology is None:
        yield from _static_array(sources, machine)
    else:
        yield from _array(sources, machine, technology)
    yield from _logic(sources, machine)
    yield from _banks(sources, machine)
    yield from _clock(sources)
    yield from _leaks(sources, machine, static=technology is None)
    yield from _beside(sources)


def _array(sources: Sources, machine: Machine, technology: Technology) -> Iterator[Event]:
    lines = f"{machine.columns} bit lines: read current from the supply, amplifier; word lines"
    for counter, operation in (("row_reads", "read"), ("ands", "and"), ("ors", "or")):
        sense = partial(_sense, operation, machine)
        yield Event(
            group="array",
            name=counter,
            counter=counter,
            function=sense,
            held=partial(sense, held=True),
            source=lines,
            sources=sources,
        )
    if technology.sensing.amplifiers == 2:
        yield Event(
            group="array",
            name="xors",
            function=lambda values: array_energy.exclusive(values, machine),
            source=f"{lines}; both amplifiers; an event of an AND and of an OR, in place of theirs",
            sources=sources,
        )
    yield Event(
        group="array",
        name="row_writes",
        counter="row_writes",
        function=lambda values: array_energy.write(values, machine),
        held=lambda values: array_energy.write(values, machine, held=True),
        source=f"{machine.columns} cells that turn: write current from the supply; write bit lines, word line",
        sources=sources,
    )
    yield Event(
        group="array",
        name="row_writes, in the cells alone",
        function=lambda values: array_energy.write_in_cells(values, machine),
        source="heat in the cells: what a supply of just their voltage would give",
        sources=sources,
    )
    yield Event(
        group="array",
        name="word line",
        function=lambda values: array_energy.word_line(values.technology, machine),
        source="C·V² of its gates and its wire; in row operations already",
        sources=sources,
    )


def _static_array(sources: Sources, machine: Machine) -> Iterator[Event]:
    lines = f"{machine.columns} pairs of bit lines, amplifiers, word lines"
    for counter, rows in (("row_reads", 1), ("ands", 2), ("ors", 2)):
        yield Event(
            group="array",
            name=counter,
            counter=counter,
            function=partial(static_array.sense, machine=machine, rows=rows),
            source=lines,
            sources=sources,
        )
    yield Event(
        group="array",
        name="row_writes",
        counter="row_writes",
        function=partial(static_array.write, machine=machine),
        source=lines,
        sources=sources,
    )


def _sense(operation: str, machine: Machine, values: Values, *, held: bool = False) -> float:
    return array_energy.sense(values, machine, operation, held=held)


def _logic(sources: Sources, machine: Machine) -> Iterator[Event]:
    for event in logic_energy.EVENTS:
        yield Event(
            group="logic",
            name=event.name,
            counter=event.per,
            function=partial(logic_energy.energy, machine=machine, event=event),
            source=f"toggles of {', '.join(event.modules)}"
            + (f"; proportional to {event.size.name}" if event.size.name else ""),
            sources=sources,
        )


def _banks(sources: Sources, machine: Machine) -> Iterator[Event]:
    for name, bank in counted_banks(machine).items():
        yield from _bank(sources, f"{name} bank", bank.size, bank, _BANK_COUNTERS[name])
    size = MemoryMap.of(machine).kernel
    stt = load_technology(_STT)
    for_stt = sources.with_technology(stt, technology_bounds(stt)[0])
    yield from _bank(for_stt, f"kernel bank of {_STT}", size, SttBank(size=size), ("", ""))


def _bank(
    sources: Sources, name: str, size: BankSize, bank: SramBank | SttBank, counters: tuple[str, str]
) -> Iterator[Event]:
    what = f"{size.words:,} words of {size.width} bits: cells, lines, amplifiers, wires"
    for verb, function, counter in zip(("read", "write"), (bank.read, bank.write), counters, strict=True):
        yield Event(
            group="banks",
            name=f"{name}, {verb}",
            counter=counter,
            function=function,
            source=what,
            sources=sources,
        )
    if isinstance(bank, SramBank):
        yield Event(
            group="leakage",
            name=name,
            function=bank.leakage,
            unit="W",
            source=f"{size.bits:,} cells",
            sources=sources,
        )


def _beside(sources: Sources) -> Iterator[Event]:
    """Banks of no machine, of the sizes for which others publish figures."""
    for words, width in _BESIDE:
        size = BankSize(words=words, width=width)
        for event in _bank(
            sources, f"{size.size >> 10} KiB of {width} bits", size, SramBank(size=size, reads=0), ("", "")
        ):
            if event.group == "banks":
                yield replace(event, group="beside")


def _clock(sources: Sources) -> Iterator[Event]:
    functions: Mapping[str, tuple[Callable[[Values], float], str]] = {
        "flip-flop, clock on": (logic_energy.clock, "both edges at its pin, its part of the tree"),
        "flip-flop, clock off": (logic_energy.gated_clock, "its part of a clock gate"),
    }
    for name, (function, source) in functions.items():
        yield Event(
            group="clock",
            name=name,
            counter="cycles",
            function=function,
            source=f"{source}; for each flip-flop and cycle",
            sources=sources,
        )


def _leaks(sources: Sources, machine: Machine, *, static: bool) -> Iterator[Event]:
    """What leaks beside banks."""
    array: tuple[Callable[[Values], float], str] = (
        partial(array_energy.leakage, machine=machine),
        "transistors of a sub-array around its cells, which leak nothing in standby",
    )
    if static:
        array = (partial(static_array.leakage, machine=machine), "cells of a sub-array")
    powers: Mapping[str, tuple[Callable[[Values], float], str]] = {
        "array": array,
        "logic, with each flip-flop": (logic_energy.leakage, "its area and that of the gates around it"),
    }
    for name, (function, source) in powers.items():
        yield Event(group="leakage", name=name, function=function, unit="W", source=source, sources=sources)
