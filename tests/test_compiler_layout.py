"""Where windows and kernels lie: what fits, what is chosen, what is refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.compiler.layout import Layout, choose_layout
from spinplane.machine import Machine, SpinplaneError, load_machine

TINY = load_machine("tiny")
PLAIN = {
    "length": 9,
    "kernels": 1,
    "groups": 1,
    "planes_w": 1,
    "planes_i": 1,
    "masks_outside": False,
    "loads_constants": False,
}


def choose(machine: Machine = TINY, name: str = "layer", **changes: Any) -> Layout:
    return choose_layout(machine, name, **PLAIN | changes)


def test_many_short_kernels_share_rows() -> None:
    layout = choose(kernels=8)
    assert (layout.packed, layout.tiles, layout.sub_arrays) == (True, 1, 2)
    assert (layout.batch_kernels, layout.batches, layout.passes) == (4, 2, 1)


def test_one_kernel_lies_alone_and_hands_out_one_result() -> None:
    layout = choose()
    assert (layout.packed, layout.sub_arrays, layout.batch_kernels, layout.batches) == (False, 1, 1, 1)


def test_a_window_of_several_rows_lies_across_all_segments() -> None:
    layout = choose(length=129, kernels=2, planes_w=4, planes_i=4)
    assert (layout.packed, layout.tiles, layout.sub_arrays) == (False, 3, 2)


def test_rows_of_a_layer_follow_each_other() -> None:
    layout = choose(
        length=100, kernels=3, planes_w=3, planes_i=2, masks_outside=True, loads_constants=True, groups=2
    )
    assert (layout.tiles, layout.outside_row, layout.kernel_row, layout.batch_rows) == (2, 4, 6, 7)
    assert layout.batches == layout.batches_resident == 4
    assert [layout.batch_row(batch) for batch in range(4)] == [6, 13, 20, 27]


def test_batches_that_do_not_fit_follow_in_further_passes() -> None:
    layout = choose(replace(TINY, rows=10), length=64, kernels=22, planes_w=2, planes_i=2)
    assert (layout.packed, layout.batches, layout.batches_resident, layout.passes) == (False, 11, 4, 3)
    assert [layout.batch_row(batch) for batch in (0, 3, 4, 10)] == [2, 8, 2, 6]


@given(
    rows=st.integers(8, 200),
    segments=st.sampled_from([1, 2, 4]),
    sub_arrays=st.integers(1, 5),
    length=st.integers(1, 500),
    kernels=st.integers(1, 60),
    groups=st.integers(1, 4),
    planes_w=st.integers(1, 8),
    planes_i=st.integers(1, 8),
    masks=st.booleans(),
    constants=st.booleans(),
)
def test_what_is_chosen_fits(
    rows: int,
    segments: int,
    sub_arrays: int,
    length: int,
    kernels: int,
    groups: int,
    planes_w: int,
    planes_i: int,
    masks: bool,
    constants: bool,
) -> None:
    machine = Machine(name="m", sub_arrays=sub_arrays, rows=rows, columns=128, segments=segments)
    shape = {"length": length, "kernels": kernels, "groups": groups}
    planes = {"planes_w": planes_w, "planes_i": planes_i}
    refused = ""
    try:
        layout = choose(machine, **shape, **planes, masks_outside=masks, loads_constants=constants)
    except SpinplaneError as error:
        refused = str(error)
    # One kernel alone takes the fewest rows that there are.
    tiles = -(-length // machine.columns)
    needed = (planes_i + masks + planes_w) * tiles + constants
    assert bool(refused) == (needed > rows)
    if refused:
        assert f"need {needed} rows, machine m has {rows} (rows)" in refused
        return
    width = machine.segment_columns if layout.packed else machine.columns
    assert (layout.tiles - 1) * width < length <= layout.tiles * width
    assert layout.batch_kernels == layout.sub_arrays * (segments if layout.packed else 1)
    assert groups * kernels <= layout.batches * layout.batch_kernels
    assert layout.batches * layout.batch_kernels < groups * (kernels + layout.batch_kernels)
    assert 1 <= layout.sub_arrays <= sub_arrays
    assert layout.outside_row == planes_i * layout.tiles
    assert layout.kernel_row == layout.outside_row + masks * layout.tiles
    assert max(map(layout.batch_row, range(layout.batches))) + layout.batch_rows <= rows


def test_refuses_a_window_that_needs_more_rows_than_there_are() -> None:
    with pytest.raises(SpinplaneError) as error:
        choose(
            name="conv1", length=64 * 5 + 1, planes_w=8, planes_i=4, masks_outside=True, loads_constants=True
        )
    assert str(error.value) == (
        "layer conv1: a window of 321 positions at 8:4 bits (W:I) and its kernels need 79 rows, machine tiny has "
        "64 (rows)"
    )
