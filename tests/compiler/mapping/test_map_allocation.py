"""Maps that share the image bank: none lies where another one is still read."""

from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from spinplane.compiler.mapping.map_allocation import kept_maps, place_maps
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.program import FeatureMap

TINY = load_machine("tiny")


def maps_of(sizes):
    """Maps of so many words."""
    return [
        FeatureMap(
            layout="planes",
            base=0,
            line_bits=TINY.columns,
            pixel_bits=TINY.columns,
            plane_bits=TINY.columns,
            planes=1,
            channels=2,
            height=size,
            width=1,
        )
        for size in sizes
    ]


class Reader(NamedTuple):
    """What of a stage matters to its maps: it takes some and adds another, or none."""

    name: str
    takes: tuple[int, ...]
    adds: int | None


def stages_of(sources):
    return [Reader(f"s{at}", (taken,), added) for at, (taken, added) in enumerate(sources)]


def overlap(a, b):
    """Whether two maps have bits in common."""
    return a.base < b.base + b.height * b.line_bits and b.base < a.base + a.height * a.line_bits


def needed_together(sources, stage):
    """Maps that the stage reads or writes, and those before it that a later one reads."""
    read_from_here = {source for pair in sources[stage:] for source in pair if source is not None}
    return {source for source in read_from_here if source <= stage} | {stage + 1}


def place(sizes, sources, words, kept=()):
    """Each map has a home of its own."""
    machine = replace(TINY, image_words=words)
    return place_maps(machine, maps_of(sizes), range(len(sizes)), stages_of(sources), kept)


def test_no_map_is_written_over_before_its_last_reader():
    rng, placed_tightly = np.random.default_rng(2), 0
    for _ in range(300):
        sources = [
            (at, None if rng.integers(2) else int(rng.integers(0, at + 1)))
            for at in range(rng.integers(2, 7))
        ]
        sizes = rng.integers(1, 9, len(sources) + 1).tolist()
        most = max(sum(sizes[of] for of in needed_together(sources, at)) for at in range(len(sources)))
        words = max(16, most + most % 2 + 2 * int(rng.integers(0, 2)))
        placed = place(sizes, sources, words)
        placed_tightly += sum(sizes) > words
        for at in range(len(sources)):
            together = sorted(needed_together(sources, at))
            for one in together:
                assert (placed[one].base // TINY.columns) + sizes[one] <= words
                assert not any(overlap(placed[one], placed[other]) for other in together if other != one)
    assert placed_tightly > 50


def test_maps_are_kept_that_no_later_one_overlaps():
    rng = np.random.default_rng(4)
    for _ in range(100):
        maps = [
            replace(one, base=int(base) * TINY.columns)
            for one, base in zip(maps_of(rng.integers(1, 5, 9).tolist()), rng.integers(0, 30, 9), strict=True)
        ]
        assert kept_maps(maps, range(9)) == [
            not any(overlap(one, later) for later in maps[at + 1 :]) for at, one in enumerate(maps)
        ]


def test_what_is_kept_is_written_over_by_nothing():
    sources, sizes = [(at, None) for at in range(5)], [8] * 6
    for kept in range(1, 6):
        placed = place(sizes, sources, 24, kept={kept})
        assert not any(overlap(placed[kept], later) for later in placed[kept + 1 :])
        assert kept_maps(placed, range(6))[kept]
    with pytest.raises(
        SpinplaneError, match="layer s2: its input of 8 words and its output of 8, and 8 read beside"
    ):
        place(sizes, sources, 16, kept={1})


def test_maps_of_a_batch_are_as_many_times_as_large():
    sizes, batch = [5, 3, 7, 2], 3
    sources = [(at, None) for at in range(3)]
    maps, machine = maps_of(sizes), replace(TINY, image_words=30)
    placed = place_maps(machine, maps, range(4), stages_of(sources), [3], batch)
    assert [one.image_bits for one in placed] == [size * TINY.columns for size in sizes]
    # Three images of maps 1 and 2 fill the bank.
    assert sorted(one.base // TINY.columns for one in placed[1:3]) in ([0, 9], [0, 21])
    for at in range(3):
        images = [one.of_image(number) for one in placed[at : at + 2] for number in range(batch)]
        assert not any(overlap(one, other) for one in images for other in images if one is not other)
    assert kept_maps(placed, range(4), batch)[2:] == [
        not any(
            overlap(one, placed[3].of_image(n)) for one in map(placed[2].of_image, range(3)) for n in range(3)
        ),
        True,
    ]
    with pytest.raises(
        SpinplaneError, match="its input of 20 words and its output of 12 need image_words = 32"
    ):
        place_maps(machine, maps, range(4), stages_of(sources), [3], 4)


def test_maps_of_one_home_lie_in_one_place_while_any_of_them_is_read():
    # Maps 1 and 3 share their pixels: the fourth stage takes both, the second one the first alone.
    sizes, homes = [4, 4, 4, 4, 4], [0, 1, 2, 1, 3]
    maps = maps_of(sizes)
    maps[3] = replace(maps[3], base=8)
    stages = [
        Reader("s0", (0,), None),
        Reader("s1", (1,), None),
        Reader("s2", (2,), None),
        Reader("s3", (1, 3), None),
    ]
    whole = place_maps(replace(TINY, image_words=16), maps, homes, stages, [4])
    assert whole[3].base == whole[1].base + 8
    assert kept_maps(whole, homes) == [True] * 5
    sizes[4] = 8
    maps[4] = maps_of(sizes)[4]
    tight = place_maps(replace(TINY, image_words=16), maps, homes, stages, [4])
    assert tight[3].base == tight[1].base + 8
    assert not overlap(tight[1], tight[2])
    assert kept_maps(tight, homes) == [False, True, True, True, True]


def test_a_chain_may_be_long():
    sizes = [8] * 1200
    placed = place(sizes, [(at, None) for at in range(len(sizes) - 1)], 16)
    assert {one.base // TINY.columns for one in placed} == {0, 8}


def test_chains_need_no_more_than_two_neighbours():
    rng = np.random.default_rng(3)
    for _ in range(100):
        sizes = rng.integers(8, 30, rng.integers(3, 9)).tolist()
        words = max(a + b for a, b in pairwise(sizes))
        place(sizes, [(at, None) for at in range(len(sizes) - 1)], words + words % 2)


def test_what_is_needed_at_once_has_to_fit():
    with pytest.raises(SpinplaneError) as error:
        place([4, 6, 8, 2], [(0, None), (1, 0), (2, None)], 16)
    assert str(error.value) == (
        "layer s1: its input of 6 words and its output of 8, and 4 read beside them or later, need image_words = "
        "18, machine tiny has 16"
    )


def test_what_finds_no_place_is_refused():
    sources = [(0, None), (1, 0), (2, 1), (3, 2), (4, None), (5, 3)]
    with pytest.raises(SpinplaneError) as error:
        place([1, 2, 7, 7, 4, 1, 8], sources, 18)
    assert str(error.value) == (
        "layer s0: found no order of the network's maps that fits image_words = 18 of machine tiny; side "
        "by side they need 30"
    )
