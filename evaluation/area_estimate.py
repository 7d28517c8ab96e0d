"""Area of a chip without a synthesis: logic scaled by the machine's sizes, arrays and banks from their models."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spinplane.device import Technology
from spinplane.machine import Machine

from . import static_array
from .event_totals import Interval
from .logic_area import logic_area, logic_area_parameters
from .memory.array_area import rectangle
from .memory.bank_area import sram_area
from .memory.machine_banks import machine_banks
from .memory.parameters import area_sources
from .sources import Sources, Values


@dataclass(frozen=True, kw_only=True)
class AreaEstimate:
    """Area of a chip, in m².

    Parameters
    ----------
    total, logic, arrays, banks : Interval
        Decoders of the arrays are logic.
    without_banks : Interval
        Logic and arrays.
    """

    total: Interval
    logic: Interval
    arrays: Interval
    banks: Interval
    without_banks: Interval


def area_estimate_sources(technology: Technology | None) -> Sources:
    """Parameters from which the area of a chip follows.

    Parameters
    ----------
    technology : Technology or None
        Of the arrays; None for arrays of static cells.
    """
    return area_sources(technology).with_parameters(logic_area_parameters())


def area_estimate(
    machine: Machine,
    technology: Technology | None,
    *,
    sources: Sources | None = None,
    kept_in: Path | None = None,
) -> AreaEstimate:
    """Estimate the area of a chip; `chip_area` measures its logic.

    Parameters
    ----------
    machine : Machine
    technology : Technology or None
        Of the arrays; None for arrays of static cells.
    sources : Sources, optional
        In place of `area_estimate_sources`.
    kept_in : Path, optional
        See `spinplane.evaluation.census.census`.
    """
    sources = sources or area_estimate_sources(technology)
    placed = machine_banks(machine, kept_in)

    def arrays(values: Values) -> float:
        if technology is None:
            return machine.sub_arrays * static_array.area(values, machine)
        one = rectangle(values, machine.rows, machine.columns, technology.sensing.quantity)
        return machine.sub_arrays * one

    def banks(values: Values) -> float:
        return sum(count * sram_area(values, shape) for (_, shape), count in placed.items())

    def logic(values: Values) -> float:
        return logic_area(values, machine)

    def interval(*functions: Callable[[Values], float]) -> Interval:
        return Interval.of(
            sources.figure(
                lambda values: sum(function(values) for function in functions),
                unit="m²",
                source="logic, arrays, banks",
            )
        )

    return AreaEstimate(
        total=interval(logic, arrays, banks),
        logic=interval(logic),
        arrays=interval(arrays),
        banks=interval(banks),
        without_banks=interval(logic, arrays),
    )
