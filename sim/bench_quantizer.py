# amaranth: UnusedElaboratable=no
"""Bench of `Quantizer`: all values and multipliers when narrow, values around random steps when wide."""

import json
import os
from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.utils import get_sim_time

from spinplane import behavioral, hdl
from spinplane.machine import OFFSET_BITS, QuantizerConfiguration, Rounding

from .packing import pack, unpack
from .streams import receive, reset, send

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
QUANTIZER = hdl.Quantizer(**PARAMETERS)
CONFIGURATION = QUANTIZER.configuration.shape()
VALUES, CODES = QUANTIZER.values.payload.shape(), QUANTIZER.codes.payload.shape()
LOW, HIGH = -(1 << (VALUES.width - 1)), (1 << (VALUES.width - 1)) - 1
LOWEST, HIGHEST = -(1 << (CODES.width - 1)), (1 << (CODES.width - 1)) - 1
LARGEST_MULTIPLIER = (1 << len(QUANTIZER.configuration.multiplier)) - 1
EXHAUSTIVE_BITS = 4
PERIOD_NS = 10


def configurations(rng: Random) -> list[QuantizerConfiguration]:
    """All small ones, or random ones whose steps lie among the values."""
    if VALUES.width <= EXHAUSTIVE_BITS:
        return [
            QuantizerConfiguration(
                multiplier=multiplier, offset=offset, shift=shift, rounding=rounding, low=low, high=HIGHEST
            )
            for multiplier, offset, shift, rounding, low in product(
                range(LARGEST_MULTIPLIER + 1), (-3, 0, 5), range(5), Rounding, (LOWEST, 0)
            )
        ]
    found = []
    for rounding in list(Rounding) * 12:
        multiplier = rng.choice((0, 1, rng.randint(1, LARGEST_MULTIPLIER), LARGEST_MULTIPLIER))
        reach = 1 << rng.randrange(OFFSET_BITS)
        low, high = sorted(rng.choice((LOWEST, 0, HIGHEST, rng.randint(LOWEST, HIGHEST))) for _ in range(2))
        found.append(
            QuantizerConfiguration(
                multiplier=multiplier,
                offset=rng.choice((-reach, reach - 1, rng.randrange(-reach, reach))),
                shift=rng.randrange(48),
                rounding=rounding,
                low=low,
                high=high,
            )
        )
    return found


def values_for(configuration: QuantizerConfiguration, rng: Random) -> list[int]:
    """All values; or the extreme ones, random ones, and those around steps of the code."""
    if VALUES.width <= EXHAUSTIVE_BITS:
        return list(range(LOW, HIGH + 1))
    found = [LOW, LOW + 1, -1, 0, 1, HIGH, *(rng.randint(LOW, HIGH) for _ in range(8))]
    half_step = (1 << configuration.shift) // 2
    for _ in range(12):
        code = rng.randint(configuration.low, configuration.high)
        step = ((2 * code + 1) * half_step - configuration.offset) // max(1, configuration.multiplier)
        found += [step - 1, step, step + 1]
    return [value for value in found if LOW <= value <= HIGH]


async def run_configuration(
    dut: HierarchyObject,
    configuration: QuantizerConfiguration,
    rng: Random,
    stalls: tuple[float, float] = (0, 0),
) -> set[int]:
    """Compare codes with the golden model, cycles with one a value; returns the codes that occurred."""
    fields = {name: getattr(configuration, name) for name in CONFIGURATION.members}
    fields["rounding"] = configuration.rounding.value
    dut.configuration.value = pack(CONFIGURATION, fields)
    values = values_for(configuration, rng)
    expected = behavioral.requantize(values, configuration).tolist()
    start = get_sim_time("ns")
    sender = cocotb.start_soon(send(dut, "values", [pack(VALUES, value) for value in values], stalls[0], rng))
    received = await receive(dut, "codes", len(values), stalls[1], rng)
    await sender
    codes = [unpack(CODES, raw) for raw in received]
    assert codes == expected, configuration
    if stalls == (0, 0):
        assert (get_sim_time("ns") - start) / PERIOD_NS == len(values) + 2
    return set(codes)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_configuration_one_value_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    codes: set[int] = set()
    for configuration in configurations(rng):
        codes |= await run_configuration(dut, configuration, rng)
    # A bench whose values all clip would prove little.
    assert len(codes) >= min(HIGHEST - LOWEST + 1, 64)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for stalls in ((0.5, 0), (0, 0.5), (0.3, 0.3)):
        for configuration in rng.sample(configurations(rng), 4):
            await run_configuration(dut, configuration, rng, stalls)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def eq_4_after_relu(dut: HierarchyObject) -> None:
    """Thirds of [0, 1] in units of 1/4: the ties of k = 2 are where the roundings differ."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    quarters = range(max(LOW, -3), min(HIGH, 7) + 1)
    for rounding in Rounding:
        configuration = QuantizerConfiguration(multiplier=3, shift=2, rounding=rounding, low=0, high=3)
        fields = {"multiplier": 3, "offset": 0, "shift": 2, "rounding": rounding.value, "low": 0, "high": 3}
        dut.configuration.value = pack(CONFIGURATION, fields)
        units = [min(max(quarter, 0), 4) / 4 for quarter in quarters]
        levels, _ = behavioral.quantize_unit(units, 2, rounding)
        assert (behavioral.requantize(quarters, configuration) == levels).all()
        sender = cocotb.start_soon(send(dut, "values", [pack(VALUES, quarter) for quarter in quarters]))
        received = await receive(dut, "codes", len(quarters), 0.2, rng)
        await sender
        assert [unpack(CODES, raw) for raw in received] == levels.tolist()
