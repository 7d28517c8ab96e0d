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
    """What of a stage matters to its maps: it takes one and adds another, or none."""

    name: str
    takes: int
    adds: int | None


def stages_of(sources):
    return [Reader(f"s{at}", *taken) for at, taken in enumerate(sources)]


def overlap(a, b):
    """Whether two maps have bits in common."""
    return a.base < b.base + b.height * b.line_bits and b.base < a.base + a.height * a.line_bits


def needed_together(sources, stage):
    """Maps that the stage reads or writes, and those before it that a later one reads."""
    read_from_here = {source for pair in sources[stage:] for source in pair if source is not None}
    return {source for source in read_from_here if source <= stage} | {stage + 1}


def place(sizes, sources, words):
    return place_maps(replace(TINY, image_words=words), maps_of(sizes), stages_of(sources))


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
        assert kept_maps(maps) == [
            not any(overlap(one, later) for later in maps[at + 1 :]) for at, one in enumerate(maps)
        ]


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
