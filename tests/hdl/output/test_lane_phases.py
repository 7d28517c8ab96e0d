# amaranth: UnusedElaboratable=no
"""Lane phases in RTL: which product each stage is told of, and when."""

from collections.abc import Iterator
from itertools import product

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl import LanePhases
from spinplane.hdl.output.turn import Product
from spinplane.machine import Machine
from spinplane.machine.passes import Pass
from spinplane.machine.timing import MULTIPLY_CYCLES

FLAGS = ("residual", "own_code", "multiplies_total")


def machine(lanes: int, multipliers: int) -> Machine:
    return Machine(
        name="bench",
        sub_arrays=lanes,
        rows=8,
        columns=64,
        segments=1,
        results_per_cycle=lanes,
        multipliers=multipliers,
    )


def turns(layer_pass: Pass) -> Iterator[tuple[int, Product, int]]:
    """Cycle of each turn after the first one can be, its product and its lane."""
    lanes = layer_pass.machine.lanes_per_multiplier
    cycle = layer_pass.reading_cycles
    own = [
        Product.POOLED,
        *[Product.OWN] * layer_pass.own_code,
        *[Product.TOTAL] * layer_pass.multiplies_total,
    ]
    for phase, (kind, products) in enumerate(zip(own, layer_pass.multiplications, strict=True)):
        if phase:
            cycle += max(0, MULTIPLY_CYCLES + 2 - lanes)
        for lane in range(lanes):
            for made in (kind, Product.RESIDUAL)[:products]:
                yield cycle, made, lane
                cycle += 1


@pytest.mark.parametrize(("lanes", "multipliers"), [(4, 4), (8, 1), (2, 1)])
@pytest.mark.parametrize("flags", list(product((False, True), repeat=len(FLAGS))))
def test_turns_of_beats_as_close_as_they_may_be(
    lanes: int, multipliers: int, flags: tuple[bool, ...]
) -> None:
    chosen = dict(zip(FLAGS, flags, strict=True))
    if chosen["multiplies_total"] and not chosen["own_code"]:
        return
    layer_pass = Pass(machine=machine(lanes, multipliers), multiplies=True, residual_planes=5, **chosen)
    interval = layer_pass.reading_cycles + layer_pass.multiplier_cycles
    phases, beats = LanePhases(layer_pass.machine), 4
    found: list[tuple[int, Product, int, int]] = []
    marks: list[tuple[int, int]] = []
    layer = {"multiplies": 1, "residual_planes": layer_pass.residual_planes - 1, **chosen}

    async def bench(ctx: SimulatorContext) -> None:
        for name, value in layer.items():
            ctx.set(phases.layer[name], int(value))
        for cycle in range(beats * interval + MULTIPLY_CYCLES + 9):
            # It is told a cycle before the pooled sums are there.
            begun, rest = divmod(cycle, interval)
            ctx.set(phases.start, int(rest == 0 and begun < beats))
            ctx.set(phases.beat.word, (cycle - 1) // interval % 16)
            turn = phases.turns[0]
            if ctx.get(turn.valid):
                found.append(
                    (cycle - 1, Product(ctx.get(turn.kind)), int(ctx.get(turn.lane)), ctx.get(turn.beat.word))
                )
                marks.append((ctx.get(turn.opens), ctx.get(turn.ends)))
            last = phases.turns[MULTIPLY_CYCLES + 1]
            was = cycle - 1 - MULTIPLY_CYCLES - 1
            assert ctx.get(last.valid) == any(at == was for at, *_ in found)
            await ctx.tick()

    simulator = Simulator(phases)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    of_beat = list(turns(layer_pass))
    assert found == [
        (interval * beat + cycle, kind, lane, beat) for beat in range(beats) for cycle, kind, lane in of_beat
    ]
    assert marks == [(at == 0, at == len(of_beat) - 1) for _ in range(beats) for at in range(len(of_beat))]
