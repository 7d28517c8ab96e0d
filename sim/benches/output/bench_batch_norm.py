"""Bench of `BatchNorm`: all sums that fit when narrow widths allow none to be missed, extreme and random ones."""

from random import Random

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.behavioral import batch_normalize
from spinplane.hdl import BatchNorm
from spinplane.machine.activation import SCALE_BITS, VALUE_BITS, WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ...lanes import drive, extremes, run_lane, with_gaps
from ...streams import reset

CORRECTION_BITS = WINDOW_SUM_BITS + WINDOW_SCALE_BITS
INPUTS = ["accumulator", "correction", "bias", "multiplier"]
END = 1 << (VALUE_BITS - 1)


def item(shift: int, rng: Random) -> dict[str, int]:
    """Inputs whose sum is a chosen one, half of the time an extreme one, though its terms may exceed it."""
    while True:
        wanted = extremes(VALUE_BITS, rng)
        accumulator, correction = extremes(VALUE_BITS, rng), extremes(CORRECTION_BITS, rng)
        if rng.random() < 0.5:
            bias = wanted - (accumulator << shift) + correction
        else:
            bias = extremes(VALUE_BITS, rng)
            correction = (accumulator << shift) + bias - wanted
        if -END <= bias < END and abs(correction) < 1 << (CORRECTION_BITS - 1):
            multiplier = extremes(SCALE_BITS, rng)
            return dict(zip(INPUTS, (accumulator, correction, bias, multiplier), strict=True))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_shift_one_value_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    wide = 0
    for shift in range(4):
        drive(dut.accumulator_shift, shift)
        for gaps in (0, 0.5):
            values = [item(shift, rng) for _ in range(120)]
            results = await run_lane(
                dut, with_gaps(values, gaps, rng), INPUTS, ["product"], BatchNorm.LATENCY, rng
            )
            columns = [[value[name] for value in values] for name in INPUTS]
            expected = batch_normalize(*columns, accumulator_shift=shift).tolist()
            assert [result["product"] for result in results] == expected
            wide += sum(not -END <= value["accumulator"] << shift < END for value in values)
    # Terms beyond 32 bits whose sum fits are what the wrapping has to get right.
    assert wide
