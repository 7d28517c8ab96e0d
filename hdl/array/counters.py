"""Hardware counters: events of all sub-arrays, summed in registers."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from spinplane.machine import COUNTER_BITS, COUNTER_NAMES, Machine


def event_layout(machine: Machine) -> data.StructLayout:
    """What happens in a sub-array in one cycle: row operations, counts, and the accumulators that add one."""
    memory = {"row_read": 1, "or_": 1} if machine.memory_operations else {}
    return data.StructLayout(
        {
            "row_write": 1,
            **memory,
            "and_": 1,
            "bit_count": 1,
            "additions": bits_for(machine.segments),
            "stalled": 1,
        }
    )


COUNTERS = data.StructLayout(dict.fromkeys(COUNTER_NAMES, COUNTER_BITS))

_EVENT_OF = {
    "row_writes": "row_write",
    "row_reads": "row_read",
    "ands": "and_",
    "ors": "or_",
    "bit_counts": "bit_count",
    "shifts": "additions",
    "additions": "additions",
    "stalled": "stalled",
}


class Counters(wiring.Component):
    """Sums the events of all sub-arrays; the registers of `spinplane.machine.Counters`.

    Without ``memory_operations`` the counters of rows sensed alone and of ORs are 0.

    Latency: an event is in its counter 2 cycles later. Every counter wraps after 2^48 events.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    events : In(ArrayLayout(event_layout(machine), sub_arrays))
    busy : In(1)
        High in cycles that count.
    counters : Out(COUNTERS)
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        events = data.ArrayLayout(event_layout(machine), machine.sub_arrays)
        super().__init__({"events": In(events), "busy": In(1), "counters": Out(COUNTERS)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for event, _ in event_layout(self.machine):
            happened = [getattr(sub_array, event) for sub_array in self.events]
            total = Signal(bits_for(sum((1 << len(h)) - 1 for h in happened)), name=f"{event}_now")
            m.d.sync += total.eq(_balanced_sum(happened))
            for counter in (name for name, source in _EVENT_OF.items() if source == event):
                register = getattr(self.counters, counter)
                m.d.sync += register.eq(register + total)
        was_busy = Signal()
        m.d.sync += [was_busy.eq(self.busy), self.counters.cycles.eq(self.counters.cycles + was_busy)]
        return m


def _balanced_sum(values: list[Value]) -> Value:
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return _balanced_sum(values[:half]) + _balanced_sum(values[half:])
