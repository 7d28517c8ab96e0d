"""Rows of Table II: energy and area of three networks on three designs, each definition a row."""

from collections.abc import Iterator

from spinplane.evaluation import Interval

from .energy_rows import ENERGIES, energy_of
from .evidence import CROSSBARS, NETWORKS, Evidence
from .printed import printed
from .row import Row

_MICRO, _MM2 = 1e6, 1e6
_SPREAD = "a spread of published designs and converters, not one chip"


def table_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of all cells."""
    for data_set in NETWORKS:
        for design in CROSSBARS:
            yield from _crossbar_energies(evidence, data_set, design)
        yield from _energies(evidence, data_set)
    for data_set in NETWORKS:
        for design in CROSSBARS:
            yield _crossbar_area(evidence, data_set, design)
        yield from _areas(evidence, data_set)


def _energies(evidence: Evidence, data_set: str) -> Iterator[Row]:
    item = printed(f"table2.{data_set}.energy.bcnn-sot")
    for id, name, how in ENERGIES:
        yield item.row(
            energy_of(evidence.cost(data_set), id).scaled(_MICRO),
            how,
            of=id,
            what=name,
            why="the table is of the convolutions of all layers; the paper does not say what around the arrays counts",
        )


def _crossbar_energies(evidence: Evidence, data_set: str, design: str) -> Iterator[Row]:
    item, crossbars = printed(f"table2.{data_set}.energy.{design}"), evidence.crossbars(data_set, design)
    for id, energy in (("all", crossbars.energy), ("quantized", crossbars.quantized)):
        yield item.row(
            (energy or Interval.without("quantized layer")).scaled(_MICRO),
            f"{crossbars.title}, {id} layers",
            of=id,
            what=f"{id} layers",
            why=_SPREAD,
        )


def _crossbar_area(evidence: Evidence, data_set: str, design: str) -> Row:
    item, crossbars = printed(f"table2.{data_set}.area.{design}"), evidence.crossbars(data_set, design)
    return item.row(
        (crossbars.area or Interval.without("area")).scaled(_MM2),
        f"{crossbars.title}, each layer in crossbars of its own",
        why=_SPREAD,
    )


def _areas(evidence: Evidence, data_set: str) -> Iterator[Row]:
    item, cost = printed(f"table2.{data_set}.area.bcnn-sot"), evidence.cost(data_set)
    for id, what, area, how in (
        ("arrays", "arrays", cost.area.arrays, "all arrays with what drives and senses them"),
        ("without-banks", "arrays and logic", cost.area.without_banks, "all but the banks"),
        ("chip", "whole chip", cost.area.total, "logic, arrays and banks of static cells"),
    ):
        yield item.row(
            area.scaled(_MM2),
            f"{how} of {evidence.machine.name}",
            of=id,
            what=what,
            why="one machine runs all networks; the paper does not say what its area holds",
        )
