"""What follows from the numbers of a pass."""

from dataclasses import replace

import pytest

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.descriptor import Requantize
from spinplane.machine.passes import Pass

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
        ({"threshold_words": 4, "requantize": Requantize.THRESHOLDS}, 1, 4, 4),
        ({"out_planes": 7, "requantize": Requantize.RAW}, 2, 64, 2),
        (
            {"requantize": Requantize.RAW, "machine": replace(MACHINE, results_per_cycle=1)},
            1,
            32,
            1,
        ),
    ],
)
def test_an_outer_beat_takes_its_writes_or_its_reads(
    numbers: dict[str, object], writes: int, bits: int, interval: int
) -> None:
    layer_pass = replace(PASS, **numbers)  # type: ignore[arg-type]
    assert (layer_pass.writes, layer_pass.write_bits, layer_pass.least_interval) == (writes, bits, interval)


def test_thresholds_and_residuals_are_read_where_they_are_used() -> None:
    unused = replace(PASS, threshold_words=4, residual_planes=5)
    assert (unused.read_threshold_words, unused.read_residual_planes) == (0, 0)
    used = replace(unused, requantize=Requantize.THRESHOLDS, residual=True)
    assert (used.read_threshold_words, used.read_residual_planes) == (4, 5)
    assert used.last_write_cycles - unused.last_write_cycles == 3 + 4


def test_beats_are_those_of_the_kernel_tiles() -> None:
    assert PASS.channel_beats == 5
    PASS.check_beats()
    # Only the last kernel tile counts where there is no other.
    replace(PASS, kernel_tiles=1, beats=9).check_beats()


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
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
