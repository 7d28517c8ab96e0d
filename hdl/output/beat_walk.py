"""Beat walk: the next beat of the next window, where it stands, and when it can be taken."""

from typing import NamedTuple

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value, ValueLike, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for

from ..common.descriptor import DESCRIPTOR
from .arithmetic import wire
from .turn import ENDS

_MOST_CLUSTERS = 8
_INDEX_BITS = 20
#: Of places of beats, as many as there are words of parameters, and more.
_PLACE_BITS = 17
_WINDOW_BITS = 25


def position_layout(machine: Machine) -> data.StructLayout:
    """Where a beat stands.

    ``counts``: its window is one of the map; ``seen``: an earlier one of the region was; ``outer``: it is the
    region's last; ``written``: and the region yields an output, in which the beat exists. ``pool`` is the beat's
    place in its window and ``word`` its word of parameters, as far as there is room. ``ends`` are the loops that the
    beat ends, ``ends_pass`` all.
    """
    return data.StructLayout(
        {
            "cluster": 3,
            "counts": 1,
            "seen": 1,
            "outer": 1,
            "written": 1,
            "ends": ENDS,
            "ends_pass": 1,
            "pool": bits_for(machine.pool_beats),
            "word": bits_for(machine.parameter_beats),
        }
    )


class _Moves(NamedTuple):
    """When a place along one side of the map moves; the first of those that come together counts.

    ``next_region`` begins the region behind, the one at the base where ``from_base`` is set.
    """

    from_base: Value
    next_region: Value
    first_cluster: Value
    next_cluster: Value


