# amaranth: UnusedElaboratable=no
"""Bench of `Activation`: values around the steps of random configurations, extreme ones, and each kind of result."""

import json
import os
from collections.abc import Mapping
from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.behavioral import activate
from spinplane.hdl import ACTIVATION_CONFIGURATION, Activation
from spinplane.machine import CODE_BITS, OFFSET_BITS, Rounding
from spinplane.machine.activation import RAW_BITS, SCALE_BITS, ActivationConfiguration
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLDS, Requantize

from .lanes import extremes, run_lane, with_gaps
from .packing import pack
from .streams import reset

WIDTH = json.loads(os.environ["BENCH_PARAMETERS"])["width"]
INPUTS = ["value", "offset", "residual", "residual_multiplier"]
CODE_END, END = 1 << (CODE_BITS - 1), 1 << (WIDTH - 1)


def random_configuration(
    requantize: Requantize, absolute: bool, rounding: Rounding, rng: Random
) -> ActivationConfiguration:
    """One whose codes and thresholds are extreme or anywhere."""
    count = rng.choice((0, 1, 3, 7, THRESHOLDS))
    low, high = sorted(extremes(CODE_BITS, rng) for _ in range(2))
    if requantize is Requantize.THRESHOLDS:
        low = min(low, CODE_END - 1 - count)
    else:
        count = 0
    thresholds = sorted(extremes(THRESHOLD_BITS, rng) for _ in range(count))
    if count and rng.random() < 0.5:
        thresholds[0], thresholds[-1] = -(1 << (THRESHOLD_BITS - 1)), (1 << (THRESHOLD_BITS - 1)) - 1
    return ActivationConfiguration(
        requantize=requantize,
        absolute=absolute,
        shift=rng.choice((0, 1, 63, rng.randrange(WIDTH))),
        rounding=rounding,
        low=low,
        high=high,
        thresholds=tuple(sorted(thresholds)),
    )


def fields(configuration: ActivationConfiguration) -> dict[str, object]:
    """Of `ACTIVATION_CONFIGURATION`; thresholds that do not count are the least, which any value would reach."""
    thresholds = configuration.thresholds
    unused = [-(1 << (THRESHOLD_BITS - 1))] * (THRESHOLDS - len(thresholds))
    return {
        "requantize": configuration.requantize.value,
        "absolute": int(configuration.absolute),
        "shift": configuration.shift,
        "rounding": configuration.rounding.value,
        "low": configuration.low,
        "high": configuration.high,
        "threshold_count": len(thresholds),
        "thresholds": [*thresholds, *unused],
    }


def around(configuration: ActivationConfiguration, rng: Random) -> int:
    """A y at a step of the code or next to it, of either sign if |y| is taken."""
    if configuration.requantize is Requantize.RAW:
        y = extremes(RAW_BITS, rng)
    elif configuration.thresholds:
        y = rng.choice(configuration.thresholds) + rng.choice((-1, 0, 1))
    else:
        code = rng.randint(configuration.low - 1, configuration.high + 1)
        y = ((2 * code + rng.choice((0, 1))) << configuration.shift >> 1) + rng.choice((-1, 0, 1))
    return -y if configuration.absolute and rng.random() < 0.5 else y


def items_for(configuration: ActivationConfiguration, rng: Random) -> list[dict[str, int]]:
    """Half of them around steps, the others with extreme inputs."""
    found: list[dict[str, int]] = []
    while len(found) < 40:
        offset, residual = extremes(OFFSET_BITS, rng), extremes(CODE_BITS, rng)
        multiplier = extremes(SCALE_BITS, rng)
        value = extremes(WIDTH, rng)
        if len(found) % 2 or configuration.requantize is Requantize.RAW:
            value = around(configuration, rng) - offset - residual * multiplier
        y = value + offset + residual * multiplier
        raw = abs(y) if configuration.absolute else y
        fits = configuration.requantize is not Requantize.RAW or -(1 << 31) <= raw < 1 << 31
        if -END <= value < END and fits:
            found.append(dict(zip(INPUTS, (value, offset, residual, multiplier), strict=True)))
        elif abs(value) >= END:
            # A step of a large shift lies beyond all values: the extreme ones stand for it.
            found.append(
                dict(zip(INPUTS, (rng.choice((-END, END - 1)), offset, residual, multiplier), strict=True))
            )
    return found


async def run_configuration(
    dut: HierarchyObject, configuration: ActivationConfiguration, gaps: float, rng: Random
) -> set[int]:
    """Compare codes and raw values with the golden model; returns the results that occurred."""
    dut.configuration.value = pack(ACTIVATION_CONFIGURATION, fields(configuration))
    items = items_for(configuration, rng)
    results = await run_lane(
        dut, with_gaps(items, gaps, rng), INPUTS, ["code", "raw"], Activation.LATENCY, rng
    )
    value, offsets, residuals, multipliers = ([item[name] for item in items] for name in INPUTS)
    expected = activate(
        value, configuration, offsets=offsets, residuals=residuals, residual_multipliers=multipliers
    ).tolist()
    port = "raw" if configuration.requantize is Requantize.RAW else "code"
    assert [result[port] for result in results] == expected, configuration
    assert [result["raw"] for result in results] == [raw_of(item, configuration) for item in items]
    return set(expected)


def raw_of(item: Mapping[str, int], configuration: ActivationConfiguration) -> int:
    """Lower 32 bits of y as a signed number."""
    y = item["value"] + item["offset"] + item["residual"] * item["residual_multiplier"]
    y = abs(y) if configuration.absolute else y
    return (y + (1 << 31)) % (1 << 32) - (1 << 31)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_kind_of_configuration(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    seen: dict[Requantize, set[int]] = {kind: set() for kind in Requantize}
    for requantize, absolute, rounding in product(Requantize, (False, True), Rounding):
        for gaps in (0, 0.5):
            configuration = random_configuration(requantize, absolute, rounding, rng)
            seen[requantize] |= await run_configuration(dut, configuration, gaps, rng)
    # A bench whose values all clip would prove little.
    assert all(len(found) > 32 for found in seen.values())


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def values_next_to_every_threshold(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    thresholds = tuple(range(-21, 24, 3))
    for count, absolute in product(range(THRESHOLDS + 1), (False, True)):
        configuration = ActivationConfiguration(
            requantize=Requantize.THRESHOLDS, absolute=absolute, thresholds=thresholds[:count]
        )
        dut.configuration.value = pack(ACTIVATION_CONFIGURATION, fields(configuration))
        values = list(range(-23, 24))
        items = [dict.fromkeys(INPUTS, 0) | {"value": value} for value in values]
        results = await run_lane(dut, items, INPUTS, ["code"], Activation.LATENCY, rng)
        reals = [abs(value) if absolute else value for value in values]
        assert [result["code"] for result in results] == [
            sum(threshold <= real for threshold in thresholds[:count]) for real in reals
        ]
