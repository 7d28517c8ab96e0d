"""Cluster steps: the distances of neighbouring clusters in the maps that the output stage reads and writes."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine

from ..common.serial_multiplier import SerialMultiplier
from ..common.verilog import place
from .map_address import STEP_BITS, map_address_bits, map_steps_layout, narrowed

_COUNT_BITS = 16
#: Parameters of the multiplier of counts and steps.
CLUSTER_PRODUCT = {"count_bits": _COUNT_BITS, "step_bits": STEP_BITS, "bits_a_cycle": 6}
#: Maps: that of the residual operand, which is needed first, and that of the output.
MAPS = 2
#: Cycles from a start until all steps are there.
CLUSTER_STEPS_CYCLES = 8 * MAPS + 1


def cluster_steps_layout(machine: Machine) -> data.StructLayout:
    """From a cluster to the next one in its line, and from a line of clusters to the next."""
    bits = map_address_bits(machine)
    return data.StructLayout({"pixels": bits, "lines": bits})


class ClusterSteps(wiring.Component):
    """region_columns · pixel_bits and region_rows · line_bits of each map, a product after the other.

    Latency: the steps of map k are there 8·(k + 1) + 1 cycles after `start`, and stay until the next one.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    start : In(1)
    last_row, last_column : In(16)
        Region rows and columns of a cluster, less one. With `maps` held constant until the last product is there.
    maps : In(ArrayLayout(map_steps_layout(), 2))
    steps : Out(ArrayLayout(cluster_steps_layout(machine), 2))
    active : Out(1)
        While it is low no flip-flop changes.
    """

    start: Signal
    last_row: Signal
    last_column: Signal
    maps: data.View
    steps: data.View
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "start": In(1),
                "last_row": In(_COUNT_BITS),
                "last_column": In(_COUNT_BITS),
                "maps": In(data.ArrayLayout(map_steps_layout(), MAPS)),
                "steps": Out(data.ArrayLayout(cluster_steps_layout(machine), MAPS)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = place(m, platform, "serial_multiplier", SerialMultiplier(**CLUSTER_PRODUCT))
        assert 1 + 2 * MAPS * product.latency == CLUSTER_STEPS_CYCLES
        number = Signal(range(2 * MAPS))
        cycle = Signal(range(product.latency))
        works = Signal()
        ends = cycle == product.latency - 1
        is_last = number == 2 * MAPS - 1
        following = Signal.like(number)
        m.d.comb += [
            following.eq(Mux(self.start, 0, number + 1)),
            product.start.eq(self.start | (works & ends & ~is_last)),
            product.last_step.eq(Mux(following[0], self.last_row, self.last_column)),
            product.step.eq(
                Array(bits for one in self.maps for bits in (one.pixel_bits, one.line_bits))[following]
            ),
            self.active.eq(self.start | works),
        ]
        with m.If(self.start):
            m.d.sync += [works.eq(1), number.eq(0), cycle.eq(0)]
        with m.Elif(works):
            m.d.sync += cycle.eq(Mux(ends, 0, cycle + 1))
            with m.If(ends):
                m.d.sync += [number.eq(following), works.eq(~is_last)]
        found = narrowed(product.product, map_address_bits(self.machine))
        for index, map_steps in enumerate(self.steps):
            for direction, name in enumerate(("pixels", "lines")):
                step = Signal.like(map_steps[name], name=f"{name}_{index}", reset_less=True)
                with m.If(works & ends & (number == 2 * index + direction)):
                    m.d.sync += step.eq(found)
                m.d.comb += map_steps[name].eq(step)
        return m
