# amaranth: UnusedElaboratable=no
"""Accumulators in RTL against their golden model."""

import json

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl import Sum
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize(("lanes", "width"), [(1, 3), (8, 32)])
def test_bench(lanes: int, width: int, simulator: str) -> None:
    parameters = {"lanes": lanes, "width": width}
    run_bench(
        "spinplane.sim.benches.array.bench_sum",
        verilog_modules(Sum(**parameters), "sum"),
        "sum",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    ).check()


def test_sums_wrap() -> None:
    adder = Sum(1, 4)
    results = []

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(adder.addends.valid, 1)
        for value in (7, 1):
            payload = {"values": [value], "clear": 0, "emit": 1}
            ctx.set(adder.addends.payload, payload)
            ctx.set(adder.results.ready, 1)
            await ctx.tick()
            results.append(ctx.get(adder.results.payload[0]))

    simulator = Simulator(adder)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
    assert results == [7, -8]


@pytest.mark.parametrize(
    ("lanes", "width", "message"),
    [
        (0, 8, "lanes must be a positive integer, not 0"),
        (1, None, "width must be a positive integer, not None"),
    ],
)
def test_refuses_wrong_sizes(lanes: int, width: int, message: str) -> None:
    with pytest.raises(TypeError) as error:
        Sum(lanes, width)
    assert str(error.value) == message
