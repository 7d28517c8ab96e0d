"""The activation: what a search finds is a count, and any function of codes lies in a table."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.behavioral import OutputStageError, look_up, search_thresholds
from spinplane.behavioral.output import activation
from spinplane.behavioral.output.activation import Searches
from spinplane.machine.output_stage import SEARCH_NODES, UNUSED_THRESHOLD, search_reads, search_words

Y = (
    st.integers(-(2**63), 2**63 - 1)
    | st.integers(-40, 40)
    | st.sampled_from([2**31 - 2, 2**31 - 1, -(2**31)])
)


def words_of(thresholds: list[int], reads: int) -> list[list[int]]:
    """A lane's words of ascending thresholds: the tree of a search, filled from its root on."""
    words = [[UNUSED_THRESHOLD] * 4 for _ in range(search_words(len(thresholds), reads))]
    ends = [-1, *range(len(thresholds))]

    def fill(step: int, number: int, first: int) -> None:
        """Word `number` of a step, which tells apart 5^(reads − step) counts of thresholds from `first` on."""
        part = 5 ** (reads - step - 1)
        for digit in range(4):
            at = first + (digit + 1) * part
            if at < len(ends):
                words[SEARCH_NODES[step] + number][digit] = thresholds[ends[at]]
        for digit in range(5 if part > 1 else 0):
            if first + digit * part < len(ends):
                fill(step + 1, 5 * number + digit, first + digit * part)

    fill(0, 0, 0)
    return words


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(activation) == (0, 4)


@given(st.lists(st.integers(-40, 40) | st.integers(-(2**31), 2**31 - 2), max_size=255), st.data())
def test_a_search_counts_thresholds(thresholds: list[int], data: st.DataObject) -> None:
    thresholds.sort()
    reads = data.draw(st.integers(max(1, search_reads(len(thresholds))), 4))
    values = data.draw(st.lists(Y, min_size=1))
    values += [t + beside for t in thresholds[:50] for beside in (-1, 0)]
    base = data.draw(st.integers(0, 3))
    words = [[0] * 4] * base + words_of(thresholds, reads)
    found = search_thresholds(values, words, base=base, reads=reads)
    assert found.tolist() == [sum(t <= max(y, -(2**31)) for t in thresholds) for y in values]


def test_without_reads_nothing_is_found() -> None:
    assert search_thresholds([[3], [-9]], np.zeros((0, 4), dtype=int), reads=0).tolist() == [[0], [0]]


def test_an_unused_threshold_is_reached_by_no_value() -> None:
    unused = [[UNUSED_THRESHOLD] * 4]
    assert search_thresholds([2**63 - 1, 2**31 - 1, 2**31 - 2], unused, reads=1).tolist() == [0, 0, 0]


def test_functions_of_the_paper() -> None:
    """Sign, and (tanh x + 1)/2 quantized by Eq. 4, x in units of 1/256, by thresholds."""
    sums = np.arange(-1500, 1500)
    for bits in range(1, 9):
        steps = 2**bits - 1
        thresholds = [math.ceil(256 * math.atanh(2 * (j + 0.5) / steps - 1)) for j in range(steps)]
        reads = search_reads(steps)
        levels = np.floor(steps * (np.tanh(sums / 256) + 1) / 2 + 0.5)
        assert (search_thresholds(sums, words_of(thresholds, reads), reads=reads) == levels).all()
    sign = search_thresholds(sums, words_of([0], 1), reads=1) * 2 - 1
    assert (sign == np.where(sums < 0, -1, 1)).all()


@pytest.mark.parametrize(
    "function", [lambda x: min(abs(x), 255), lambda x: x * x // 300, lambda x: 255 - max(x, 0)]
)
def test_a_table_is_any_function_of_levels(function) -> None:
    codes = [function(level - 512 if level > 255 else level) for level in range(512)]
    words = [[7] * 16, *np.array(codes).reshape(32, 16).tolist()]
    levels = np.arange(-256, 256)
    assert look_up(levels, words, base=1).tolist() == [function(int(level)) for level in levels]


def test_words_that_there_are_not_are_refused_where_a_value_leads_to_them() -> None:
    words = words_of([5, 6, 7, 8, 9], 2)[:1]
    assert words == [[9] + [UNUSED_THRESHOLD] * 3]
    with pytest.raises(OutputStageError, match=r"^thresholds: word 1 is beyond the bank of 1$"):
        search_thresholds(3, words, reads=2)
    assert look_up([0, 15], [list(range(16))]).tolist() == [0, 15]
    with pytest.raises(OutputStageError, match=r"^thresholds: word 1 is beyond the bank of 1$"):
        look_up([0, 16], [list(range(16))])


@settings(max_examples=30)
@given(st.integers(1, 60), st.integers(1, 3), st.integers(0, 4), st.booleans(), st.data())
def test_steps_of_a_search_are_what_it_does_with_any_words(
    words: int, lanes: int, reads: int, sorts: bool, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    bank = rng.integers(-30, 30, (words, lanes, 4))
    bank[rng.random(bank.shape) < 0.2] = UNUSED_THRESHOLD
    bank = np.sort(bank, axis=-1) if sorts else bank
    bases = rng.integers(0, words + 2, 2 * lanes)
    searches = Searches.of(bank, bases, reads)
    values = np.concatenate([np.arange(-33, 33), [-(2**40), 2**31 - 2, 2**40]])
    ends = [0]
    for channel, base in enumerate(bases):
        one = searches.only(channel)
        of_lane = bank[:, channel % lanes]
        for value in values:
            try:
                found = int(search_thresholds(value, of_lane, base=base, reads=reads))
            except OutputStageError as expected:
                with pytest.raises(OutputStageError, match=f"^{expected}$"):
                    one.numbers(np.array([value]))
            else:
                assert one.numbers(np.array([value])).tolist() == [found]
                ends.append(max((base + node for node in SEARCH_NODES[:reads]), default=-1) + 1)
    if ends[1:]:
        assert searches.end <= words
        assert searches.end >= min(max(ends), words) or searches.missing.word.size
    assert (np.diff(searches.steps, axis=1) >= 0).all()


def test_searches_of_many_channels_at_once() -> None:
    rng = np.random.default_rng(1)
    bank = np.sort(rng.integers(-(2**31), 2**31, (156, 2, 4)), axis=-1)
    for reads in range(1, 5):
        searches = Searches.of(bank, np.zeros(6, dtype=np.int64), reads)
        values = rng.integers(-(2**31), 2**31, (3, 200, 6))
        found = searches.numbers(values)
        for channel in range(6):
            of_lane = bank[:, channel % 2]
            wanted = search_thresholds(values[..., channel], of_lane, reads=reads)
            assert (found[..., channel] == wanted).all()
        some = searches.among(np.arange(6) < 3, np.ones(6, dtype=bool)).numbers(values)
        assert (some[..., :3] == found[..., :3]).all()
        assert not some[..., 3:].any()
