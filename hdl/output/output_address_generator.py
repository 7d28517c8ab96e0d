"""Output address generator: the bit address of each beat that is written or read in a map of outputs."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for

from ..common.serial_multiplier import SerialMultiplier
from ..common.verilog import place
from .arithmetic import wire
from .turn import ENDS

_COUNT_BITS = 16
_STEP_BITS = 24


def map_steps_layout() -> data.StructLayout:
    """Where the first beat lies, the bits to the next region line, region column and channel beat, and how many region
    lines and columns a cluster has, less one.
    """
    return data.StructLayout(
        {
            "base": 32,
            "first_bit": 16,
            "line_bits": _STEP_BITS,
            "pixel_bits": _STEP_BITS,
            "beat_bits": 16,
            "last_row": _COUNT_BITS,
            "last_column": _COUNT_BITS,
        }
    )


def map_address_bits(machine: Machine) -> int:
    """One bit more than an address in the image bank takes: it says that an address lies beyond them all, and stays."""
    return bits_for(machine.image_words * machine.columns - 1) + 1


class OutputAddressGenerator(wiring.Component):
    """base + first_bit + oy · line_bits + ox · pixel_bits + channel beat · beat_bits, beat after beat.

    It adds to saved positions. The distance of neighbouring clusters, which is that of all region columns or lines of
    one, is multiplied out behind `start`.

    Latency: the address of the first beat is there 1 cycle after `start`, those of other clusters 12 cycles after it.
    Throughput: one beat a cycle.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    steps : In(map_steps_layout())
        Held constant from `start` until the last beat.
    start : In(1)
        Begins a pass, also in the middle of one.
    next : In(1)
        On to the next beat.
    ends : In(ENDS)
        The loops that this beat ends.
    address : Out(map_address_bits(machine))
        Of this beat.
    """

    steps: data.View
    start: Signal
    next: Signal
    ends: data.View
    address: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "steps": In(map_steps_layout()),
                "start": In(1),
                "next": In(1),
                "ends": In(ENDS),
                "address": Out(map_address_bits(machine)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        steps, ends = self.steps, self.ends
        cluster_pixels, cluster_lines = self._cluster_steps(m, platform)

        def position(name: str) -> Signal:
            return Signal.like(self.address, name=name, reset_less=True)

        # Of the region's row, of the region, of the clusters' line, of the cluster.
        row, region, line, cluster = (position(name) for name in ("row", "region", "line", "cluster"))
        leaves_region, leaves_row = ends.window, ends.window & ends.column
        leaves_line = ends.line & ~ends.kernel_tile
        origin = wire(
            m, "origin", Mux(leaves_row, row, Mux(leaves_region, region, Mux(leaves_line, line, cluster)))
        )
        distance = wire(
            m,
            "distance",
            Mux(
                leaves_row,
                self._narrow(steps.line_bits),
                Mux(
                    leaves_region,
                    self._narrow(steps.pixel_bits),
                    Mux(leaves_line, cluster_lines, cluster_pixels),
                ),
            ),
        )
        moved = wire(m, "moved", self._add(origin, distance))
        with m.If(self.start):
            base = self._narrow(steps.base)
            m.d.sync += [place_.eq(base) for place_ in (row, region, line, cluster)]
        with m.Elif(self.next & ends.cluster):
            m.d.sync += cluster.eq(Mux(ends.kernel_tile & ~ends.window, region, moved))
            with m.If(ends.kernel_tile):
                m.d.sync += line.eq(Mux(ends.window, moved, region))
            with m.Elif(ends.line):
                m.d.sync += line.eq(moved)
            with m.If(ends.window):
                m.d.sync += region.eq(moved)
                with m.If(ends.column):
                    m.d.sync += row.eq(moved)

        # Every cluster of a kernel tile begins at the kernel tile's first channel.
        beat, kernel_tile = position("beat"), position("kernel_tile")
        following = wire(m, "following", self._add(beat, self._narrow(steps.beat_bits)))
        first = self._narrow(steps.first_bit)
        with m.If(self.start | (self.next & ends.window)):
            m.d.sync += [beat.eq(first), kernel_tile.eq(first)]
        with m.Elif(self.next & ends.kernel_tile):
            m.d.sync += [beat.eq(following), kernel_tile.eq(following)]
        with m.Elif(self.next):
            m.d.sync += beat.eq(Mux(ends.cluster, kernel_tile, following))
        m.d.comb += self.address.eq(self._add(cluster, beat))
        return m

    def _cluster_steps(self, m: Module, platform: object) -> tuple[Value, Value]:
        """Bits from a cluster to the next one in its line, and from a line of clusters to the next: a product after
        the other.
        """
        if self.machine.row_buses == 1:
            return Signal.like(self.address, name="no_step"), Signal.like(self.address, name="no_line_step")
        steps = self.steps
        product = place(m, platform, "cluster_step", SerialMultiplier(_COUNT_BITS, _STEP_BITS))
        cycle = Signal(range(2 * product.latency + 2))
        lines = cycle == product.latency
        pixels, of_line = (
            Signal.like(self.address, name=name, reset_less=True)
            for name in ("cluster_pixels", "cluster_lines")
        )
        m.d.comb += [
            product.start.eq(self.start | lines),
            product.last_step.eq(Mux(lines, steps.last_row, steps.last_column)),
            product.step.eq(Mux(lines, steps.line_bits, steps.pixel_bits)),
        ]
        with m.If(self.start):
            m.d.sync += cycle.eq(1)
        with m.Elif(cycle != 0):
            m.d.sync += cycle.eq(Mux(cycle == 2 * product.latency, 0, cycle + 1))
        with m.If(lines):
            m.d.sync += pixels.eq(self._narrow(product.product))
        with m.If(cycle == 2 * product.latency):
            m.d.sync += of_line.eq(self._narrow(product.product))
        return pixels, of_line

    def _narrow(self, number: Value) -> Value:
        """An unsigned number in the bits of an address, whose highest bit says that it is too large."""
        bits = len(self.address) - 1
        value = Value.cast(number)
        return Cat(value[:bits], *([0] * (bits - len(value))), value[bits:].any())

    def _add(self, first: Value, second: Value) -> Value:
        bits = len(self.address) - 1
        total = first[:bits] + second[:bits]
        return Cat(total[:bits], total[bits] | first[bits] | second[bits])
