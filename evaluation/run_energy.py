"""Energy of a run, by category: how often each event happens times what it takes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from spinplane.device import Technology
from spinplane.machine import Machine, Parameter

from . import array_energy, logic_energy, static_array
from .array_energy import PERIOD
from .bank_energy import counted_banks
from .clock_ticks import STOPPED, TICKS
from .event_counts import HOST_WORDS, LOADED_WORDS
from .event_totals import EventTotals, Interval
from .events import energy_sources, machine_events
from .sources import Values

#: Flip-flops of a machine, a parameter like the others.
FLIP_FLOPS = "machine.flip_flops"

#: Events of each category; banks' words are a category by their group.
_EVENTS = {
    "row write and read": ("row_writes", "row_reads"),
    "AND": ("ands", "ors"),
    "bit-count": ("count",),
    "add": ("shift", "add"),
    "output stage": ("correction", "pooling", "batch_norm", "residual", "quantizer", "lookup", "output"),
    "control": (
        *("decode", "array_control", "row_path", "engine", "row_feed", "row_pair", "control"),
        *("input", "input_address", "bank_port", "bus"),
    ),
    "banks": (),
    "clock": ("clock", "stopped_clock"),
    "leakage": (),
    "host": (),
}
CATEGORIES = tuple(_EVENTS)
#: What a host writes once, in no total of an image.
LOAD = "load"
#: What the sub-arrays do to compute: the paper's convolution.
CORE = ("row write and read", "AND", "bit-count", "add")
#: Synthesis keeps this part of the flip-flops of the RTL, or more.
_KEPT = 0.9


class RunEnergy:
    """What runs of a machine with arrays of a technology take.

    Parameters
    ----------
    machine : Machine
    technology : Technology or None
        Of the arrays; None for arrays of static cells.
    clock_hz : float
    flip_flops : int
        Of the machine's RTL.
    without : sequence of str
        Keys of parameters that are not there: what rests on them is null.
    gated : bool
        Whether a clock gate a unit stops flip-flops, as often as `spinplane.evaluation.clock_ticks` says at least.
    images : int
        Of the runs whose events are counted: energies are those of an image, but for what is loaded once for all.
    """

    def __init__(
        self,
        machine: Machine,
        technology: Technology | None,
        *,
        clock_hz: float,
        flip_flops: int,
        without: Sequence[str] = (),
        gated: bool = False,
        images: int = 1,
    ) -> None:
        self._images = images
        number = Parameter(
            value=flip_flops,
            unit="1",
            mark="derived",
            source="bits of all registers of the RTL; synthesis removes those that never change",
            bounds=(_KEPT * flip_flops, flip_flops),
        )
        sources = energy_sources(machine, technology, clock_hz=clock_hz)
        self.sources = sources.with_parameters({FLIP_FLOPS: number}).without(without)
        self._names: list[str] = []
        self._counters: list[str] = []
        self._categories: list[str] = []
        functions: list[Callable[[Values], float]] = []
        held_functions: list[Callable[[Values], float]] = []

        def add(
            name: str,
            counter: str,
            category: str,
            function: Callable[[Values], float],
            held: Callable[[Values], float] | None = None,
        ) -> None:
            self._names.append(name)
            self._counters.append(counter)
            self._categories.append(category)
            functions.append(function)
            held_functions.append(held or function)

        of_event = {event: category for category, events in _EVENTS.items() for event in events}
        for event in machine_events(machine, technology, self.sources):
            category = "banks" if event.group == "banks" else of_event.get(event.name)
            for words, of_host in ((HOST_WORDS, "host"), (LOADED_WORDS, LOAD)):
                if event.name in words:
                    add(f"{event.name} by the host", words[event.name], of_host, event.function)
            # What has no counter is told for itself, or is a part of another event.
            if category is not None and event.counter:
                add(event.name, event.counter, category, event.function, event.held)
        if gated:
            add("clock", TICKS, "clock", partial(_ticking, flip_flops))
            add("stopped_clock", STOPPED, "clock", partial(_stopped, flip_flops))
        else:
            add("clock", "cycles", "clock", _clock)
        arrays = _arrays if technology else _static_arrays
        for name, power in (("banks", _banks), ("arrays", arrays), ("logic", _logic)):
            add(f"leakage of {name}", "cycles", "leakage", partial(_leakage, partial(power, machine)))
        self._stopped = EventTotals(self.sources, functions)
        self._held_functions = held_functions

    @property
    def events(self) -> dict[str, tuple[str, str]]:
        """Counter and category of each event that is counted."""
        return dict(zip(self._names, zip(self._counters, self._categories, strict=True), strict=True))

    def total(self, numbers: Mapping[str, int], categories: Sequence[str] = CATEGORIES) -> Interval:
        """Energy in J of some categories.

        Parameters
        ----------
        numbers : mapping of str to int
            See `event_counts`.
        categories : sequence of str
        """
        return self._stopped.of(self._often(numbers, categories))

    def held(self, numbers: Mapping[str, int]) -> Interval:
        """Energy in J of all categories with currents that flow for all cycles of a row operation."""
        return EventTotals(self.sources, self._held_functions).of(self._often(numbers, CATEGORIES))

    def by_category(self, numbers: Mapping[str, int]) -> dict[str, Interval]:
        """Energy in J of each category."""
        return {category: self.total(numbers, (category,)) for category in CATEGORIES}

    def _often(self, numbers: Mapping[str, int], categories: Sequence[str]) -> list[float]:
        return [
            numbers[counter] / (1 if category == LOAD else self._images) if category in categories else 0
            for counter, category in zip(self._counters, self._categories, strict=True)
        ]


def _clock(values: Values) -> float:
    """Energy in J of the clock of all flip-flops in a cycle."""
    return values[FLIP_FLOPS] * logic_energy.clock(values)


def _ticking(flip_flops: int, values: Values) -> float:
    """The same of one flip-flop, of those that synthesis keeps."""
    return _clock(values) / flip_flops


def _stopped(flip_flops: int, values: Values) -> float:
    """Of one whose clock stands still in a cycle: its part of a gate."""
    return values[FLIP_FLOPS] / flip_flops * logic_energy.gated_clock(values)


def _leakage(power: Callable[[Values], float], values: Values) -> float:
    """Energy in J that leaks in a cycle."""
    return power(values) * values[PERIOD]


def _banks(machine: Machine, values: Values) -> float:
    return sum(bank.leakage(values) for bank in counted_banks(machine).values())


def _arrays(machine: Machine, values: Values) -> float:
    return machine.sub_arrays * array_energy.leakage(values, machine)


def _static_arrays(machine: Machine, values: Values) -> float:
    return machine.sub_arrays * static_array.leakage(values, machine)


def _logic(_: Machine, values: Values) -> float:
    return values[FLIP_FLOPS] * logic_energy.leakage(values)
