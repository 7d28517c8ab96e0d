"""Figures of an estimate as records: one a figure, with its bounds and its unit."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from spinplane.evaluation import Interval
from spinplane.evaluation.baselines import BaselineEstimate
from spinplane.machine.reporting.records import Record

if TYPE_CHECKING:
    from .estimate_result import TechnologyEstimate

_Row = tuple[str, str, str, Interval | None, str]


def figure_records(
    technologies: "Sequence[TechnologyEstimate]", baselines: Sequence[BaselineEstimate]
) -> tuple[Record, ...]:
    """All figures that have bounds.

    Parameters
    ----------
    technologies : sequence of TechnologyEstimate
    baselines : sequence of BaselineEstimate
    """
    of_each = [
        *((one.technology, _of_technology(one)) for one in technologies),
        *((one.name, _of_baseline(one)) for one in baselines),
    ]
    return tuple(
        {
            **{"hardware": name, "layer": layer, "figure": figure, "part": part},
            **{"value": interval.value, "low": interval.low, "high": interval.high},
            **{"unit": unit, "missing": interval.missing},
        }
        for name, rows in of_each
        for layer, figure, part, interval, unit in rows
        if interval is not None
    )


def _of_technology(one: "TechnologyEstimate") -> Iterator[_Row]:
    yield "", "latency", "", Interval.exact(one.latency_s), "s"
    yield "", "latency, cold", "", Interval.exact(one.latency_cold_s), "s"
    yield "", "energy", "", one.energy, "J"
    yield "", "energy, quantized layers", "", one.quantized, "J"
    yield "", "energy, core", "", one.core, "J"
    yield "", "energy, core, quantized layers", "", one.quantized_core, "J"
    yield "", "energy, cold", "", one.cold, "J"
    yield "", "energy, currents held", "", one.held, "J"
    yield "", "energy, load of the program", "", one.load, "J"
    for category in one.categories:
        yield "", "energy", category.category, category.energy, "J"
    yield "", "binary operations for a joule", "", one.binary_operations_per_j, "1/J"
    yield "", "operations for a joule", "", one.operations_per_j, "1/J"
    for part in ("total", "logic", "arrays", "banks"):
        yield "", "area", "" if part == "total" else part, getattr(one.area, part), "m²"
    for layer in one.layers:
        name = layer.layer or "start, end"
        yield name, "energy", "", layer.energy, "J"
        for category in layer.categories:
            yield name, "energy", category.category, category.energy, "J"
        if layer.area:
            yield name, "area", "rows", layer.area.of_rows, "m²"
            yield name, "area", "cycles", layer.area.of_cycles, "m²"


def _of_baseline(one: BaselineEstimate) -> Iterator[_Row]:
    yield "", "latency", "", one.latency, "s"
    yield "", "energy", "", one.energy, "J"
    yield "", "energy, quantized layers", "", one.quantized, "J"
    yield "", "operations for a joule", "", one.operations_per_j, "1/J"
    yield "", "area", "", one.area, "m²"
    yield "", "energy, converters and buffers", "", one.energy_share, "1"
    yield "", "area, converters and buffers", "", one.area_share, "1"
    for part in one.parts:
        yield "", "energy", part.name, part.energy, "J"
        yield "", "area", part.name, part.area, "m²"
    for layer in one.layers:
        name = layer.layer or "start, end"
        yield name, "latency", "", layer.latency, "s"
        yield name, "energy", "", layer.energy, "J"
        yield name, "area", "", layer.area, "m²"
        for part in layer.parts:
            yield name, "energy", part.name, part.energy, "J"
            yield name, "area", part.name, part.area, "m²"
