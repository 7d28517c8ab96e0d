"""Resistive crossbars: counts by hand, the spread, what follows what, and no figure without its source."""

from dataclasses import replace

import pytest
from hand_counted_layers import layer, network

from spinplane.evaluation import Interval
from spinplane.evaluation.baselines import (
    BaselineEstimate,
    CrossbarLayer,
    crossbar,
    crossbar_designs,
    crossbar_sources,
)
from spinplane.evaluation.baselines.crossbar import CONVERTERS, NAMES, PARTS
from spinplane.machine import Parameter

SOURCES = crossbar_sources()
ISAAC, BINARY = crossbar_designs("multi-bit")[0], crossbar_designs("binary")[0]


def si(key: str) -> float:
    value = SOURCES[key].si
    assert isinstance(value, float)
    return value


def middle(interval: Interval | None) -> float:
    assert interval is not None
    assert interval.value is not None
    return interval.value


def energy_of(estimate: BaselineEstimate, part: str) -> float:
    return middle(next(one.energy for one in estimate.parts if one.name == part))


def area_of(estimate: BaselineEstimate, part: str) -> float:
    return middle(next(one.area for one in estimate.parts if one.name == part))


def test_a_binary_layer_is_split_as_rows_demand() -> None:
    split = CrossbarLayer(design=BINARY, work=layer())
    # 200 weights in 128 rows, 16 kernels of two columns in 128.
    assert (split.splits, split.beside, split.crossbars, split.used_columns) == (2, 1, 2, 32)
    assert (split.steps, split.row_conversions, split.cell_reads) == (10, 2000, 64000)
    # Sums of 128 and of 72 bits have 8 and 7 bits.
    assert split.conversions == {8: 320, 7: 320}
    assert split.converter_bits == 8
    whole = CrossbarLayer(design=BINARY, work=layer(fan_in=100))
    assert (whole.splits, whole.conversions) == (1, {1: 320})
    # A wider code asks for the sum, not for its sign.
    assert CrossbarLayer(design=BINARY, work=layer(fan_in=100, out=2)).conversions == {7: 320}


def test_a_layer_of_8_bits_takes_cells_and_steps_for_its_bits() -> None:
    wide = CrossbarLayer(design=ISAAC, work=layer(w=8, i=8))
    assert (wide.used_columns, wide.steps, wide.splits) == (64, 80, 2)
    # 128 and 72 cells of at most 3: 385 and 217 levels.
    assert wide.conversions == {9: 80 * 64, 8: 80 * 64}
    many = CrossbarLayer(design=ISAAC, work=replace(layer(w=8, i=8), kernels=100))
    assert (many.used_columns, many.beside, many.crossbars) == (400, 4, 8)
    grouped = CrossbarLayer(design=BINARY, work=replace(layer(), groups=4, fan_in=50))
    assert (grouped.crossbars, grouped.used_columns, grouped.row_conversions) == (4, 8, 10 * 4 * 50)


def test_energies_and_areas_of_a_layer_by_hand() -> None:
    found = crossbar([layer()], "binary", designs=[BINARY])
    node, adc = si("node.energy"), si("adc.energy") * si("node.energy")
    saved = si("adc.saved_bits")
    assert energy_of(found, "ADC") == pytest.approx(320 * adc * ((8 - saved) / 8 + (7 - saved) / 8))
    assert energy_of(found, "DAC") == pytest.approx(2000 * si("dac.energy") * node)
    assert energy_of(found, "shift and add") == pytest.approx(640 * si("digital.add"))
    cell = si("cell.read_voltage") ** 2 / si("cell.on_resistance") * si("cell.read_time")
    assert energy_of(found, "crossbar") == pytest.approx(64000 * si("cell.conduction") * cell)
    bits = 1000 + 160 + si("buffer.refetch") * (200 * 10 - 1000)
    assert energy_of(found, "buffers") == pytest.approx(bits * si("buffer.energy") * node)
    assert middle(found.energy) == pytest.approx(sum(energy_of(found, part) for part in PARTS))
    assert middle(found.energy_share) == pytest.approx(
        sum(energy_of(found, part) for part in CONVERTERS) / middle(found.energy)
    )
    scale = si("node.area")
    assert area_of(found, "crossbar") == pytest.approx(2 * 128 * 128 * 48 * 45e-9**2)
    assert area_of(found, "DAC") == pytest.approx(2 * 128 * si("dac.area") * scale)
    converter = si("adc.area") * ((8 - saved) / 8) ** si("adc.area_exponent") * scale
    assert area_of(found, "ADC") == pytest.approx(2 * converter)
    assert area_of(found, "shift and add") == pytest.approx(2 * si("digital.add_area") * scale)
    assert area_of(found, "buffers") == pytest.approx((300 + 160) * si("buffer.area") * scale)
    # 128 columns share a converter.
    assert middle(found.latency) == pytest.approx(10 * 128 / si("adc.rate"))
    assert middle(found.operations_per_j) == pytest.approx(2 * 16 * 200 * 10 / middle(found.energy))


