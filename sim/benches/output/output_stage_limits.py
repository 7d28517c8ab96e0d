"""Passes of the output stage at the ends of its banks, and of what their words hold."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np

from spinplane.behavioral.output.output_packer import OutputMap
from spinplane.machine import Machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import PARAMETER_FIELDS
from spinplane.machine.passes import MOST_BEATS

from .output_stage_cases import OutputStageCase, number, random_case

#: Of a pass in which all beats exist, in the order of their addresses.
_ALL_BEATS: dict[str, Any] = {"slots": 1, "out_beats": MOST_BEATS}


def having(case: OutputStageCase, **numbers: int) -> OutputStageCase:
    """The same case with other numbers in its pass."""
    return replace(case, layer_pass=replace(case.layer_pass, **numbers))  # type: ignore[arg-type]


def with_fields(case: OutputStageCase, **numbers: Any) -> OutputStageCase:
    """The same case with other numbers in all words of parameters: of every channel, or one for each lane."""
    parameters = case.parameters.reshape(len(case.parameters), -1, CHANNEL_BITS).copy()
    at = 0
    for field in PARAMETER_FIELDS:
        if field.name in numbers:
            bits = np.asarray(numbers[field.name])[..., np.newaxis] >> np.arange(field.bits) & 1
            parameters[..., at : at + field.bits] = bits
        at += field.bits
    return replace(case, parameters=parameters.reshape(len(parameters), -1))


def whole_map(case: OutputStageCase) -> dict[str, int]:
    """Size of the map in which every region yields an output."""
    layer_pass = case.layer_pass
    clusters_y = layer_pass.clusters // layer_pass.clusters_x
    return {
        "out_width": layer_pass.region_columns * layer_pass.clusters_x,
        "out_height": layer_pass.region_rows * clusters_y,
    }


def outer_is_written(case: OutputStageCase) -> bool:
    """Whether the very last beat is."""
    exists = case.layer_pass.channel_beats - 1 in case.layer_pass.existing_beats
    return exists and all(getattr(case.layer_pass, name) >= size for name, size in whole_map(case).items())


def whole_case(machine: Machine, rng: Random, **choices: Any) -> OutputStageCase:
    """One that writes all of its regions."""
    case = random_case(machine, rng, pool=Pool.NONE, **_ALL_BEATS, **choices)
    return case if outer_is_written(case) else whole_case(machine, rng, **choices)


def based_at(case: OutputStageCase, bases: Any) -> OutputStageCase:
    """The same case with channels that all search, from one word on or one for each lane, in a bank of zeros."""
    thresholds = np.zeros((case.layer_pass.machine.threshold_beats, case.thresholds.shape[1]), dtype=np.uint8)
    return replace(with_fields(case, threshold_base=bases, search=1), thresholds=thresholds)


def lost_beside_the_map(machine: Machine, rng: Random) -> OutputStageCase:
    """One in which searches of the beats that are not written, and of no others, leave the bank."""
    searches = {"multiplies": False, "raw": False, "search_reads": 2, "table": False}
    case = random_case(machine, rng, pool=Pool.NONE, window_sum_scale=0, **_ALL_BEATS, **searches)
    if outer_is_written(case):
        return lost_beside_the_map(machine, rng)
    # All thresholds are 0: what is negative reaches none, and finds its second word behind the first.
    case = based_at(with_fields(case, bias=0), machine.threshold_beats - 2)
    values = np.ones_like(case.accumulators)
    region, cluster = OutputMap(case.layer_pass).outputs
    layer_pass = case.layer_pass
    values.reshape(layer_pass.regions, layer_pass.windows, layer_pass.clusters, -1)[region, :, cluster] = -1
    return replace(case, accumulators=values)


def residual_at_the_end(machine: Machine, rng: Random, planes: int) -> OutputStageCase:
    """One whose last plane of residuals is the last of the image bank, far from what is written."""
    while True:
        case = whole_case(machine, rng, multiplies=True, residual=True, residual_planes=planes)
        layer_pass = having(case, out_base=0).layer_pass
        rows, columns = layer_pass.out_height, layer_pass.out_width
        reach = (rows - 1) * layer_pass.residual_line_bits + (columns - 1) * layer_pass.residual_pixel_bits
        reach += (planes - 1) * layer_pass.residual_plane_bits + layer_pass.channel_beats * layer_pass.lanes
        base = machine.image_words * machine.columns - reach
        if rows * layer_pass.out_line_bits <= base:
            return having(case, out_base=0, residual_base=base)


def wide_totals(machine: Machine, rng: Random) -> Iterator[OutputStageCase]:
    """Some whose totals have from 30 bits to more than 36, and are divided again until they are codes."""
    for own_shift in (2, 4, 6, 8):
        yield whole_case(
            machine,
            rng,
            **dict.fromkeys(("multiplies", "own_code", "multiplies_total"), True),
            raw=False,
            search_reads=0,
            own_multiplier=number(31, rng, 31),
            own_high_shift=0,
            own_shift=own_shift,
            total_multiplier=number(27, rng, 27),
            total_high_shift=40,
            total_shift=14,
            total_low=-256,
            total_high=255,
        )


def with_beats(case: OutputStageCase, beats: int) -> OutputStageCase:
    """The same case with one kernel tile of so many beats, all with the parameters of the first."""
    # All beats of a pixel are written to the same place.
    case = having(
        case, kernel_tiles=1, beats=1, last_beats=beats, out_beat_bits=0, spread=False, **_ALL_BEATS
    )
    base = case.layer_pass.parameter_base
    parameters = np.concatenate(
        [case.parameters[:base], np.repeat(case.parameters[base : base + 1], beats, axis=0)]
    )
    accumulators = np.repeat(case.accumulators[..., :1, :], beats, axis=-2)
    return replace(case, accumulators=accumulators, parameters=parameters)
