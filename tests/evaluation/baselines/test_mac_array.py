"""A digital array: counts by hand, wider is dearer, larger is faster, and no figure without its source."""

import pytest
from hand_counted_layers import layer, network

from spinplane.evaluation import Interval
from spinplane.evaluation.baselines import BaselineEstimate, LayerWork, mac_array, mac_sources
from spinplane.evaluation.baselines.mac_array import AREA, PARTS
from spinplane.machine import load_machine

TINY = load_machine("tiny")
AREA_MM2 = Interval(value=1e-6, low=0.5e-6, high=2e-6)
SOURCES = mac_sources(TINY, AREA_MM2)


def si(key: str) -> float:
    value = SOURCES[key].si
    assert isinstance(value, float)
    return value


def middle(interval: Interval | None) -> float:
    assert interval is not None
    assert interval.value is not None
    return interval.value


def estimate(*works: LayerWork, area: Interval = AREA_MM2) -> BaselineEstimate:
    return mac_array(works, TINY, area)


def energies(found: BaselineEstimate) -> dict[str, float]:
    return {part.name: middle(part.energy) for part in found.parts}


def test_a_layer_by_hand() -> None:
    work = layer(w=2, i=4)
    found, parts = estimate(work), energies(estimate(work))
    macs = 16 * 200 * 10
    assert work.macs == macs
    assert parts["multiply"] == pytest.approx(macs * 8 * si("mac.multiply"))
    # A tree of 16: fifteen additions of 6 bits and, in the mean, half of its growth; an accumulator of 32.
    assert parts["add"] == pytest.approx(macs * si("mac.add") * (15 / 16 * (6 + 2) + 32 / 16))
    assert sum(parts.values()) == pytest.approx(middle(found.energy))
    # A multiplier of 2×4 bits: 8 gates, 4 adders; a part of the tree and of the accumulator; registers.
    one = 8 * si("mac.gate") + (4 + 15 / 16 * 8 + 2) * si("mac.full_adder") + (6 + 2) * si("mac.flip_flop")
    seconds = macs / (1e-6 / one * si("mac.use") * si("mac.clock"))
    assert middle(found.latency) == pytest.approx(seconds)
    assert found.area == AREA_MM2


def test_layers_and_parts_add_up() -> None:
    found = estimate(*network())
    assert middle(found.energy) == pytest.approx(sum(middle(one.energy) for one in found.layers))
    assert middle(found.latency) == pytest.approx(
        sum(middle(one.latency) for one in found.layers)  # those of one width
    )
    assert middle(found.quantized) == pytest.approx(sum(middle(one.energy) for one in found.layers[1:3]))
    assert [part.name for part in found.parts] == list(PARTS)
    for one in (found, *found.layers):
        assert one.energy.low < middle(one.energy) < one.energy.high  # type: ignore[operator]


def test_wider_is_dearer_and_larger_is_faster() -> None:
    narrow, wide = estimate(layer(w=1, i=1)), estimate(layer(w=8, i=8))
    assert middle(narrow.energy) < middle(wide.energy) / 4
    assert middle(narrow.latency) < middle(wide.latency)
    twice = estimate(layer(), area=AREA_MM2.scaled(2))
    assert middle(twice.latency) == pytest.approx(middle(narrow.latency) / 2)
    assert twice.energy == narrow.energy


def test_without_a_source_what_rests_on_it_is_null() -> None:
    works = [layer(w=2, i=4)]
    whole = mac_array(works, TINY, AREA_MM2, sources=SOURCES)
    own = [key for key in SOURCES if key.startswith(("mac.", "flip_flop", "sram.read_swing"))]
    assert AREA in own
    for key in own:
        without = mac_array(works, TINY, AREA_MM2, sources=SOURCES.without([key]))
        gone = {of for of in ("energy", "latency", "area") if getattr(without, of).missing == key}
        assert gone, key
        for of in {"energy", "latency", "area"} - gone:
            assert getattr(without, of) == getattr(whole, of), key
    lost = Interval(value=None, low=None, high=None, missing="cell.area")
    assert mac_array(works, TINY, lost).latency == Interval(value=None, low=None, high=None, missing=AREA)