@pytest.mark.parametrize("kind", NAMES)
def test_layers_and_parts_add_up_and_bounds_lie_around(kind: str) -> None:
    found = crossbar(network(), kind)
    assert found.name == NAMES[kind]
    assert [one.layer for one in found.layers] == ["first", "split", "whole", "last"]
    for of in ("energy", "area", "latency"):
        figures = [middle(getattr(one, of)) for one in found.layers]
        assert middle(getattr(found, of)) == pytest.approx(sum(figures))
    assert middle(found.quantized) == pytest.approx(sum(middle(one.energy) for one in found.layers[1:3]))
    everything = [found, *found.layers, *found.parts, *(part for one in found.layers for part in one.parts)]
    for one in everything:
        for interval in (one.energy, one.area):
            assert interval is not None
            assert None not in (interval.low, interval.high)
            assert interval.low <= middle(interval) <= interval.high  # type: ignore[operator]
    for share in (found.energy_share, found.area_share):
        assert share is not None
        assert 0 < share.low < middle(share) < share.high < 1  # type: ignore[operator]
    assert crossbar([layer(quantized=False)], kind).quantized is None


def test_a_spread_holds_all_designs() -> None:
    every = crossbar(network(), "multi-bit")
    singles = [crossbar(network(), "multi-bit", designs=[one]) for one in crossbar_designs("multi-bit")]
    assert len(singles) > 2
    assert middle(every.energy) == middle(singles[0].energy)
    assert every.energy.low == min(one.energy.low for one in singles)  # type: ignore[type-var]
    assert every.energy.high == max(one.energy.high for one in singles)  # type: ignore[type-var]


def test_what_costs_more() -> None:
    binary, multi = crossbar(network(), "binary"), crossbar(network(), "multi-bit")
    assert middle(binary.quantized) < middle(multi.quantized) / 8
    # Ends of 8 bits, one bit a cell and two columns a weight: 16 columns in place of 4.
    assert middle(binary.layers[0].energy) > middle(multi.layers[0].energy)
    narrow = crossbar(network(), "multi-bit", bits=(4, 4))
    assert middle(narrow.energy) < middle(multi.energy) / 3
    # One row more than a crossbar has splits a layer, and a comparator no longer does.
    whole, split = (crossbar([layer(fan_in=rows)], "binary", designs=[BINARY]) for rows in (128, 129))
    assert middle(split.energy) > 1.5 * middle(whole.energy)


def test_without_a_source_what_rests_on_it_is_null() -> None:
    whole = crossbar(network(), "binary")
    for key in SOURCES:
        without = crossbar(network(), "binary", sources=SOURCES.without([key]))
        gone = {
            of
            for of in ("energy", "area", "latency", "energy_share", "area_share")
            if _null(without, of, key)
        }
        assert gone, key
        for of in {"energy", "area", "latency", "energy_share", "area_share"} - gone:
            assert getattr(without, of) == getattr(whole, of), key
        for part, before in zip(without.parts, whole.parts, strict=True):
            assert part.energy == before.energy or part.energy.missing == key
            assert part.area == before.area or (part.area and part.area.missing == key)


def _null(estimate: BaselineEstimate, of: str, key: str) -> bool:
    interval = getattr(estimate, of)
    if interval.value is None:
        assert (interval.low, interval.high, interval.missing) == (None, None, key)
    return interval.value is None


def test_bounds_of_a_source_are_those_of_the_figure() -> None:
    exact = {key: replace(SOURCES[key], bounds=None) for key in SOURCES}
    alone = SOURCES.with_parameters(exact)
    one = crossbar([layer()], "binary", designs=[BINARY], sources=alone)
    assert one.energy.low == one.energy.value == one.energy.high
    adc = Parameter(value=1, unit="pJ", mark="assumed", source="a test", bounds=(0.5, 3))
    free = crossbar([layer()], "binary", designs=[BINARY], sources=alone.with_parameters({"adc.energy": adc}))
    conversions = next(part.energy for part in free.parts if part.name == "ADC")
    assert conversions.low == pytest.approx(middle(conversions) / 2)
    assert conversions.high == pytest.approx(middle(conversions) * 3)
