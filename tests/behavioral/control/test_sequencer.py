"""The golden model of the sequencer on layers small enough to write out by hand."""

from spinplane.behavioral.control.sequencer import KernelWrite, load_writes, walk_regions
from spinplane.machine import Machine
from spinplane.machine.passes import Pass

MACHINE = Machine(name="loops", sub_arrays=2, rows=64, columns=64, segments=1)


def test_load_goes_through_the_sub_arrays_of_a_row_first() -> None:
    layer_pass = Pass(machine=MACHINE, load_base=7, load_rows=2, load_sub_arrays=2, kernel_row=20)
    assert list(load_writes(layer_pass)) == [
        KernelWrite(7, 20, 0),
        KernelWrite(8, 20, 1),
        KernelWrite(9, 21, 0),
        KernelWrite(10, 21, 1),
    ]


def test_kernel_planes_start_again_for_each_group_of_input_planes() -> None:
    layer_pass = Pass(
        machine=MACHINE,
        kernel_planes=2,
        plane_groups=2,
        bursts=2,
        burst_rows=2,
        planes=4,
        kernel_tiles=2,
        group_rows=8,
        burst_step=2,
        kernel_row=30,
    )
    (region,) = walk_regions(layer_pass)
    first, second = (
        [(burst.row_a, burst.row_b, burst.shift) for burst in one_kernel_tile.bursts]
        for one_kernel_tile in region.kernel_tiles
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
    layer_pass = Pass(
        machine=MACHINE,
        region_rows=3,
        taps_y=2,
        tap_lines=2,
        region_lines=2,
        ring_lines=3,
        line_rows=5,
        first_lines=3,
        next_lines=2,
        first_columns=1,
    )
    regions = list(walk_regions(layer_pass))
    rows = [
        [burst.row_a for one_kernel_tile in region.kernel_tiles for burst in one_kernel_tile.bursts]
        for region in regions
    ]
    assert rows == [[0, 10], [10, 5], [5, 0]]
    assert all(region.has_rows for region in regions)


def test_the_last_window_of_a_region_is_outer_and_the_last_kernel_tile_is_last() -> None:
    layer_pass = Pass(
        machine=MACHINE,
        region_width=2,
        kernel_tiles=2,
        inner_cycles=1,
        last_inner_cycles=2,
        outer_cycles=3,
        last_outer_cycles=4,
    )
    (region,) = walk_regions(layer_pass)
    assert [one_kernel_tile.cycles for one_kernel_tile in region.kernel_tiles] == [1, 2, 3, 4]
    assert not region.has_rows
