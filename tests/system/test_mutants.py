# amaranth: UnusedElaboratable=no
"""Faults put into the hardware: the bench of the sub-array passes without them and fails with each."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from amaranth.hdl import Cat, Module
from amaranth.lib import wiring

from spinplane import hdl
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.export.machine_verilog import array_model
from spinplane.machine import Machine
from spinplane.sim import BenchRun, run_bench

MACHINE = Machine(
    name="mutant",
    sub_arrays=1,
    rows=16,
    columns=32,
    segments=2,
    accumulator_bits=16,
    write_cycles=2,
    memory_operations=True,
)
TESTS = ["random_commands", "random_commands_with_stalls", "a_reset_without_a_pulse_cuts_none"]


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault, and what the bench says of it.

    Of several assignments to one signal the last one holds: `fault` adds those of the faulty component.

    Parameters
    ----------
    component : type
    fault : callable
        Gets the component and the module that it was elaborated into.
    found : str
        Pattern of the bench's message.
    """

    component: type[wiring.Component]
    fault: Callable[[Any, Module], None]
    found: str


RESULTS_DIFFER = r"AssertionError: results differ in \d+ places, first at \[\d+\]"
EVENTS_DIFFER = "AssertionError: events differ"


def refused(by_the_array: str) -> str:
    return rf"sot_mram_array sub_array\.sot_mram_array(\.\w+)?: {by_the_array}"


UNKNOWN = refused(r"senses an unknown cell in row \d+ or \d+, columns [0-9a-f]+")
#: What cells that hold something else lead to first hangs on the commands that the bench draws.
WRONG_CELLS = f"{RESULTS_DIFFER}|{UNKNOWN}"


def first_pair_again(controller: hdl.SubArrayController, m: Module) -> None:
    with m.If(controller.finished):
        m.d.sync += controller._command.row_b.eq(controller._command.row_b)


def cleared_at_every_pair(controller: hdl.SubArrayController, m: Module) -> None:
    with m.If(controller.finished & ~controller._is_last):
        m.d.sync += controller._command.clear.eq(controller._command.clear)


def decoder_output_stuck_at_0(decoder: hdl.MultiLineRowDecoder, m: Module) -> None:
    m.d.comb += decoder.word_lines[5].eq(0)


def decoder_output_stuck_at_1(decoder: hdl.RowDecoder, m: Module) -> None:
    with m.If(decoder.enable):
        m.d.comb += decoder.word_lines[5].eq(1)


def neighbour_of_the_row_read(decoder: hdl.MultiLineRowDecoder, m: Module) -> None:
    a, b = decoder.address_a ^ 1, decoder.address_b ^ 1
    m.d.comb += decoder.word_lines.eq((decoder.enable_a << a) | (decoder.enable_b << b))


def amount_loses_its_top_bit(shifter: hdl.Shifter, m: Module) -> None:
    m.d.comb += shifter.shifted.eq(shifter.value << shifter.amount[:-2])


def amount_one_too_many(shifter: hdl.Shifter, m: Module) -> None:
    m.d.comb += shifter.shifted.eq(shifter.value << shifter.amount + 1)


def added_in_place_of_subtracted(shifter: hdl.Shifter, m: Module) -> None:
    m.d.comb += shifter.shifted.eq(shifter.value << shifter.amount)


def zeros_shifted_into_a_complement(shifter: hdl.Shifter, m: Module) -> None:
    inverted = shifter.value ^ shifter.invert.replicate(len(shifter.value))
    signed = Cat(inverted, shifter.invert).as_signed()
    m.d.comb += shifter.shifted.eq(signed << shifter.amount)


