# amaranth: UnusedElaboratable=no
from itertools import product
from random import Random

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl.input.row_sum import RowSum
from spinplane.machine import Machine


@pytest.mark.parametrize(("columns", "segments"), [(16, 1), (64, 2), (256, 4), (2048, 8)])
def test_planes_are_weighted_in_slot_0(columns: int, segments: int) -> None:
    machine = Machine(
        name="sum", sub_arrays=1, rows=8, columns=columns, segments=segments, accumulator_bits=16
    )
    unit, rng = RowSum(machine), Random(1)

    async def bench(ctx: SimulatorContext) -> None:
        for log_slots, log_planes in product(range(4), range(4)):
            if 1 << log_slots > segments or 1 << log_slots + log_planes > machine.leaves:
                continue
            ctx.set(unit.log_slots, log_slots)
            ctx.set(unit.log_planes, log_planes)
            width = columns >> log_slots + log_planes
            ones = (1 << columns) - 1
            rows = [ones, 0, ones << (columns >> log_slots), *(rng.getrandbits(columns) for _ in range(5))]
            for row in rows:
                ctx.set(unit.bits, row & ones)
                blocks = [row >> p * width & ((1 << width) - 1) for p in range(1 << log_planes)]
                assert ctx.get(unit.total) == sum(bits.bit_count() << p for p, bits in enumerate(blocks))

    simulation = Simulator(unit)
    simulation.add_testbench(bench)
    simulation.run()
