# amaranth: UnusedElaboratable=no
"""Bit-counter in RTL against its golden model."""

import json

import pytest

from spinplane.hdl import BitCounter
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize(
    ("columns", "slots", "leaf", "step", "simulator"),
    [
        (8, 4, 1, 3, "icarus"),
        (256, 8, 16, 40, "icarus"),
        (256, 4, 16, 13, "verilator"),
        (96, 1, 12, 1, "icarus"),
    ],
)
def test_bench(columns: int, slots: int, leaf: int, step: int, simulator: str) -> None:
    parameters = {"columns": columns, "slots": slots, "leaf": leaf, "step": step}
    run_bench(
        "spinplane.sim.benches.array.bench_bit_counter",
        verilog_modules(BitCounter(**parameters), "bit_counter"),
        "bit_counter",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    ).check()


def test_counts_are_as_wide_as_the_widest_mode_needs() -> None:
    counter = BitCounter(256, 4)
    # One slot of 8 planes, two of 8, four of 4, in which all columns are ones.
    assert [counter.count_bits(slot) for slot in range(4)] == [
        (32 * 255).bit_length(),
        (16 * 255).bit_length(),
        (16 * 15).bit_length(),
        (16 * 15).bit_length(),
    ]


def test_step_may_be_absent() -> None:
    counter = BitCounter(32, 2)
    assert counter.row.payload.shape().size == 32 + 4
    assert counter.count.payload.shape().size == 2 * 6
    assert verilog_modules(counter, "bit_counter").keys() == {"bit_counter"}


@pytest.mark.parametrize(
    ("columns", "slots", "error", "message"),
    [
        (0, 1, TypeError, "columns must be a positive integer, not 0"),
        (32, 2.0, TypeError, "slots must be a positive integer, not 2.0"),
        (40, 1, ValueError, "columns must be 16 times a power of two, which 40 is not"),
        (48, 1, ValueError, "columns must be 16 times a power of two, which 48 is not"),
        (64, 3, ValueError, "slots must be a power of two up to 4, which 3 is not"),
        (64, 8, ValueError, "slots must be a power of two up to 4, which 8 is not"),
        (512, 16, ValueError, "slots must be a power of two up to 8, which 16 is not"),
    ],
)
def test_refuses_wrong_sizes(columns: int, slots: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        BitCounter(columns, slots)
    assert str(caught.value) == message
