# amaranth: UnusedElaboratable=no
"""Bench of `OutputStage`: random passes against the golden model, cycle for cycle, and what it refuses."""

import json
import os
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import OutputStageError, OutputStageRun, run_output_stage
from spinplane.hdl.common.beat import (
    PARAMETER_PARTS,
    SCALE_PARTS,
    result_beat_layout,
    window_sums_layout,
)
from spinplane.hdl.common.channel_bank import field_parts, lane_parts
from spinplane.hdl.output.beat_walk import BeatWalk
from spinplane.hdl.output.output_stage import output_stage_events
from spinplane.hdl.output.scale_reader import scale_channels
from spinplane.machine import Machine
from spinplane.machine.codec import encode
from spinplane.machine.descriptor import Pool
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import MOST_SEARCH_READS, PARAMETER_FIELDS, SCALE_FIELDS
from spinplane.machine.registers import Error

from ...packing import pack, pack_bits, pack_descriptor, unpack
from ...streams import reset, send
from .output_stage_cases import OutputStageCase, random_case

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LANES = MACHINE.results_per_cycle
BEAT, SUMS, EVENTS = result_beat_layout(MACHINE), window_sums_layout(MACHINE), output_stage_events()


def bank_parts(case: OutputStageCase) -> dict[str, list[int]]:
    """Words of each memory, by the name of the port that reads it."""
    channels = scale_channels(MACHINE)
    scales = case.scales.reshape(-1, channels * CHANNEL_BITS)
    found = {}
    for bank, words, parts in (
        ("parameters", case.parameters, field_parts(PARAMETER_FIELDS, PARAMETER_PARTS, LANES)),
        ("scales", scales, field_parts(SCALE_FIELDS, SCALE_PARTS, channels)),
        ("thresholds", case.thresholds, lane_parts(LANES)),
    ):
        for part, bits in parts.items():
            found[f"{bank}__{part.removeprefix('lane_')}"] = [
                pack_bits(word) for word in words[:, list(bits)]
            ]
    return found


class Banks:
    """The banks around the output stage, and a record of what it did in each cycle."""

    def __init__(self, dut: HierarchyObject, case: OutputStageCase) -> None:
        self.dut = dut
        self.words = bank_parts(case)
        self.image = case.image.copy()
        self.writes: list[tuple[int, tuple[int, ...]]] = []
        self.events = {"image_write": 0, "residual_read": 0, "parameter_read": 0}
        self.taken: list[int] = []
        self.written: list[int] = []
        self.busy: list[int] = []
        self.sums_taken = 0
        self.cycle = 0

    async def run(self) -> None:
        """Serve reads and writes, until cancelled."""
        dut, columns = self.dut, MACHINE.columns
        while True:
            await FallingEdge(dut.clk)
            reads: dict[Any, int] = {}
            for name, words in self.words.items():
                if getattr(dut, f"{name}__enable").value:
                    # A word that the model does not know is read by none but a pass that has failed.
                    address = getattr(dut, f"{name}__address").value.to_unsigned()
                    reads[getattr(dut, f"{name}__data")] = words[address] if address < len(words) else 0
            if dut.residual__enable.value:
                address = dut.residual__address.value.to_unsigned()
                reads[dut.residual__data] = pack_bits(self.image[address : address + columns])
            if dut.write__enable.value:
                self._write()
            for name, number in unpack(EVENTS, dut.events.value.to_unsigned()).items():
                self.events[name] += number
            if dut.results__valid.value and dut.results__ready.value:
                self.taken.append(self.cycle)
            if dut.sums__valid.value and dut.sums__ready.value:
                self.sums_taken += 1
            if dut.busy.value:
                self.busy.append(self.cycle)
            await RisingEdge(dut.clk)
            for handle, value in reads.items():
                handle.value = value
            self.cycle += 1

    def _write(self) -> None:
        dut, columns = self.dut, MACHINE.columns
        mask, word = dut.write__mask.value.to_unsigned(), dut.write__data.value.to_unsigned()
        start = dut.write__address.value.to_unsigned() * columns
        places = [bit for bit in range(columns) if mask >> bit & 1]
        assert places == list(range(places[0], places[0] + len(places)))
        bits = tuple(word >> bit & 1 for bit in places)
        self.writes.append((start + places[0], bits))
        self.written.append(self.cycle)
        self.image[start + places[0] :][: len(bits)] = bits


