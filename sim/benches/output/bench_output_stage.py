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

from spinplane.behavioral.output.output_stage import OutputStageError, OutputStageRun, run_output_stage
from spinplane.hdl.common.beat import result_beat_layout, window_sums_layout
from spinplane.hdl.output.output_address_generator import OutputAddressGenerator
from spinplane.hdl.output.output_stage import output_stage_events
from spinplane.machine import Machine
from spinplane.machine.codec import encode
from spinplane.machine.descriptor import PoolAt, Requantize
from spinplane.machine.registers import Error

from ...packing import pack, pack_bits, pack_descriptor, unpack
from ...streams import reset, send
from .output_stage_cases import OutputStageCase, random_case

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
BEAT, SUMS, EVENTS = result_beat_layout(MACHINE), window_sums_layout(MACHINE), output_stage_events()


class Banks:
    """The banks around the output stage, and a record of what it did in each cycle."""

    def __init__(self, dut: HierarchyObject, case: OutputStageCase) -> None:
        self.dut = dut
        self.words = {
            name: [pack_bits(word) for word in getattr(case, name)] for name in ("parameters", "thresholds")
        }
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
        thresholds=case.thresholds,
        image=case.image,
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
        start = OutputAddressGenerator.LATENCY
        assert banks.taken == [start + sum(cycles[:index]) for index in range(len(cycles))]
    return expected


def outer_is_written(case: OutputStageCase) -> bool:
    """Whether the very last beat is."""
    layer_pass = case.layer_pass
    columns = layer_pass.region_columns * layer_pass.clusters_x
    rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
    return layer_pass.out_width >= columns and layer_pass.out_height >= rows


def having(case: OutputStageCase, **numbers: int) -> OutputStageCase:
    """The same case with other numbers in its pass."""
    return replace(case, layer_pass=replace(case.layer_pass, **numbers))  # type: ignore[arg-type]


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def every_pooling_and_activation(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    written = 0
    for pool, requantize in product(PoolAt, Requantize):
        for stalls in ((0, 0), (0.4, 0.6)):
            case = random_case(MACHINE, pool, requantize, rng)
            written += (await compare(dut, case, stalls, rng)).image_writes
    assert written > 200


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_beat_a_window_back_to_back(dut: HierarchyObject) -> None:
    """The pooling memory is read while its only word is written."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for pool in (PoolAt.SUM, PoolAt.MAX, PoolAt.MAX_BEFORE):
        case = random_case(MACHINE, pool, Requantize.RAW, rng)
        while case.accumulators.shape[-3:-1] != (1, 1) or np.prod(case.accumulators.shape[2:4]) < 4:
            case = random_case(MACHINE, pool, Requantize.RAW, rng)
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
    await compare(dut, random_case(MACHINE, PoolAt.SUM, Requantize.SHIFT, rng), (0, 0), rng)


def whole_case(pool: PoolAt, requantize: Requantize, rng: Random) -> OutputStageCase:
    """One that writes all of its regions and reads residuals."""
    case = random_case(MACHINE, pool, requantize, rng)
    while not (outer_is_written(case) and case.layer_pass.residual) or (
        requantize is Requantize.THRESHOLDS and not case.layer_pass.threshold_words
    ):
        case = random_case(MACHINE, pool, requantize, rng)
    return case


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def what_is_beyond_a_bank_is_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    bits, lanes = MACHINE.image_words * MACHINE.columns, MACHINE.results_per_cycle
    for requantize in (Requantize.SHIFT, Requantize.RAW):
        case = whole_case(PoolAt.NONE, requantize, rng)
        expected = golden(case)
        size = expected.bits.shape[1]
        room = bits - int(expected.addresses.max()) - size
        last = case.layer_pass.out_base + room
        await compare(dut, having(case, out_base=last), (0, 0), rng)
        await refuse(dut, having(case, out_base=last + size), Error.IMAGE_BANK, rng)
        await refuse(dut, having(case, out_base=(1 << 32) - size), Error.IMAGE_BANK, rng)
        if size > 1:
            await refuse(dut, having(case, out_base=size // 2), Error.IMAGE_BANK, rng)

    case = whole_case(PoolAt.NONE, Requantize.SHIFT, rng)
    await refuse(dut, having(case, residual_base=bits - lanes + 1), Error.IMAGE_BANK, rng)

    case = whole_case(PoolAt.NONE, Requantize.SHIFT, rng)
    base = MACHINE.parameter_beats - case.layer_pass.channel_beats + 1
    await refuse(dut, having(case, parameter_base=base), Error.PARAMETER_BANK, rng)

    if MACHINE.threshold_beats < 1 << 16:
        case = having(
            whole_case(PoolAt.NONE, Requantize.THRESHOLDS, rng),
            threshold_base=MACHINE.threshold_beats - 1,
            threshold_words=2,
            interval=32,
            low=0,
            high=8,
            code_shift=0,
            out_planes=8,
        )
        await refuse(dut, case, Error.PARAMETER_BANK, rng)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def windows_of_more_beats_than_can_be_held_are_refused(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for pool in PoolAt:
        case = random_case(MACHINE, pool, Requantize.SHIFT, rng)
        beats = MACHINE.pool_beats // case.accumulators.shape[-3] + 1
        case = with_beats(case, beats)
        if pool is PoolAt.NONE:
            await compare(dut, case, (0, 0), rng)
        else:
            await refuse(dut, case, Error.PARAMETER_BANK, rng)


def with_beats(case: OutputStageCase, beats: int) -> OutputStageCase:
    """The same pass with one kernel tile of so many beats, all with the parameters of the first."""
    # All beats of a pixel are written to the same place, and take the same residuals.
    layer_pass = replace(
        case.layer_pass, kernel_tiles=1, beats=1, last_beats=beats, out_beat_bits=0, residual=False
    )
    base = layer_pass.parameter_base
    parameters = np.concatenate(
        [case.parameters[:base], np.repeat(case.parameters[base : base + 1], beats, axis=0)]
    )
    accumulators = np.repeat(case.accumulators[..., :1, :], beats, axis=-2)
    return replace(case, layer_pass=layer_pass, accumulators=accumulators, parameters=parameters)
