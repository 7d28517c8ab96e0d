"""What follows from the numbers of a pass."""

from dataclasses import replace

import pytest

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.passes import Pass
from spinplane.machine.timing import LOOKUP_CYCLES, MULTIPLY_CYCLES, OUTPUT_STAGE_CYCLES

MACHINE = Machine(
    name="beats", sub_arrays=8, rows=64, columns=64, segments=2, row_buses=4, results_per_cycle=4
)
PASS = Pass(machine=MACHINE, kernel_tiles=3, sub_arrays=8, beats=2, last_sub_arrays=3, last_beats=1)


@pytest.mark.parametrize(
    ("numbers", "writes", "bits", "interval"),
    [
        ({}, 1, 4, 1),
        ({"out_planes": 3}, 3, 4, 3),
        ({"out_planes": 3, "residual_planes": 5}, 3, 4, 3),
        ({"out_planes": 3, "residual_planes": 5, "residual": True}, 3, 4, 5),
        ({"out_planes": 7, "raw": True}, 2, 64, 2),
        ({"raw": True, "machine": replace(MACHINE, results_per_cycle=1)}, 1, 32, 1),
        # A read follows from the one before it, and the next beat's first one may be on its way.
        ({"search_reads": 4}, 1, 4, 4 * LOOKUP_CYCLES - 1),
        ({"search_reads": 1, "table": True}, 1, 4, 2 * LOOKUP_CYCLES - 1),
        # Four lanes share a multiplier; a search keeps its values until it has ended, products wait for residuals.
        ({"multiplies": True}, 1, 4, 4),
        ({"multiplies": True, "search_reads": 2}, 1, 4, 4 + 2 * LOOKUP_CYCLES),
        ({"multiplies": True, "table": True}, 1, 4, 4),
        ({"multiplies": True, "residual": True, "residual_planes": 5}, 1, 4, 4 + 8),
    ],
)
def test_an_outer_beat_takes_its_writes_or_its_reads(
    numbers: dict[str, object], writes: int, bits: int, interval: int
) -> None:
    layer_pass = replace(PASS, **numbers)  # type: ignore[arg-type]
    assert (layer_pass.writes, layer_pass.write_bits, layer_pass.least_interval) == (writes, bits, interval)


def test_a_beat_reads_what_it_uses() -> None:
    unused = replace(PASS, residual_planes=5)
    assert (unused.lookups, unused.read_residual_planes) == (0, 0)
    used = replace(PASS, residual_planes=5, residual=True, multiplies=True, search_reads=3, table=True)
    assert (used.lookups, used.read_residual_planes) == (4, 5)


@pytest.mark.parametrize(
    ("numbers", "products"),
    [
        ({}, ()),
        ({"multiplies": True}, (1,)),
        ({"multiplies": True, "float_scale": True}, (1,)),
        ({"multiplies": True, "residual": True}, (2,)),
        ({"multiplies": True, "own_code": True}, (1, 1)),
        ({"multiplies": True, "own_code": True, "residual": True}, (1, 2)),
        ({"multiplies": True, "own_code": True, "multiplies_total": True}, (1, 1, 1)),
        ({"multiplies": True, "own_code": True, "residual": True, "multiplies_total": True}, (1, 2, 1)),
    ],
)
@pytest.mark.parametrize("multipliers", [1, 4])
def test_a_phase_begins_with_the_results_of_the_one_before(
    numbers: dict[str, bool], products: tuple[int, ...], multipliers: int
) -> None:
    lanes = 4 // multipliers
    layer_pass = replace(PASS, machine=replace(MACHINE, multipliers=multipliers), **numbers)  # type: ignore[arg-type]
    assert layer_pass.multiplications == products
    first, after = 0, 0
    for count in products:
        after = first + count * lanes
        # The first lane's last product of this phase has its result when that one takes the next operand.
        first = max(after, after - lanes + MULTIPLY_CYCLES + 2)
    assert layer_pass.multiplier_cycles == after
    assert layer_pass.least_interval == max(1, after)
    depth = OUTPUT_STAGE_CYCLES + (after + MULTIPLY_CYCLES if products else 0) + 1
    assert layer_pass.last_write_cycles == depth
    further = replace(layer_pass, residual_planes=6, search_reads=2, table=bool(products), out_planes=3)
    reading = 5 if layer_pass.residual and not layer_pass.own_code else 0
    assert further.reading_cycles == reading
    assert further.last_write_cycles == depth + reading + LOOKUP_CYCLES * (2 + bool(products)) + 2


def test_beats_are_those_of_the_kernel_tiles() -> None:
    assert PASS.channel_beats == 5
    PASS.check_beats()
    # Only the last kernel tile counts where there is no other.
    replace(PASS, kernel_tiles=1, beats=9).check_beats()


def test_beats_of_slots_apart_have_places_of_their_own() -> None:
    spread = replace(
        PASS, slots=2, spread=True, kernel_tiles=2, beats=4, last_beats=2, slot_beats=3, out_beats=5
    )
    assert spread.places == (0, 3, 1, 4, 2, 5)
    assert spread.existing_beats == (0, 1, 2, 3, 4)
    plain = replace(spread, spread=False)
    assert plain.places == (0, 1, 2, 3, 4, 5)
    assert plain.existing_beats == (0, 1, 2, 3, 4)


def test_rows_of_slots_apart_are_longer_and_take_longer() -> None:
    row = replace(PASS, slots=4, planes=2, clusters=2, plane_group_bits=160)
    spread = replace(row, spread=True)
    assert spread.longest == 4 * row.longest == 4 * row.block_columns
    assert (row.row_set_cycles, spread.row_set_cycles) == (2, 4)
    assert (row.plane_bits, spread.plane_bits) == (row.block_columns, 80)


def test_the_last_kernel_plane_may_be_subtracted() -> None:
    assert replace(PASS, kernel_planes=3).kernel_plane_signs == (1, 1, 1)
    assert replace(PASS, kernel_planes=3, subtracts=True).kernel_plane_signs == (1, 1, -1)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            {"clusters": 4, "slots": 4, "spread": True},
            "2 sub-arrays of a cluster with each slot of its own elements: must fill whole beats of 4 results",
        ),
        (
            {"slots": 2, "spread": True, "sub_arrays": 6, "beats": 3},
            "descriptor field sub_arrays: 6 sub-arrays do not fill whole beats of 4 results",
        ),
        (
            {"clusters": 4},
            "2 sub-arrays of a cluster with 1 slots: must fill whole beats of 4 results",
        ),
        ({"beats": 1}, "descriptor field beats: 4 lanes for 8 results of a cluster"),
        ({"beats": 3}, "descriptor field beats: 12 lanes for 8 results of a cluster"),
        ({"last_beats": 3}, "descriptor field last_beats: 12 lanes for 3 results of a cluster"),
    ],
)
def test_beats_of_other_results_are_refused(numbers: dict[str, int], message: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{message}$"):
        replace(PASS, **numbers).check_beats()  # type: ignore[arg-type]
