# amaranth: UnusedElaboratable=no
"""Bench of `Activation`: values around the steps of random configurations, extreme ones, and each kind of result."""

import json
import os
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge

from spinplane.behavioral import activate
from spinplane.hdl import ACTIVATION_CONFIGURATION, Activation
from spinplane.machine import CODE_BITS, OFFSET_BITS, Rounding
from spinplane.machine.activation import RAW_BITS, SCALE_BITS, ActivationConfiguration
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLD_WORDS, THRESHOLDS_PER_WORD, Requantize

from ...lanes import extremes, run_lane, with_gaps
from ...packing import pack
from ...streams import reset

WIDTH = json.loads(os.environ["BENCH_PARAMETERS"])["width"]
INPUTS = ["value", "offset", "residual", "residual_multiplier"]
CODE_END, END = 1 << (CODE_BITS - 1), 1 << (WIDTH - 1)


Item = dict[str, Any]


def random_configuration(
    requantize: Requantize, absolute: bool, rounding: Rounding, rng: Random
) -> ActivationConfiguration:
    """One whose codes are extreme or anywhere."""
    code_shift = rng.randrange(2)
    low, high = sorted(extremes(CODE_BITS - code_shift, rng) for _ in range(2))
    words = rng.randrange(THRESHOLD_WORDS + 1)
    if requantize is Requantize.THRESHOLDS:
        low = min(low, (CODE_END >> code_shift) - 1 - THRESHOLDS_PER_WORD * words)
    return ActivationConfiguration(
        requantize=requantize,
        absolute=absolute,
        shift=rng.choice((0, 1, 63, rng.randrange(WIDTH))),
        rounding=rounding,
        low=low,
        high=high,
        threshold_words=words,
        code_shift=code_shift,
    )


def fields(configuration: ActivationConfiguration) -> dict[str, int]:
    """Of `ACTIVATION_CONFIGURATION`."""
    named = {name: getattr(configuration, name) for name, _ in ACTIVATION_CONFIGURATION}
    return {name: int(getattr(value, "value", value)) for name, value in named.items()}


def random_thresholds(configuration: ActivationConfiguration, rng: Random) -> list[int]:
    """Of one channel: the ends, equal ones, any."""
    thresholds = [extremes(THRESHOLD_BITS, rng) for _ in range(configuration.thresholds)]
    if thresholds and rng.random() < 0.5:
        thresholds[0], thresholds[-1] = -(1 << (THRESHOLD_BITS - 1)), (1 << (THRESHOLD_BITS - 1)) - 1
    return sorted(thresholds)


def around(configuration: ActivationConfiguration, thresholds: Sequence[int], rng: Random) -> int:
    """A y at a step of the code or next to it, of either sign if |y| is taken."""
    if configuration.requantize is Requantize.RAW:
        y = extremes(RAW_BITS, rng)
    elif thresholds:
        y = rng.choice(thresholds) + rng.choice((-1, 0, 1))
    else:
        code = rng.randint(configuration.low - 1, configuration.high + 1)
        y = ((2 * code + rng.choice((0, 1))) << configuration.shift >> 1) + rng.choice((-1, 0, 1))
    return -y if configuration.absolute and rng.random() < 0.5 else y


def items_for(configuration: ActivationConfiguration, rng: Random) -> list[Item]:
    """Half of them around steps, the others with extreme inputs."""
    found: list[Item] = []
    while len(found) < 40:
        offset, residual = extremes(OFFSET_BITS, rng), extremes(CODE_BITS, rng)
        multiplier = extremes(SCALE_BITS, rng)
        value = extremes(WIDTH, rng)
        thresholds = random_thresholds(configuration, rng)
        if len(found) % 2 or configuration.requantize is Requantize.RAW:
            value = around(configuration, thresholds, rng) - offset - residual * multiplier
        y = value + offset + residual * multiplier
        raw = abs(y) if configuration.absolute else y
        fits = configuration.requantize is not Requantize.RAW or -(1 << 31) <= raw < 1 << 31
        if abs(value) >= END:
            # A step of a large shift lies beyond all values: the extreme ones stand for it.
            value = rng.choice((-END, END - 1))
        elif not fits:
            continue
        inputs = dict(zip(INPUTS, (value, offset, residual, multiplier), strict=True))
        found.append(inputs | {"thresholds": thresholds})
    return found


def spaced(items: Sequence[Item], words: int, gaps: float, rng: Random) -> list[Item | None]:
    """`items` with at least `words` − 1 cycles between them, and as many more as throws below `gaps`."""
    return [
        entry
        for item in with_gaps(items, gaps, rng)
        for entry in (item, *[None] * (words - 1 if item else 0))
    ]


async def drive_thresholds(dut: HierarchyObject, schedule: Sequence[Item | None], rng: Random) -> None:
    """Word k of each item in the schedule at its cycle, random thresholds in all others."""
    words = {
        cycle + Activation.THRESHOLD_DELAY + at // THRESHOLDS_PER_WORD: item["thresholds"][at:][
            :THRESHOLDS_PER_WORD
        ]
        for cycle, item in enumerate(schedule)
        if item is not None
        for at in range(0, len(item["thresholds"]), THRESHOLDS_PER_WORD)
    }
    layout = Activation(WIDTH).thresholds.shape()
    for cycle in range(max(words, default=0) + 1):
        dut.thresholds.value = pack(layout, words[cycle]) if cycle in words else rng.getrandbits(layout.size)
        await RisingEdge(dut.clk)


async def run_items(
    dut: HierarchyObject,
    configuration: ActivationConfiguration,
    items: Sequence[Item],
    gaps: float,
    rng: Random,
) -> list[dict[str, int]]:
    """Results of all items, each after its latency."""
    dut.configuration.value = pack(ACTIVATION_CONFIGURATION, fields(configuration))
    words = max(1, configuration.thresholds // THRESHOLDS_PER_WORD)
    schedule = spaced(items, words, gaps, rng)
    driver = cocotb.start_soon(drive_thresholds(dut, schedule, rng))
    latency = Activation.THRESHOLD_DELAY + words
    results = await run_lane(dut, schedule, INPUTS, ["code", "raw"], latency, rng)
    await driver
    return results


async def run_configuration(
    dut: HierarchyObject, configuration: ActivationConfiguration, gaps: float, rng: Random
) -> set[int]:
    """Compare codes and raw values with the golden model; returns the results that occurred."""
    items = items_for(configuration, rng)
    results = await run_items(dut, configuration, items, gaps, rng)
    value, offsets, residuals, multipliers = ([item[name] for item in items] for name in INPUTS)
    expected = activate(
        value,
        configuration,
        offsets=offsets,
        residuals=residuals,
        residual_multipliers=multipliers,
        thresholds=[item["thresholds"] for item in items],
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
    thresholds = tuple(range(-21, 27, 3))
    for words, absolute in product(range(THRESHOLD_WORDS + 1), (False, True)):
        configuration = ActivationConfiguration(
            requantize=Requantize.THRESHOLDS, absolute=absolute, threshold_words=words
        )
        looked_at = thresholds[: configuration.thresholds]
        values = list(range(-25, 28))
        items = [dict.fromkeys(INPUTS, 0) | {"value": value, "thresholds": looked_at} for value in values]
        results = await run_items(dut, configuration, items, 0, rng)
        reals = [abs(value) if absolute else value for value in values]
        assert [result["code"] for result in results] == [
            sum(threshold <= real for threshold in looked_at) for real in reals
        ]
