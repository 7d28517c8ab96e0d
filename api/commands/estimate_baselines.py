"""What other hardware takes for the network of an estimate."""

from collections.abc import Iterator, Sequence

from spinplane.device.technology import Technology
from spinplane.evaluation import AreaEstimate, RunEnergy, area_estimate, bank_bits
from spinplane.evaluation.baselines import (
    BaselineEstimate,
    LayerWork,
    VonNeumann,
    crossbar,
    mac_array,
    static_arrays,
    von_neumann,
)
from spinplane.evaluation.baselines.crossbar import MULTI_BIT, TITLES
from spinplane.evaluation.baselines.crossbar import NAMES as CROSSBARS
from spinplane.evaluation.static_array import STATIC, static_clock
from spinplane.machine import Machine, MachineClock
from spinplane.machine.external.cache_folder import default_build_root

from .estimated_runs import EstimatedRuns

#: Hardware that is no technology of the machine's arrays, by the names that stand among those, with what it is.
BASELINES = {
    STATIC: "arrays of static cells of six transistors, with the same row operations",
    **{name: TITLES[kind].format(w=MULTI_BIT[0], i=MULTI_BIT[1]) for kind, name in CROSSBARS.items()},
}


def chip_area_estimate(machine: Machine, technology: Technology | None) -> AreaEstimate:
    """Area of a chip with arrays of a technology, or of static cells."""
    return area_estimate(machine, technology, kept_in=default_build_root())


def baseline_estimates(
    run: EstimatedRuns,
    works: Sequence[LayerWork],
    names: Sequence[str],
    clock: MachineClock | None,
    area: AreaEstimate | None,
    *,
    gated: bool,
    with_array: bool,
) -> Iterator[BaselineEstimate]:
    """The other hardware of these names, and a digital array with the area of logic and arrays."""
    machine = run.program.machine
    for name in names:
        if name == STATIC:
            yield static_arrays(
                machine,
                works,
                (*run.of_layers, run.of_ends),
                clock=clock or static_clock(machine),
                flip_flops=run.flip_flops,
                area=chip_area_estimate(machine, None).total,
                gated=gated,
                images=run.program.batch,
            )
        else:
            yield crossbar(works, next(kind for kind, own in CROSSBARS.items() if own == name))
    if with_array:
        yield mac_array(works, machine, (area or chip_area_estimate(machine, None)).without_banks)


def fetched_operands(run: EstimatedRuns, works: Sequence[LayerWork]) -> VonNeumann:
    machine, images = run.program.machine, run.program.batch
    # Banks take the same whatever the arrays are of, and at any clock.
    energies = RunEnergy(
        machine, None, clock_hz=static_clock(machine).clock_hz, flip_flops=run.flip_flops, images=images
    )
    bits = bank_bits(machine, run.numbers) // images
    return von_neumann(works, bits, energies.total(run.numbers, ("banks",)))