class BeatWalk(wiring.Component):
    """Walks region rows, region columns, windows of a region, kernel tiles, clusters and beats, innermost last.

    An inner beat takes 1 cycle, an outer one ``interval`` cycles.

    Latency: `ready` from `LATENCY` = 12 cycles after `start` on, when all that is multiplied out is there; then as the
    intervals have it.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from `start` until the last beat was taken.
    start : In(1)
        Begins a pass, also in the middle of one.
    ready : Out(1)
        `position` is that of the next beat, which can be taken.
    take : In(1)
        The beat is taken; only while `ready` is high.
    position : Out(position_layout(machine))
    active : Out(1)
        While it is low no flip-flop changes.
    """

    LATENCY = 12

    layer: data.View
    start: Signal
    ready: Signal
    take: Signal
    position: data.View
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "ready": Out(1),
                "take": In(1),
                "position": Out(position_layout(machine)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, position = self.layer, self.position
        self._count(m)
        waits = self._pace(m)
        at_last, ends = self._at_last, self._ends

        columns, rows = layer.region_columns, layer.region_rows
        window = signed(_WINDOW_BITS)
        line = ends["beat"] & self._ends_line
        along_x = _Moves(self.start | at_last["column"], ends["y"], line, ends["beat"])
        along_y = _Moves(self.start, ends["column"], ends["cluster"], line)
        out_x = self._place(m, "out_x", _INDEX_BITS, 0, 1, columns + 1, along_x)
        out_y = self._place(m, "out_y", _INDEX_BITS, 0, 1, rows + 1, along_y)
        # Slow, but held: no cluster but the first one is met before.
        across, down = (
            Signal(_INDEX_BITS, name=f"cluster_stride_{side}", reset_less=True) for side in ("x", "y")
        )
        with m.If(waits):
            m.d.sync += [
                across.eq(layer.stride_x * (columns + 1)),
                down.eq(layer.stride_y * (rows + 1)),
            ]
        window_x = self._place(m, "window_x", window, layer.first_window_x, layer.stride_x, across, along_x)
        window_y = self._place(m, "window_y", window, layer.first_window_y, layer.stride_y, down, along_y)

        x, y = window_x + self._counters["x"], window_y + self._counters["y"]
        cluster = self._counters["cluster"]
        seen = Signal(_MOST_CLUSTERS)
        m.d.comb += [
            position.cluster.eq(cluster),
            position.counts.eq((x >= 0) & (x < layer.windows_x) & (y >= 0) & (y < layer.windows_y)),
            position.seen.eq(seen.bit_select(cluster, 1)),
            position.outer.eq(at_last["x"] & at_last["y"]),
            position.written.eq(
                position.outer & (out_x < layer.out_width) & (out_y < layer.out_height) & self._exists(m)
            ),
            position.ends.slots.eq(self._last_slot),
            position.ends.cluster.eq(at_last["beat"]),
            position.ends.line.eq(at_last["beat"] & self._ends_line),
            position.ends.kernel_tile.eq(at_last["beat"] & at_last["cluster"]),
            position.ends.window.eq(position.ends.kernel_tile & at_last["kernel_tile"]),
            position.ends.column.eq(position.ends.window & at_last["column"]),
            position.ends_pass.eq(position.ends.column & position.outer & at_last["row"]),
            position.word.eq(self._word(m)),
        ]
        with m.If(self.start):
            m.d.sync += seen.eq(0)
        with m.Elif(ends["beat"] & at_last["kernel_tile"]):
            m.d.sync += seen.bit_select(cluster, 1).eq(~position.outer & (position.seen | position.counts))

        pool = Signal.like(position.pool, name="pool")
        m.d.comb += position.pool.eq(pool)
        with m.If(self.start | ends["kernel_tile"]):
            m.d.sync += pool.eq(0)
        with m.Elif(self.take & (pool != self.machine.pool_beats)):
            m.d.sync += pool.eq(pool + 1)
        return m

    def _count(self, m: Module) -> None:
        """Counters of the loops, innermost first: whether each is at its last, and when one ends."""
        layer = self.layer
        kernel_tile_at_last = Signal()
        limits = {
            "beat": layer.beats,
            "cluster": (1 << layer.log_clusters) - 1,
            "kernel_tile": layer.kernel_tiles,
            "x": layer.region_width,
            "y": layer.region_height,
            "column": layer.region_columns,
            "row": layer.region_rows,
        }
        self._counters: dict[str, Signal] = {}
        self._at_last: dict[str, Signal] = {}
        self._ends: dict[str, Signal] = {}
        steps: Value = self.take
        for name, limit in limits.items():
            bits = 3 if name == "cluster" else len(Value.cast(limit))
            counter = self._counters[name] = Signal(bits, name=name)
            at_last = self._at_last[name] = Signal(name=f"{name}_at_last")
            ends = self._ends[name] = Signal(name=f"{name}_ends")
            m.d.comb += [at_last.eq(counter == limit), ends.eq(steps & at_last)]
            if name == "beat":
                is_last = counter == layer.last_beats
                m.d.comb += at_last.eq(Mux(kernel_tile_at_last, is_last, counter == limit))
            with m.If(self.start):
                m.d.sync += counter.eq(0)
            with m.Elif(steps):
                m.d.sync += counter.eq(Mux(at_last, 0, counter + 1))
            steps = ends
        m.d.comb += kernel_tile_at_last.eq(self._at_last["kernel_tile"])
        others = Mux(layer.spread, (1 << layer.log_slots) - 1, 0)
        self._last_slot = wire(m, "last_slot", (self._counters["beat"] & others) == others)
        last_in_line = (1 << layer.log_clusters_x) - 1
        self._ends_line = wire(m, "ends_line", (self._counters["cluster"] & last_in_line) == last_in_line)

    def _pace(self, m: Module) -> Value:
        """When the next beat can be taken; returns whether that is still to come."""
        walking = Signal()
        waited = Signal()
        wait, next_wait = (Signal.like(self.layer.interval, name=name) for name in ("wait", "next_wait"))
        m.d.comb += [
            self.ready.eq(walking & waited),
            self.active.eq(self.start | self.take | (wait != 0) | ~waited),
        ]
        m.d.sync += [wait.eq(next_wait), waited.eq(next_wait == 0)]
        with m.If(self.start):
            m.d.sync += walking.eq(1)
            m.d.comb += next_wait.eq(self.LATENCY - 1)
        with m.Elif(self.take):
            m.d.sync += walking.eq(~self.position.ends_pass)
            m.d.comb += next_wait.eq(Mux(self.position.outer, self.layer.interval - 1, 0))
        with m.Elif(wait != 0):
            m.d.comb += next_wait.eq(wait - 1)
        return wait != 0

    def _exists(self, m: Module) -> Value:
        """Whether the map has the place of the beat: those of a slot follow one another, slots are apart."""
        place, group, kernel_tile = (
            Signal(_PLACE_BITS, name=name, reset_less=True)
            for name in ("place", "first_slot_place", "kernel_tile_place")
        )
        further = Mux(self._last_slot, group + 1, place + self.layer.slot_beats)
        following = wire(
            m, "next_place", Mux(self.start | self._ends["kernel_tile"], 0, further)[:_PLACE_BITS]
        )
        restarts = self._ends["beat"] & ~self._ends["cluster"] & ~self.start
        with m.If(self.start | self.take):
            m.d.sync += place.eq(Mux(restarts, kernel_tile, following))
            with m.If(self.start | self._last_slot):
                m.d.sync += group.eq(Mux(restarts, kernel_tile, following))
            with m.If(self.start | self._ends["cluster"]):
                m.d.sync += kernel_tile.eq(following)
        return place <= self.layer.out_beats

    def _word(self, m: Module) -> Signal:
        """Word of parameters: every cluster of a kernel tile begins at the kernel tile's first one."""
        beyond = self.machine.parameter_beats
        word, kernel_tile = (
            Signal.like(self.position.word, name=name, reset_less=True)
            for name in ("word", "kernel_tile_word")
        )
        base = Mux(self.layer.parameter_base < beyond, self.layer.parameter_base, beyond)
        restarts = self.start | self._ends["kernel_tile"]
        following = Mux(restarts, base, Mux(word == beyond, beyond, word + 1))
        following = wire(m, "next_word", following[: len(word)])
        with m.If(self.start | self._ends["cluster"]):
            m.d.sync += [word.eq(following), kernel_tile.eq(following)]
        with m.Elif(self.take):
            m.d.sync += word.eq(Mux(self._ends["beat"], kernel_tile, following))
        return word

    def _place(
        self,
        m: Module,
        name: str,
        shape: ShapeLike,
        base: ValueLike,
        step: ValueLike,
        cluster_step: ValueLike,
        moves: _Moves,
    ) -> Signal:
        """Base + step · region + cluster_step · cluster, along one side of the map."""
        value, start = (Signal(shape, name=of, reset_less=True) for of in (name, f"{name}_start"))
        following = Signal(shape, name=f"{name}_next")
        m.d.comb += following.eq(Mux(moves.from_base, base, start + step))
        with m.If(self.start | moves.next_region):
            m.d.sync += [value.eq(following), start.eq(following)]
        with m.Elif(moves.first_cluster):
            m.d.sync += value.eq(start)
        with m.Elif(moves.next_cluster):
            m.d.sync += value.eq(value + cluster_step)
        return value
