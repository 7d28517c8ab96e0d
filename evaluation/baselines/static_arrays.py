"""The machine with arrays of static cells: the same rows, the same counters, nothing wears, and all cells leak."""

from collections.abc import Mapping, Sequence

from spinplane.machine import Machine, MachineClock

from ..event_totals import Interval
from ..run_energy import CATEGORIES, RunEnergy
from ..static_array import STATIC
from .layer_work import LayerWork
from .results import BaselineEstimate, CostPart, LayerCost


def static_arrays(
    machine: Machine,
    works: Sequence[LayerWork],
    numbers: Sequence[Mapping[str, int]],
    *,
    clock: MachineClock,
    flip_flops: int,
    area: Interval,
    gated: bool = False,
    images: int = 1,
    without: Sequence[str] = (),
) -> BaselineEstimate:
    """What an image costs on the machine with such arrays.

    Parameters
    ----------
    machine : Machine
    works : sequence of LayerWork
    numbers : sequence of mapping of str to int
        How often events happen in each layer, and last in header and END, see `spinplane.evaluation.event_counts`.
    clock : MachineClock
    flip_flops : int
        Of the machine's RTL.
    area : Interval
        Of the chip, in m².
    gated : bool
        Whether the clock of units that stand still is off.
    images : int
        Of the run; latencies are those of all of them.
    without : sequence of str
        Keys of parameters that are not there.
    """
    energies = RunEnergy(
        machine,
        None,
        clock_hz=clock.clock_hz,
        flip_flops=flip_flops,
        without=without,
        gated=gated,
        images=images,
    )
    inner = [of for work, of in zip(works, numbers, strict=False) if work.quantized]
    whole = _sum(numbers)
    energy = energies.total(whole)
    names = [*((work.name, work.quantized) for work in works), ("", False)]
    return BaselineEstimate(
        name=STATIC,
        title=f"the machine with static cells of six transistors, {clock}",
        energy=energy,
        quantized=energies.total(_sum(inner)) if inner else None,
        area=area,
        latency=Interval.exact(whole["cycles"] / clock.clock_hz),
        parts=_parts(energies, whole),
        layers=tuple(
            LayerCost(
                layer=name,
                quantized=quantized,
                energy=energies.total(of),
                latency=Interval.exact(of["cycles"] / clock.clock_hz),
                parts=_parts(energies, of),
            )
            for (name, quantized), of in zip(names, numbers, strict=True)
        ),
        energy_share=None,
        area_share=None,
        operations_per_j=energy.under(2 * sum(work.macs for work in works)),
        reasons={
            "cold": "kernels are loaded as into other arrays, and again whenever the supply was off",
            "current": "bit lines are charged; peaks are not modelled",
            "lifetime": "static cells do not wear, and hold nothing without a supply",
        },
        notes=("cells of the arrays leak over the whole run, as the banks' do",),
    )


def _parts(energies: RunEnergy, numbers: Mapping[str, int]) -> tuple[CostPart, ...]:
    return tuple(
        CostPart(name=category, energy=energies.total(numbers, (category,))) for category in CATEGORIES
    )


def _sum(numbers: Sequence[Mapping[str, int]]) -> dict[str, int]:
    return {name: sum(of[name] for of in numbers) for name in numbers[0]}