def complement_without_its_carry(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._sum.addends.payload.carry.eq(0)


def and_sensed_with_the_reference_of_or(select: hdl.ReferenceSelect, m: Module) -> None:
    m.d.comb += [
        select.en_or.eq(select.sense == hdl.Sense.AND),
        select.en_and.eq(select.sense == hdl.Sense.OR),
    ]


def no_reference(select: hdl.ReferenceSelect, m: Module) -> None:
    m.d.comb += select.en_m.eq(0)


def write_of_a_row_dropped(sub_array: hdl.SubArray, m: Module) -> None:
    with m.If(sub_array._controller.write_address == 3):
        m.d.comb += sub_array._array.wwl.eq(0)


def write_back_dropped(sub_array: hdl.SubArray, m: Module) -> None:
    with m.If(sub_array._controller.write_back):
        m.d.comb += sub_array._array.wwl.eq(0)


def mask_ignored(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._array.wbl_enable.eq(-1)


def column_not_counted(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._bit_counter.row.payload.bits[7].eq(0)


def one_slot_in_every_mode(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._bit_counter.row.payload.mode.log_slots.eq(0)


def planes_weigh_the_same(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._bit_counter.row.payload.mode.log_planes.eq(0)


def accumulators_not_cleared(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._sum.addends.payload.clear.eq(0)


def all_columns_sensed(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._array.rbl_enable.eq(-1)


def row_lost_when_it_has_to_wait(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array._controller.counted.ready.eq(1)


def ands_not_counted(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array.events.and_.eq(0)


def pulse_not_shown(sub_array: hdl.SubArray, m: Module) -> None:
    m.d.comb += sub_array.pulse.eq(0)


MUTANTS = {
    mutant.fault.__name__: mutant
    for mutant in (
        Mutant(
            component=hdl.SubArrayController,
            fault=first_pair_again,
            found=refused("EN_AND and EN_OR sense two rows, not one"),
        ),
        Mutant(component=hdl.SubArrayController, fault=cleared_at_every_pair, found=RESULTS_DIFFER),
        Mutant(
            component=hdl.MultiLineRowDecoder,
            fault=decoder_output_stuck_at_0,
            found=refused("EN_AND and EN_OR sense two rows, not one"),
        ),
        Mutant(
            component=hdl.RowDecoder,
            fault=decoder_output_stuck_at_1,
            found=refused("more than one write word line"),
        ),
        Mutant(component=hdl.MultiLineRowDecoder, fault=neighbour_of_the_row_read, found=UNKNOWN),
        Mutant(component=hdl.Shifter, fault=amount_loses_its_top_bit, found=RESULTS_DIFFER),
        Mutant(component=hdl.Shifter, fault=amount_one_too_many, found=RESULTS_DIFFER),
        Mutant(component=hdl.Shifter, fault=added_in_place_of_subtracted, found=RESULTS_DIFFER),
        Mutant(component=hdl.Shifter, fault=zeros_shifted_into_a_complement, found=RESULTS_DIFFER),
        Mutant(component=hdl.SubArray, fault=complement_without_its_carry, found=RESULTS_DIFFER),
        Mutant(
            component=hdl.ReferenceSelect, fault=and_sensed_with_the_reference_of_or, found=RESULTS_DIFFER
        ),
        Mutant(component=hdl.ReferenceSelect, fault=no_reference, found=refused("no reference is enabled")),
        Mutant(component=hdl.SubArray, fault=write_of_a_row_dropped, found=UNKNOWN),
        Mutant(component=hdl.SubArray, fault=write_back_dropped, found=WRONG_CELLS),
        Mutant(component=hdl.SubArray, fault=mask_ignored, found=WRONG_CELLS),
        Mutant(component=hdl.SubArray, fault=column_not_counted, found=RESULTS_DIFFER),
        Mutant(component=hdl.SubArray, fault=one_slot_in_every_mode, found=RESULTS_DIFFER),
        Mutant(component=hdl.SubArray, fault=planes_weigh_the_same, found=RESULTS_DIFFER),
        Mutant(component=hdl.SubArray, fault=accumulators_not_cleared, found=RESULTS_DIFFER),
        Mutant(component=hdl.SubArray, fault=all_columns_sensed, found=WRONG_CELLS),
        Mutant(
            component=hdl.SubArray,
            fault=row_lost_when_it_has_to_wait,
            found=f"SimTimeoutError|{RESULTS_DIFFER}",
        ),
        Mutant(component=hdl.SubArray, fault=ands_not_counted, found=EVENTS_DIFFER),
        Mutant(
            component=hdl.SubArray,
            fault=pulse_not_shown,
            found=refused("write pulse of 1 cycles, the cell needs 2"),
        ),
    )
}


def bench() -> BenchRun:
    return run_bench(
        "spinplane.sim.benches.array.bench_sub_array",
        {"sot_mram_array": array_model(), **verilog_modules(hdl.SubArray(MACHINE), "sub_array")},
        "sub_array",
        simulator="icarus",
        testcase=TESTS,
        environment={"BENCH_MACHINE": json.dumps(asdict(MACHINE))},
    )


def test_the_bench_passes_without_a_fault() -> None:
    assert bench().check().tests == len(TESTS)


@pytest.mark.thorough
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_the_bench_finds(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = mutant.component.elaborate

    def elaborate(component: wiring.Component, platform: object) -> Module:
        m = sound(component, platform)
        mutant.fault(component, m)
        return m

    monkeypatch.setattr(mutant.component, "elaborate", elaborate)
    run = bench()
    assert run.tests >= 1
    assert re.match(mutant.found, run.message), run.message
