"""Faults put into the counts of the functional machine and of the prediction: the contract's events tell each one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of, random_pass
from contract_interpreter import Interpreter

from spinplane.behavioral import Accelerator
from spinplane.behavioral.control.sequencer import RowPairs
from spinplane.behavioral.input.input_streamer import FormedRows
from spinplane.behavioral.output.output_packer import OutputMap
from spinplane.behavioral.output.residual_loader import ResidualLoader
from spinplane.behavioral.schedule import Schedule
from spinplane.compiler import predict
from spinplane.machine.counters import AcceleratorCounters
from spinplane.machine.passes import Pass

EVENTS = ("row_writes", "ands", "image_reads", "image_writes", "kernel_reads", "parameter_reads")
#: Passes with padding, several kernel tiles, residuals, thresholds; in the last ones lines are left out.
PASSES = [random_pass(FEW, seed) for seed in range(12)]
PASSES += [random_pass(FEW, seed, pools=1, region_y=1, step=2, kernel_y=1) for seed in range(3)]


def machine_counts() -> Iterator[AcceleratorCounters]:
    for seed, layer_pass in enumerate(PASSES):
        accelerator = Accelerator(FEW)
        for name, bank in fill_banks(FEW, seed).items():
            getattr(accelerator.state, name)[:] = bank
        accelerator.program[:3] = program_of(FEW, layer_pass)
        yield accelerator.run().layers[1]


def predicted_counts() -> Iterator[AcceleratorCounters]:
    for layer_pass in PASSES:
        yield predict.predict_pass(layer_pass, loads=True)


@pytest.fixture(scope="module")
def contract() -> list[dict[str, int]]:
    """Events of the contract, and cycles of the sound machine."""
    counted = []
    for seed, (layer_pass, sound) in enumerate(zip(PASSES, machine_counts(), strict=True)):
        interpreter = Interpreter(FEW, **fill_banks(FEW, seed))
        interpreter.run_pass(layer_pass)
        events = {name: interpreter.events[name] for name in EVENTS}
        slots = layer_pass.slots
        events |= {"bit_counts": events["ands"], "additions": events["ands"] * slots}
        counted.append({**events, "shifts": events["additions"], "cycles": sound.cycles})
    return counted


def differing(counts: Iterator[AcceleratorCounters], contract: list[dict[str, int]]) -> set[str]:
    """Names of the counters that differ in some pass."""
    return {
        name
        for found, wanted in zip(counts, contract, strict=True)
        for name, number in wanted.items()
        if found.as_dict()[name] != number
    }


def test_sound_counts_are_those_of_the_contract(contract: list[dict[str, int]]) -> None:
    assert differing(machine_counts(), contract) == set()
    assert differing(predicted_counts(), contract) == set()


@dataclass(frozen=True)
class Mutant:
    """What is put in the place of what, and counters that show it.

    Parameters
    ----------
    place : type or module
    name : str
    fault : callable
        Takes what was there; returns what takes its place.
    shown_by : set of str
    """

    place: Any
    name: str
    fault: Callable[[Any], Any]
    shown_by: set[str]


SENSES = {"ands", "bit_counts", "additions", "shifts"}

MACHINE_MUTANTS = {
    "rows_of_padding_read_the_bank": Mutant(
        Schedule,
        "_count",
        lambda sound: (
            lambda schedule, loads: replace(
                sound(schedule, loads), image_reads=schedule.walk.row.size * schedule.layer_pass.clusters
            )
        ),
        {"image_reads"},
    ),
    "last_kernel_tile_has_the_sub_arrays_of_the_others": Mutant(
        RowPairs,
        "senses",
        lambda sound: property(
            lambda pairs: pairs.input_rows[..., 0].size * pairs.kernel_rows.size * int(pairs.sub_arrays[0])
        ),
        SENSES,
    ),
    "regions_beyond_the_map_are_written": Mutant(
        OutputMap,
        "image_writes",
        lambda sound: property(lambda places: places.yields.size * places.addresses[0].size),
        {"image_writes"},
    ),
    "beats_beyond_the_map_are_written": Mutant(
        Pass,
        "existing_beats",
        lambda sound: property(lambda layer_pass: tuple(range(layer_pass.channel_beats))),
        {"image_writes"},
    ),
    "planes_of_a_spread_row_are_read_at_once": Mutant(
        FormedRows,
        "read_planes",
        lambda sound: property(lambda rows: rows.reads.astype(np.int64)),
        {"image_reads"},
    ),
    "inner_windows_read_no_parameters": Mutant(
        OutputMap,
        "parameter_reads",
        lambda sound: property(lambda places: sound.fget(places) - (places.counts.size - places.yields.size)),
        {"parameter_reads"},
    ),
    "inner_beats_read_scales": Mutant(
        OutputMap,
        "parameter_reads",
        lambda sound: property(
            lambda places: (
                sound.fget(places) + (places.counts.size - places.yields.size) * places._pass.multiplies
            )
        ),
        {"parameter_reads"},
    ),
    "beats_that_are_not_written_look_up_nothing": Mutant(
        OutputMap,
        "parameter_reads",
        lambda sound: property(
            lambda places: sound.fget(places) - int((~places.yields).sum()) * places._pass.lookups
        ),
        {"parameter_reads"},
    ),
    "residuals_are_read_once_for_all_planes": Mutant(
        ResidualLoader,
        "reads",
        lambda sound: property(lambda residual: residual.addresses[..., 0].size),
        {"image_reads"},
    ),
    "a_kernel_row_is_read_once_for_all_sub_arrays": Mutant(
        Schedule,
        "_count",
        lambda sound: (
            lambda schedule, loads: replace(
                sound(schedule, loads), kernel_reads=schedule.layer_pass.load_rows
            )
        ),
        {"kernel_reads"},
    ),
    "a_row_set_is_written_to_one_sub_array": Mutant(
        Schedule,
        "_count",
        lambda sound: (
            lambda schedule, loads: replace(
                sound(schedule, loads),
                row_writes=(schedule.load.words.size + schedule.walk.row.size) * schedule.layer_pass.clusters,
            )
        ),
        {"row_writes"},
    ),
}

PREDICTION_MUTANTS = {
    "rows_of_padding_read_the_bank": Mutant(
        predict,
        "row_reads",
        lambda sound: lambda layer_pass: sum(predict.row_sets(layer_pass)) * layer_pass.clusters,
        {"image_reads"},
    ),
    "regions_beyond_the_map_are_written": Mutant(
        predict,
        "written_regions",
        lambda sound: lambda layer_pass: layer_pass.regions * layer_pass.clusters,
        {"image_writes"},
    ),
    "every_region_writes_as_many_rows_as_the_first": Mutant(
        predict,
        "row_sets",
        lambda sound: lambda layer_pass: sound(layer_pass)[:1] * layer_pass.regions,
        {"row_writes", "cycles"},
    ),
    "beats_beyond_the_map_are_predicted": Mutant(
        Pass,
        "existing_beats",
        lambda sound: property(lambda layer_pass: tuple(range(layer_pass.channel_beats))),
        {"image_writes"},
    ),
    "lines_that_are_left_out_are_written": Mutant(
        predict,
        "new_lines",
        lambda sound: lambda layer_pass: np.arange(sound(layer_pass)[-1] + 1),
        {"image_reads"},
    ),
}


@pytest.mark.parametrize("mutant", MACHINE_MUTANTS.values(), ids=MACHINE_MUTANTS)
def test_a_wrong_count_of_the_machine_is_found(
    mutant: Mutant, contract: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutant.place, mutant.name, mutant.fault(getattr(mutant.place, mutant.name)))
    assert differing(machine_counts(), contract) >= mutant.shown_by


@pytest.mark.parametrize("mutant", PREDICTION_MUTANTS.values(), ids=PREDICTION_MUTANTS)
def test_a_wrong_count_of_the_prediction_is_found(
    mutant: Mutant, contract: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutant.place, mutant.name, mutant.fault(getattr(mutant.place, mutant.name)))
    assert differing(predicted_counts(), contract) >= mutant.shown_by
