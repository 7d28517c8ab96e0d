"""Draws of transient faults: the generator, the rates, and that they hang on nothing but their numbers."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinplane.machine import Cause, FaultMap, Machine, SpinplaneError, TransientFaults
from spinplane.machine.transient import Draws, Stream, word

MACHINE = Machine(name="m", sub_arrays=3, rows=40, columns=16, segments=1, accumulator_bits=16)
WHERE = np.arange(3)


def draws(**rates: Any) -> Draws:
    return Draws(TransientFaults(**rates), sub_arrays=3, rows=40, columns=16)


def test_words_are_those_of_splitmix64() -> None:
    """Of the reference implementation, https://prng.di.unimi.it/splitmix64.c, with x = 1234567."""
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert word(np.uint64(1234567), np.arange(3, dtype=np.uint64)).tolist() == expected


def test_a_draw_hangs_on_its_numbers_alone() -> None:
    """Not on which events and sub-arrays are asked for together."""
    all_draws = draws(seed=5, write=(0.02, 0.01))
    whole = all_draws.hits(Stream.WRITE, WHERE, np.array([0, 0, 0]), 900)
    parts = [
        all_draws.hits(Stream.WRITE, WHERE[[s]], np.array([first]), 300)
        for s in range(3)
        for first in (0, 300, 600)
    ]
    for key in ("sub_array", "event", "position"):
        assert np.concatenate([getattr(part, key) for part in parts]).tolist() == getattr(whole, key).tolist()
    unequal = all_draws.hits(Stream.WRITE, WHERE, np.array([0, 300, 600]), np.array([300, 0, 100]))
    assert np.unique(unequal.sub_array).tolist() == [0, 2]
    assert len(unequal) == len(parts[0]) + int((parts[8].event < 700).sum())


@pytest.mark.parametrize("rate", [1.0, 0.3, 0.01, 1e-4])
def test_positions_are_hit_with_their_rate_and_apart(rate: float) -> None:
    disturb = (0.0,) * 4 + (rate, rate / 4, 0.0, 0.0) + (0.0,) * 4
    drawn, events = draws(seed=1, disturb=disturb), 100_000 if rate < 0.1 else 2000
    hits = drawn.hits(Stream.AND, WHERE, np.zeros(3, dtype=np.int64), events)
    trials = 3 * events * 32
    assert abs(len(hits) - rate * trials) <= 5 * np.sqrt(rate * (1 - rate) * trials)
    by_position = np.bincount(hits.position, minlength=32) - rate * 3 * events
    assert np.abs(by_position).max() <= 5 * np.sqrt(rate * (1 - rate) * 3 * events) + 1e-9
    for content, share in enumerate((1.0, 0.25, 0.0, 0.0)):
        turned = drawn.turn(Stream.AND, hits, np.full(len(hits), content)).mean()
        assert abs(turned - share) <= 5 * np.sqrt(share * (1 - share) / len(hits))
    if 0.1 < rate < 1:
        # Neighbours of one event are hit as often as the product of their rates says.
        pairs = np.diff(32 * (events * hits.sub_array + hits.event) + hits.position) == 1
        within = pairs & (hits.position[1:] > 0)
        expected = rate**2 * 3 * events * 31
        assert abs(within.sum() - expected) <= 5 * np.sqrt(expected)


def test_streams_and_sub_arrays_have_draws_of_their_own() -> None:
    drawn = draws(seed=2, write=(0.5, 0.5), disturb=(0.5,) * 12, decay=0.5 / 40)
    first = np.zeros(3, dtype=np.int64)
    seen = set()
    for stream in Stream:
        hits = drawn.hits(stream, WHERE, first, 20)
        seen |= {(*hits.take(hits.sub_array == s).position.tolist(),) for s in range(3)}
    assert len(seen) == 15


def test_decay_takes_any_row_alike() -> None:
    drawn = draws(seed=3, decay=1e-3)
    hits = drawn.hits(Stream.DECAY, WHERE, np.zeros(3, dtype=np.int64), 100_000)
    rows = np.bincount(drawn.rows_of(hits), minlength=40)
    assert len(rows) == 40
    mean = 1e-3 * 16 * 300_000
    assert np.abs(rows - mean).max() <= 5 * np.sqrt(mean)


def test_probabilities_are_whole_numbers_of_2_to_the_minus_63() -> None:
    least = draws(write=(1e-18, 0.5)).turning[Stream.WRITE].tolist()
    assert least == [round(2e-18 * 2**63), 2**63]
    assert draws(write=(1e-18, 0.0)).thresholds[Stream.WRITE].tolist() == [
        round(k * 1e-18 * 2**63) for k in range(1, 17)
    ]


def test_one_cause_has_the_same_draws_as_all() -> None:
    faults = TransientFaults(seed=4, write=(0.1, 0.2), disturb=(0.1,) * 12, decay=0.01)
    alone = faults.only(Cause.WRITE)
    assert alone == TransientFaults(seed=4, write=(0.1, 0.2))
    first = np.zeros(3, dtype=np.int64)
    every, write = (
        Draws(f, sub_arrays=3, rows=40, columns=16).hits(Stream.WRITE, WHERE, first, 50)
        for f in (faults, alone)
    )
    assert every.position.tolist() == write.position.tolist()


def test_a_file_gives_them_back(tmp_path: Path) -> None:
    faults = TransientFaults(seed=(1 << 64) - 1, write=(1e-9, 0.1), disturb=(1e-18,) * 12, decay=1e-20)
    whole = replace(FaultMap.none(MACHINE), transient=faults)
    whole.save(tmp_path / "faults")
    loaded = FaultMap.load(tmp_path / "faults")
    assert loaded == whole
    assert loaded.transient == faults
    assert loaded != FaultMap.none(MACHINE)


@pytest.mark.parametrize(
    ("rates", "text"),
    [
        ({"seed": -1}, "transient faults: seed = -1: must be from 0 to 2^64 − 1"),
        ({"write": (0.5, 1.5)}, "transient faults: write = (0.5, 1.5): must be 2 probabilities from 0 to 1"),
        ({"write": (0.5,)}, "transient faults: write = (0.5,): must be 2 probabilities from 0 to 1"),
        ({"decay": -0.1}, "transient faults: decay = -0.1: must be from 0 to 1"),
        ({"decay": float("nan")}, "transient faults: decay = nan: must be from 0 to 1"),
    ],
)
def test_refuses_what_is_no_rate(rates: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        TransientFaults(**rates)