async def run_case(
    dut: HierarchyObject, case: OutputStageCase, stalls: tuple[float, float], rng: Random
) -> Banks:
    """Give a pass its beats and window sums; returns when the output stage is idle or has failed."""
    dut.layer.value = pack_descriptor(encode(case.layer_pass))
    banks = Banks(dut, case)
    dut.start.value = 1
    server = cocotb.start_soon(banks.run())
    await RisingEdge(dut.clk)
    dut.start.value = 0
    beats = [pack(BEAT, beat.tolist()) for beat in case.beats()]
    sums = [pack(SUMS, sums) for sums in case.bus_sums()]
    senders = [
        cocotb.start_soon(send(dut, "results", beats, stalls[0], rng)),
        cocotb.start_soon(send(dut, "sums", sums, stalls[1], rng)),
    ]
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
        if dut.error.value.to_unsigned():
            assert dut.busy.value, "an error shows before the end"
            break
    # What would still be written after the end shows up.
    for _ in range(60):
        await RisingEdge(dut.clk)
    for task in (server, *senders):
        task.cancel()
    for name in ("results", "sums"):
        getattr(dut, f"{name}__valid").value = 0
    return banks


def golden(case: OutputStageCase) -> OutputStageRun:
    return run_output_stage(
        case.layer_pass,
        case.accumulators,
        case.window_sums,
        parameters=case.parameters,
        scales=case.scales,
        thresholds=case.thresholds,
        image=case.image,
        wraps=True,
    )


def cycles_of_windows(case: OutputStageCase) -> list[int]:
    """Cycles that each beat takes: one, those of the outer windows ``interval``."""
    layer_pass = case.layer_pass
    beats = layer_pass.channel_beats * layer_pass.clusters
    inner = [1] * beats * (layer_pass.windows - 1)
    return (inner + [layer_pass.interval] * beats) * layer_pass.regions


async def compare(
    dut: HierarchyObject, case: OutputStageCase, stalls: tuple[float, float], rng: Random
) -> OutputStageRun:
    """Everything that a pass does with what the golden model says."""
    expected = golden(case)
    banks = await run_case(dut, case, stalls, rng)
    assert dut.error.value.to_unsigned() == Error.NONE.value
    found = list(zip(expected.addresses.tolist(), map(tuple, expected.bits.tolist()), strict=True))
    assert banks.writes == found, case.layer_pass
    assert banks.events == {
        "image_write": expected.image_writes,
        "residual_read": expected.residual_reads,
        "parameter_read": expected.parameter_reads,
    }
    cycles = cycles_of_windows(case)
    assert len(banks.taken) == len(cycles)
    assert banks.sums_taken == case.window_sums[..., 0].size
    end = banks.taken[-1] + case.layer_pass.last_write_cycles
    assert banks.busy == list(range(1, end + 1))
    if len(banks.written) and outer_is_written(case):
        assert banks.written[-1] == end
    if stalls == (0, 0):
        start = BeatWalk.LATENCY
        assert banks.taken == [start + sum(cycles[:index]) for index in range(len(cycles))]
    return expected


def outer_is_written(case: OutputStageCase) -> bool:
    """Whether the very last beat is."""
    layer_pass = case.layer_pass
    columns = layer_pass.region_columns * layer_pass.clusters_x
    rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
    exists = layer_pass.channel_beats - 1 in layer_pass.existing_beats
    return exists and layer_pass.out_width >= columns and layer_pass.out_height >= rows


def having(case: OutputStageCase, **numbers: int) -> OutputStageCase:
    """The same case with other numbers in its pass."""
    return replace(case, layer_pass=replace(case.layer_pass, **numbers))  # type: ignore[arg-type]


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
    for choices in KINDS.values():
        for search_reads in range(MOST_SEARCH_READS + 1):
            if choices.get("raw") and search_reads:
                continue
            fixed = {"search_reads": search_reads, "raw": False, "out_planes": 1, "residual_planes": 1}
            case = random_case(MACHINE, rng, **(fixed | choices))
            case = having(case, interval=case.layer_pass.least_interval)
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


