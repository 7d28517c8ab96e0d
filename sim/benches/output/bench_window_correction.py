"""Bench of `WindowCorrection`: sums of all lanes with extreme numbers whose sum fits, a beat a cycle or less."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import correct_window
from spinplane.behavioral.output.batch_norm import sums_before_scaling
from spinplane.hdl import WindowCorrection
from spinplane.machine import Machine
from spinplane.machine.output_stage import VALUE_BITS, WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ...lanes import drive, extremes
from ...packing import pack, unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LANES = MACHINE.results_per_cycle
END = 1 << (VALUE_BITS - 1)
DELAY = WindowCorrection.BIAS_DELAY


def random_beat(shift: int, scale: int, rng: Random) -> tuple[list[int], int, list[int]]:
    """Accumulators, window sum and biases, whose sums fit though their terms may not."""
    window_sum = extremes(WINDOW_SUM_BITS, rng)
    correction = int(correct_window(window_sum, scale))
    accumulators: list[int] = []
    biases: list[int] = []
    while len(biases) < LANES:
        accumulator = extremes(min(VALUE_BITS, MACHINE.accumulator_bits), rng)
        bias = extremes(VALUE_BITS, rng) - rng.choice((0, (accumulator << shift) - correction))
        if -END <= bias < END and -END <= (accumulator << shift) - correction + bias < END:
            accumulators.append(accumulator)
            biases.append(bias)
    return accumulators, window_sum, biases


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_shift_one_beat_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    members = WindowCorrection(MACHINE).signature.members
    layouts = {name: members[name].shape for name in ("accumulators", "biases", "sums")}
    end = 1 << (WINDOW_SCALE_BITS - 1)
    scales = (-end, end - 1, -1, 0, 1, *(rng.randrange(-end, end) for _ in range(15)))
    for number, scale in enumerate(scales):
        shift = number % 4
        drive(dut.accumulator_shift, shift)
        drive(dut.scale, scale)
        beats = [random_beat(shift, scale, rng) if rng.random() < 0.8 else None for _ in range(25)]
        for cycle in range(len(beats) + WindowCorrection.LATENCY):
            beat = beats[cycle] if cycle < len(beats) else None
            dut.valid.value = int(beat is not None)
            accumulators, window_sum, _ = beat or random_beat(shift, scale, rng)
            dut.accumulators.value = pack(layouts["accumulators"], accumulators)
            drive(dut.window_sum, window_sum)
            beat = beats[cycle - DELAY] if DELAY <= cycle < len(beats) + DELAY else None
            dut.biases.value = pack(layouts["biases"], (beat or random_beat(shift, scale, rng))[2])
            await FallingEdge(dut.clk)
            if cycle >= WindowCorrection.LATENCY and (beat := beats[cycle - WindowCorrection.LATENCY]):
                accumulators, window_sum, biases = beat
                corrections = correct_window(window_sum, scale)
                wanted = sums_before_scaling(accumulators, corrections, biases, accumulator_shift=shift)
                assert unpack(layouts["sums"], dut.sums.value.to_unsigned()) == wanted.tolist()
            await RisingEdge(dut.clk)
