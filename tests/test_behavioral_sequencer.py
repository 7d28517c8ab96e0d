"""The golden model of the sequencer on layers small enough to write out by hand."""

from spinplane.behavioral.sequencer import KernelWrite, load_writes, walk_regions
from spinplane.machine.descriptor import Descriptor


def test_load_goes_through_the_sub_arrays_of_a_row_first() -> None:
    layer = Descriptor(load_base=7, load_rows=2, load_sub_arrays=1, kernel_row=20)
    assert list(load_writes(layer)) == [
        KernelWrite(7, 20, 0),
        KernelWrite(8, 20, 1),
        KernelWrite(9, 21, 0),
        KernelWrite(10, 21, 1),
    ]


def test_kernel_planes_start_again_for_each_group_of_input_planes() -> None:
    layer = Descriptor(kernel_planes=1, plane_groups=1, runs=1, run_rows=1, log_planes=2, rounds=1)
    layer["group_rows"], layer["run_step"], layer["kernel_row"] = 8, 2, 30
    (region,) = walk_regions(layer)
    first, second = (
        [(run.row_a, run.row_b, run.shift) for run in one_round.runs] for one_round in region.rounds
    )
    assert first == [
        (0, 30, 0),
        (2, 32, 0),
        (8, 30, 4),
        (10, 32, 4),
        (0, 34, 1),
        (2, 36, 1),
        (8, 34, 5),
        (10, 36, 5),
    ]
    assert second == [(row_a, row_b + 8, shift) for row_a, row_b, shift in first]


def test_lines_go_around_the_ring() -> None:
    layer = Descriptor(region_rows=2, taps_y=1, tap_lines=2, region_lines=2, ring_lines=2, line_rows=5)
    layer["first_lines"], layer["next_lines"], layer["first_columns"] = 3, 2, 1
    regions = list(walk_regions(layer))
    rows = [[run.row_a for one_round in region.rounds for run in one_round.runs] for region in regions]
    assert rows == [[0, 10], [10, 5], [5, 0]]
    assert all(region.has_rows for region in regions)


def test_the_last_window_of_a_region_is_outer_and_the_last_round_is_last() -> None:
    layer = Descriptor(region_width=1, rounds=1, inner_cycles=1, last_inner_cycles=2)
    layer["outer_cycles"], layer["last_outer_cycles"] = 3, 4
    (region,) = walk_regions(layer)
    assert [one_round.cycles for one_round in region.rounds] == [1, 2, 3, 4]
    assert not region.has_rows