async def refuse(dut: HierarchyObject, case: OutputStageCase, error: Error, rng: Random) -> None:
    """The golden model and the output stage both; after a reset the next pass is as if nothing had been."""
    with pytest.raises(OutputStageError) as found:
        golden(case)
    assert found.value.bank == ("image" if error is Error.IMAGE_BANK else "parameters")
    banks = await run_case(dut, case, (0, 0), rng)
    assert dut.error.value.to_unsigned() == error.value
    bits = MACHINE.image_words * MACHINE.columns
    assert all(address + len(written) <= bits for address, written in banks.writes)
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    await compare(dut, random_case(MACHINE, rng, pool=Pool.SUM, multiplies=True), (0, 0), rng)


def whole_case(rng: Random, **choices: Any) -> OutputStageCase:
    """One that writes all of its regions."""
    case = random_case(MACHINE, rng, pool=Pool.NONE, **choices)
    return case if outer_is_written(case) else whole_case(rng, **choices)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def what_is_beyond_the_image_bank_is_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    bits = MACHINE.image_words * MACHINE.columns
    for raw in (False, True):
        case = whole_case(rng, raw=raw)
        expected = golden(case)
        size = expected.bits.shape[1]
        room = bits - int(expected.addresses.max()) - size
        last = case.layer_pass.out_base + room
        await compare(dut, having(case, out_base=last), (0, 0), rng)
        await refuse(dut, having(case, out_base=last + size), Error.IMAGE_BANK, rng)
        await refuse(dut, having(case, out_base=(1 << 32) - size), Error.IMAGE_BANK, rng)
        if size > 1:
            await refuse(dut, having(case, out_base=size // 2), Error.IMAGE_BANK, rng)

    case = whole_case(rng, multiplies=True, residual=True)
    await refuse(dut, having(case, residual_base=bits - LANES + 1), Error.IMAGE_BANK, rng)
    await refuse(dut, having(case, residual_base=(1 << 32) - LANES), Error.IMAGE_BANK, rng)


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def words_beyond_their_banks_are_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for name in ("parameter_base", "scale_base"):
        for beyond in (1, MACHINE.parameter_beats):
            case = whole_case(rng, multiplies=True)
            base = MACHINE.parameter_beats - case.layer_pass.channel_beats + beyond
            await refuse(dut, having(case, **{name: base}), Error.PARAMETER_BANK, rng)
    for multiplies in (False, True):
        # The least threshold of a channel that searches, and the entry of one that does not.
        case = whole_case(rng, multiplies=multiplies, raw=False, search_reads=1, table=False)
        await refuse(dut, based_at(case, MACHINE.threshold_beats), Error.PARAMETER_BANK, rng)
        await compare(dut, based_at(case, MACHINE.threshold_beats - 1), (0, 0), rng)
        case = having(case, search_reads=0, table=True, table_offset=255)
        case = having(case, interval=case.layer_pass.least_interval)
        await refuse(dut, based_at(case, MACHINE.threshold_beats - 255), Error.PARAMETER_BANK, rng)


def based_at(case: OutputStageCase, base: int) -> OutputStageCase:
    """The same pass with all channels searching from one word on, in a bank that has all the words there are."""
    places, at = {}, 0
    for field in PARAMETER_FIELDS:
        places[field.name] = range(at, at + field.bits)
        at += field.bits
    parameters = case.parameters.reshape(len(case.parameters), LANES, CHANNEL_BITS).copy()
    parameters[..., list(places["threshold_base"])] = [base >> bit & 1 for bit in range(16)]
    parameters[..., list(places["search"])] = 1
    thresholds = np.zeros((MACHINE.threshold_beats, LANES * CHANNEL_BITS), dtype=np.uint8)
    return replace(case, parameters=parameters.reshape(len(parameters), -1), thresholds=thresholds)


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


def with_beats(case: OutputStageCase, beats: int) -> OutputStageCase:
    """The same pass with one kernel tile of so many beats, all with the parameters of the first."""
    # All beats of a pixel are written to the same place.
    layer_pass = replace(
        case.layer_pass, kernel_tiles=1, beats=1, last_beats=beats, out_beat_bits=0, spread=False
    )
    base = layer_pass.parameter_base
    parameters = np.concatenate(
        [case.parameters[:base], np.repeat(case.parameters[base : base + 1], beats, axis=0)]
    )
    accumulators = np.repeat(case.accumulators[..., :1, :], beats, axis=-2)
    return replace(case, layer_pass=layer_pass, accumulators=accumulators, parameters=parameters)
