"""Lane phases: walks the lanes of a beat through the products that a pass makes of its pooled sums."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine
from spinplane.machine.timing import MULTIPLY_CYCLES

from ..common.descriptor import DESCRIPTOR
from .turn import Product, beat_layout, turns_layout

_PHASES = 3


class LanePhases(wiring.Component):
    """Turns of the lanes, phase by phase: each lane of a multiplier in its turn, its residual behind its own product.

    Between two phases the multipliers rest until the results of the first lane are there.

    Latency: the first turn is issued 1 cycle after `start`, ``reading_cycles`` later if products wait for residuals.
    Throughput: one turn a cycle; a beat may follow in the cycle in which the last turn is issued.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first start to the last turn.
    start : In(1)
        Pooled sums are there in the next cycle.
    beat : In(beat_layout(machine))
        Looked at while its turns are issued.
    turns : Out(turns_layout(machine))
    active : Out(1)
        A beat's turns are issued, or in a stage. While it is low the clock may stop: nothing but what is told of turns
        that are not valid would change.
    """

    layer: data.View
    start: Signal
    beat: data.View
    turns: data.View
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "beat": In(beat_layout(machine)),
                "turns": Out(turns_layout(machine)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, turn = self.layer, self.turns[0]
        lanes = self.machine.lanes_per_multiplier
        rest_cycles = max(0, MULTIPLY_CYCLES + 2 - lanes)

        works = Signal()
        second = Signal()
        lane = Signal(range(lanes))
        phase = Signal(range(_PHASES))
        wait = Signal(range(max(rest_cycles, 7) + 1))
        has_second = Signal()
        is_last_phase = Signal()
        starts = self.start & layer.multiplies
        m.d.comb += [
            has_second.eq(layer.residual & (phase == layer.own_code)),
            is_last_phase.eq(phase == Mux(layer.own_code, 1 + layer.multiplies_total, 0)),
            turn.valid.eq(works & (wait == 0)),
            turn.lane.eq(lane),
            turn.opens.eq((phase == 0) & (lane == 0) & ~second),
            turn.closes.eq(second | ~has_second),
            turn.ends.eq(turn.closes & is_last_phase & (lane == lanes - 1)),
            turn.beat.eq(self.beat),
            self.active.eq(starts | works | Cat(turn.valid for turn in self.turns).any()),
        ]
        with m.If(second):
            m.d.comb += turn.kind.eq(Product.RESIDUAL.value)
        with m.Else():
            kinds = (Product.POOLED, Product.OWN, Product.TOTAL)
            with m.Switch(phase):
                for number, kind in enumerate(kinds):
                    with m.Case(number):
                        m.d.comb += turn.kind.eq(kind.value)

        with m.If(turn.valid):
            m.d.sync += second.eq(~turn.closes)
            with m.If(turn.closes):
                m.d.sync += lane.eq(lane + 1)
                with m.If(lane == lanes - 1):
                    m.d.sync += [lane.eq(0), phase.eq(phase + 1), wait.eq(rest_cycles)]
                    with m.If(is_last_phase):
                        m.d.sync += [works.eq(0), phase.eq(0), wait.eq(0)]
        with m.Elif(works):
            m.d.sync += wait.eq(wait - 1)
        with m.If(starts):
            waits = layer.residual & ~layer.own_code
            m.d.sync += [works.eq(1), wait.eq(Mux(waits, layer.residual_planes, 0))]

        for cycle, now in enumerate(list(self.turns)[1:], 1):
            before = self.turns[cycle - 1]
            stage, valid = (
                Signal.like(before, name=f"turn_{cycle}", reset_less=True),
                Signal(name=f"valid_{cycle}"),
            )
            m.d.sync += [stage.eq(before), valid.eq(before.valid)]
            m.d.comb += [now.eq(stage), now.valid.eq(valid)]
        return m
