# amaranth: UnusedElaboratable=no
"""Bit-counter in RTL against its golden model."""

import json

import pytest

from spinplane.hdl import BitCounter
from spinplane.hdl.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize(("columns", "segments", "step"), [(8, 2, 3), (256, 8, 40)])
def test_bench(columns: int, segments: int, step: int, simulator: str) -> None:
    parameters = {"columns": columns, "segments": segments, "step": step}
    run_bench(
        "spinplane.sim.bench_bit_counter",
        verilog_modules(BitCounter(**parameters), "bit_counter"),
        "bit_counter",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    ).check()


def test_step_may_be_absent() -> None:
    counter = BitCounter(8, 2)
    assert counter.row.payload.shape().size == 8
    assert counter.count.payload.shape().size == 4 + 2 * 3
    assert verilog_modules(counter, "bit_counter").keys() == {"bit_counter"}


@pytest.mark.parametrize(
    ("columns", "segments", "error", "message"),
    [
        (0, 1, TypeError, "columns must be a positive integer, not 0"),
        (8, 2.0, TypeError, "segments must be a positive integer, not 2.0"),
        (8, 3, ValueError, "segments must divide columns = 8, which 3 does not"),
    ],
)
def test_refuses_wrong_sizes(columns: int, segments: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        BitCounter(columns, segments)
    assert str(caught.value) == message
