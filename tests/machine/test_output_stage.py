"""Words of the output stage's banks: they hold a channel's numbers, and a search finds its thresholds in them."""

import itertools

import pytest

from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import (
    CODES_PER_WORD,
    MOST_SEARCH_READS,
    PARAMETER_FIELDS,
    SCALE_FIELDS,
    SEARCH_NODES,
    TABLE_CODES,
    THRESHOLD_BITS,
    THRESHOLDS_PER_WORD,
    ChannelField,
    search_reads,
    search_words,
)


@pytest.mark.parametrize("fields", [PARAMETER_FIELDS, SCALE_FIELDS])
def test_a_word_holds_the_numbers_of_a_channel(fields: tuple[ChannelField, ...]) -> None:
    assert sum(field.bits for field in fields) <= CHANNEL_BITS
    names = [field.name for field in (*PARAMETER_FIELDS, *SCALE_FIELDS)]
    assert len(set(names)) == len(names)


def test_a_word_is_full_of_thresholds_or_codes() -> None:
    assert THRESHOLDS_PER_WORD * THRESHOLD_BITS == CODES_PER_WORD * 8 == CHANNEL_BITS
    assert TABLE_CODES % CODES_PER_WORD == 0


def test_numbers_end_where_their_bits_do() -> None:
    assert (ChannelField("a", 9, signed=True).smallest, ChannelField("a", 9, signed=True).largest) == (
        -256,
        255,
    )
    assert (ChannelField("a", 6).smallest, ChannelField("a", 6).largest) == (0, 63)


def words_of(count: int, reads: int) -> set[int]:
    """Words that searches read in which a sum may lie before, between or behind so many thresholds."""
    found = set()
    for reached in range(count + 1):
        n = 0
        for step, node in enumerate(SEARCH_NODES[:reads]):
            found.add(node + n)
            # Of the digits to base 5 of the number that is found, the first ones.
            n = reached // 5 ** (reads - 1 - step)
        assert n == reached
    return found


@pytest.mark.parametrize("reads", range(1, MOST_SEARCH_READS + 1))
def test_a_search_needs_the_words_that_it_reads(reads: int) -> None:
    for count in range(5**reads):
        assert search_words(count, reads) == max(words_of(count, reads)) + 1


def test_steps_of_a_search_lie_one_after_the_other() -> None:
    sizes = [5**step for step in range(MOST_SEARCH_READS)]
    assert tuple(itertools.accumulate(sizes[:-1], initial=0)) == SEARCH_NODES
    assert search_words(0, 0) == 0


@pytest.mark.parametrize(
    ("count", "reads"),
    [(0, 0), (1, 1), (4, 1), (5, 2), (15, 2), (24, 2), (25, 3), (63, 3), (124, 3), (125, 4), (255, 4)],
)
def test_a_search_has_as_few_reads_as_its_thresholds_need(count: int, reads: int) -> None:
    assert search_reads(count) == reads
