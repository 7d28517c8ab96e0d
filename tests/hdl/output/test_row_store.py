# amaranth: UnusedElaboratable=no
"""Row store in RTL: which word gets the row of which sub-array, and when."""

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl.output.row_store import RowStore
from spinplane.machine import Machine
from spinplane.machine.descriptor import MEMORY_WORDS, OperationBit

MACHINE = Machine(
    name="bench", sub_arrays=4, rows=8, columns=16, segments=1, image_words=64, memory_operations=True
)


@pytest.mark.parametrize(("first", "last", "apart"), [(0, 3, 4), (1, 3, 3), (2, 2, 1), (0, 1, 5)])
@pytest.mark.parametrize("stores", [False, True])
def test_rows_of_one_step_after_the_other(first: int, last: int, apart: int, stores: bool) -> None:
    steps, number, word = 3, last - first + 1, 50
    store, written = RowStore(MACHINE), {}
    layer = {
        "operation": stores << OperationBit.STORE,
        MEMORY_WORDS["first_sub_array"]: first,
        MEMORY_WORDS["last_sub_array"]: last,
        MEMORY_WORDS["image_word"]: word,
    }

    async def bench(ctx: SimulatorContext) -> None:
        for name, value in layer.items():
            ctx.set(store.layer[name], value)
        ctx.set(store.start, 1)
        await ctx.tick()
        ctx.set(store.start, 0)
        for cycle in range(steps * apart + number + 1):
            step, since = divmod(cycle, apart)
            ctx.set(store.sensed, int(since == 0 and step < steps))
            # What a sub-array has sensed in a step, until the next one ends.
            ctx.set(store.row, 16 * ((cycle - 1) // apart) + ctx.get(store.row_of))
            assert ctx.get(store.write.enable) == ctx.get(store.busy)
            if ctx.get(store.write.enable):
                assert ctx.get(store.write.mask) == (1 << MACHINE.columns) - 1
                written[cycle] = (ctx.get(store.write.address), ctx.get(store.write.data))
            await ctx.tick()

    simulator = Simulator(store)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert written == {
        step * apart + 1 + n: (word + step * number + n, 16 * step + first + n)
        for step in range(steps if stores else 0)
        for n in range(number)
    }
