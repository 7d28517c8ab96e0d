# amaranth: UnusedElaboratable=no
"""Bench of `OutputStage`: random passes against the golden model, cycle for cycle, and what it refuses.

With ``BENCH_EVERY`` only one in so many of the closest beats is looked at.
"""

import os
from itertools import product
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject

from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import MOST_SEARCH_READS
from spinplane.machine.registers import Error

from ...streams import reset
from .output_stage_cases import random_case
from .output_stage_driver import LANES, MACHINE, compare, golden, refuse
from .output_stage_limits import (
    based_at,
    having,
    lost_beside_the_map,
    residual_at_the_end,
    whole_case,
    whole_map,
    wide_totals,
    with_beats,
)

EVERY = int(os.environ.get("BENCH_EVERY", "1"))

#: What a pass does to its sums, beside all that is drawn.
KINDS: dict[str, dict[str, Any]] = {
    "thresholds": {"multiplies": False, "raw": False, "table": False},
    "a table of thresholds' levels": {"multiplies": False, "raw": False, "table": True},
    "raw sums": {"multiplies": False, "raw": True},
    "products": {"multiplies": True, "raw": False, "search_reads": 0, "residual": False, "own_code": False},
    "floats": {"multiplies": True, "float_scale": True, "own_code": False},
    "raw products": {"multiplies": True, "raw": True},
    "residuals": {"multiplies": True, "residual": True, "own_code": False},
    "own codes": {"multiplies": True, "own_code": True, "multiplies_total": False},
    "own codes and residuals": {"multiplies": True, "own_code": True, "residual": True},
    "totals": {"multiplies": True, "own_code": True, "residual": True, "multiplies_total": True},
    "searches of products": {"multiplies": True, "raw": False, "table": False},
    "tables of products' levels": {"multiplies": True, "raw": False, "search_reads": 0, "table": True},
}


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_kind_of_pass(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    written = 0
    pools = list(Pool)
    for number, (choices, stalls) in enumerate(product(KINDS.values(), ((0, 0), (0.4, 0.6)))):
        # Each kind meets two poolings, each pooling every kind of stall.
        pool = pools[(number + number // len(pools)) % len(pools)]
        case = random_case(MACHINE, rng, pool=pool, **choices)
        written += (await compare(dut, case, stalls, rng)).image_writes
    assert written > 500


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def beats_as_close_as_they_may_be(dut: HierarchyObject) -> None:
    """Of every kind, with every number of reads."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    reads = range(MOST_SEARCH_READS + 1)
    several = [
        {"search_reads": search_reads, "raw": False, "out_planes": 1, "residual_planes": 1} | choices
        for choices, search_reads in product(KINDS.values(), reads)
        if not (choices.get("raw") and search_reads)
    ]
    for choices in several[::EVERY]:
        case = random_case(MACHINE, rng, **choices)
        await compare(dut, having(case, interval=case.layer_pass.least_interval), (0, 0), rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def totals_of_more_bits_than_a_value(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for case in wide_totals(MACHINE, rng):
        await compare(dut, case, (0, 0), rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def a_beat_a_window_back_to_back(dut: HierarchyObject) -> None:
    """The pooling memory is read while its only word is written."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for pool in (Pool.SUM, Pool.MAX):
        case = None
        while case is None or case.accumulators.shape[-3:-1] != (1, 1):
            case = random_case(MACHINE, rng, pool=pool, raw=True, multiplies=False)
            if np.prod(case.accumulators.shape[2:4]) < 4:
                case = None
        await compare(dut, case, (0, 0), rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def what_is_beyond_the_image_bank_is_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    bits = MACHINE.image_words * MACHINE.columns
    for raw in (False, True):
        case = whole_case(MACHINE, rng, raw=raw)
        expected = golden(case)
        size = expected.bits.shape[1]
        room = bits - int(expected.addresses.max()) - size
        last = case.layer_pass.out_base + room
        await compare(dut, having(case, out_base=last), (0, 0), rng)
        await refuse(dut, having(case, out_base=last + size), Error.IMAGE_BANK, rng)
        await refuse(dut, having(case, out_base=(1 << 32) - size), Error.IMAGE_BANK, rng)
        if size > 1:
            await refuse(dut, having(case, out_base=size // 2), Error.IMAGE_BANK, rng)

    for planes in (1, 3):
        case = residual_at_the_end(MACHINE, rng, planes)
        await compare(dut, case, (0, 0), rng)
        beyond = having(case, residual_base=case.layer_pass.residual_base + 1)
        await refuse(dut, beyond, Error.IMAGE_BANK, rng)
    await refuse(dut, having(case, residual_base=(1 << 32) - LANES), Error.IMAGE_BANK, rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def words_beyond_their_banks_are_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for name, multiplies in (("parameter_base", True), ("scale_base", True), ("parameter_base", False)):
        for beyond in (1, MACHINE.parameter_beats):
            case = whole_case(MACHINE, rng, multiplies=multiplies)
            base = MACHINE.parameter_beats - case.layer_pass.channel_beats + beyond
            await refuse(dut, having(case, **{name: base}), Error.PARAMETER_BANK, rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def words_that_searches_and_tables_do_not_find_are_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for multiplies in (False, True):
        # The least threshold of a channel that searches, and the entry of one that does not.
        case = whole_case(MACHINE, rng, multiplies=multiplies, raw=False, search_reads=1, table=False)
        await refuse(dut, based_at(case, MACHINE.threshold_beats), Error.PARAMETER_BANK, rng)
        await compare(dut, based_at(case, MACHINE.threshold_beats - 1), (0, 0), rng)
        case = having(case, search_reads=0, table=True, table_offset=255)
        case = having(case, interval=case.layer_pass.least_interval)
        await refuse(dut, based_at(case, MACHINE.threshold_beats - 255), Error.PARAMETER_BANK, rng)

    # One lane alone, and a beat that is not written.
    case = whole_case(MACHINE, rng, multiplies=False, raw=False, search_reads=1, table=False)
    for lane in {0, LANES - 1}:
        bases = np.zeros(LANES, dtype=np.int64)
        bases[lane] = MACHINE.threshold_beats
        await refuse(dut, based_at(case, bases), Error.PARAMETER_BANK, rng)
    case = lost_beside_the_map(MACHINE, rng)
    await compare(dut, case, (0, 0), rng)
    await refuse(dut, having(case, **whole_map(case)), Error.PARAMETER_BANK, rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def windows_of_more_beats_than_can_be_held_are_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for pool in Pool:
        case = random_case(MACHINE, rng, pool=pool, multiplies=False)
        beats = MACHINE.pool_beats // case.accumulators.shape[-3] + 1
        case = with_beats(case, beats)
        if pool is Pool.NONE:
            await compare(dut, case, (0, 0), rng)
        else:
            await refuse(dut, case, Error.PARAMETER_BANK, rng)
