"""Drives `OutputStage` in its bench: passes against the golden model, cycle for cycle, and what both refuse."""

import json
import os
from random import Random
from typing import Any

import cocotb
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
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS
from spinplane.machine.registers import Error

from ...packing import pack, pack_bits, pack_descriptor, unpack
from ...streams import send
from .output_stage_cases import OutputStageCase, random_case
from .output_stage_limits import outer_is_written

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
