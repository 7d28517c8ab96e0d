"""What an image costs: the compiler's counters times the energies of events, beside other hardware."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.wear import row_writes
from spinplane.device import load_technology, machine_clock
from spinplane.device.electrical import electrical, with_lines_of
from spinplane.device.endurance import endurance
from spinplane.device.technology import Technology
from spinplane.evaluation import (
    AreaEstimate,
    Interval,
    RunEnergy,
    bank_bits,
    event_counts,
    flip_flops,
    host_counts,
    storages,
)
from spinplane.evaluation.baselines import published_silicon
from spinplane.evaluation.event_counts import map_bits
from spinplane.evaluation.run_energy import CATEGORIES, CORE, LOAD
from spinplane.evaluation.static_array import STATIC, static_clock
from spinplane.evaluation.technology_bounds import technology_bounds
from spinplane.machine import (
    AcceleratorCounters,
    Machine,
    MachineClock,
    SpinplaneError,
    clock_hz,
    load_machine,
)
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.external.cache_folder import default_build_root

from ..defaults import CLOCK_GATING, NETWORK_MACHINE, TECHNOLOGY
from ..models import Model, open_network
from ..report.model_notes import ModelNotes
from ..report.provenance import UsedTechnology
from .compiled_layer import CompiledLayer
from .estimate_baselines import BASELINES, baseline_estimates, chip_area_estimate, fetched_operands
from .estimate_result import CategoryEnergy, Estimate, LayerArea, LayerEnergy, TechnologyEstimate
from .estimated_runs import EstimatedRuns
from .layer_works import layer_works


def estimate(
    model: Model,
    *,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technologies: Technology | str | Path | Sequence[Technology | str | Path] = TECHNOLOGY,
    clock: str | None = None,
    batch: int = 1,
    fold_pools: bool = False,
    check: bool = True,
    by_layer: bool = False,
    clock_gating: str = CLOCK_GATING,
    baselines: bool = False,
) -> Estimate:
    """Estimate what an image costs on a machine: energy, time, area, currents, lifetime.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`.
    machine : Machine, str or Path
        See `load_machine`.
    technologies : Technology, str or Path, or a sequence of them
        Of the arrays, each for itself, see `load_technology`; or names of other hardware: ``"sram"`` for arrays of
        static cells, ``"rram-crossbar"`` and ``"rram-binary"`` for crossbars of resistive cells.
    clock : str, optional
        See `spinplane.machine.clock_hz`; by default each technology's fastest.
    batch : int
        Images that a run takes, see `compile_graph`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    check : bool
        Whether to compare the import with the file's own executor.
    by_layer : bool
        Whether the layers are shown.
    clock_gating : {"none", "cells"}
        With ``"cells"`` the clock of units that stand still is off, as often as follows from the passes.
    baselines : bool
        Whether to add a digital array of multipliers, a processor that fetches its operands, and published figures.

    Raises
    ------
    SpinplaneError
        As `compile_model`; if no technology is named, the clock is too fast for one, or `clock_gating` is another.
    """
    if clock_gating not in ("none", "cells"):
        raise SpinplaneError(f"clock_gating = {clock_gating!r}: must be none or cells")
    gated = clock_gating == "cells"
    machine = load_machine(machine)
    several = isinstance(technologies, Sequence) and not isinstance(technologies, str)
    named: list[Any] = list(technologies) if several else [technologies]  # type: ignore[arg-type]
    if not named:
        raise SpinplaneError("no technology is named")
    hertz = None if clock is None else clock_hz(clock)
    others = tuple(one for one in named if isinstance(one, str) and one in BASELINES)
    chosen = [load_technology(one, besides=tuple(BASELINES)) for one in named if one not in others]
    network = open_network(model, check=check)
    clocks = [machine_clock(machine, one, hertz) for one in chosen]
    static = static_clock(machine, hertz) if STATIC in others else None
    program = compile_graph(network.graph, machine, batch=batch, fold_pools=fold_pools)
    return estimate_program(
        program,
        network.notes,
        list(zip(chosen, clocks, strict=True)),
        by_layer=by_layer,
        gated=gated,
        others=others,
        static=static,
        baselines=baselines,
    )


def estimate_program(
    program: CompiledProgram,
    notes: ModelNotes,
    technologies: Sequence[tuple[Technology, MachineClock]],
    *,
    by_layer: bool = False,
    gated: bool = False,
    others: Sequence[str] = (),
    static: MachineClock | None = None,
    baselines: bool = False,
) -> Estimate:
    """Estimate what an image costs in a compiled program.

    Parameters
    ----------
    program : CompiledProgram
    notes : ModelNotes
        Of its network.
    technologies : sequence of (Technology, MachineClock)
        Of the arrays, each for itself.
    by_layer : bool
        Whether the layers are shown.
    gated : bool
        Whether the clock of units that stand still is off.
    others : sequence of str
        Of `BASELINES`.
    static : MachineClock, optional
        Of arrays of static cells; by default their fastest.
    baselines : bool
        See `estimate`.
    """
    run = EstimatedRuns.of(program)
    works = layer_works(program)
    areas = [chip_area_estimate(program.machine, technology) for technology, _ in technologies]
    return Estimate(
        network=program.name,
        model=notes,
        machine=program.machine,
        counters=run.steady.total,
        counters_cold=run.cold.total,
        macs=sum(layer.macs for layer in run.layers),
        binary_operations=sum(layer.binary_operations for layer in run.layers),
        flip_flops=run.flip_flops,
        gated=gated,
        weight_bits=sum(layer.layer.weights.size * layer.layer.w.bits for layer in run.layers),
        map_bits=sum(map(map_bits, (program.input, *(layer.output for layer in program.layers)))),
        storage=storages(works),
        port_bits=bank_bits(program.machine, run.numbers) // program.batch,
        technologies=tuple(
            _of_technology(run, *one, area, gated=gated)
            for one, area in zip(technologies, areas, strict=True)
        ),
        baselines=tuple(
            baseline_estimates(
                run,
                works,
                others,
                static,
                areas[0] if areas else None,
                gated=gated,
                with_array=baselines,
            )
        ),
        von_neumann=fetched_operands(run, works) if baselines else None,
        silicon=published_silicon() if baselines else (),
        by_layer=by_layer,
        batch=program.batch,
    )


def run_energy(
    program: CompiledProgram, counters: AcceleratorCounters, technology: Technology, clock: MachineClock
) -> Interval:
    """Energy in J of an image of a run with these counters.

    Parameters
    ----------
    program : CompiledProgram
    counters : AcceleratorCounters
        From the start register to the interrupt.
    technology : Technology
        Of the arrays.
    clock : MachineClock
    """
    machine = program.machine
    energies = RunEnergy(
        machine,
        technology,
        clock_hz=clock.clock_hz,
        flip_flops=flip_flops(machine, default_build_root()),
        images=program.batch,
    )
    counts = event_counts(machine, counters, program.passes, len(program.descriptors), host_counts(program))
    return energies.total(counts)


def _of_technology(
    run: EstimatedRuns, technology: Technology, clock: MachineClock, area: AreaEstimate, *, gated: bool
) -> TechnologyEstimate:
    machine, images = run.program.machine, run.program.batch
    energies = RunEnergy(
        machine,
        technology,
        clock_hz=clock.clock_hz,
        flip_flops=run.flip_flops,
        gated=gated,
        images=images,
    )
    contract = electrical(with_lines_of(technology, machine))
    latency = run.steady.total.cycles / clock.clock_hz
    energy, quantized = energies.total(run.numbers), run.quantized
    lifetime = endurance(technology, row_writes(run.program), 1 / latency)
    columns = machine.sub_arrays * machine.columns
    return TechnologyEstimate(
        technology=technology.name,
        digest=UsedTechnology.of(technology).digest,
        clock=clock,
        latency_s=latency,
        latency_cold_s=run.cold.total.cycles / clock.clock_hz,
        images_per_s=images / latency,
        energy=energy,
        core=energies.total(run.numbers, CORE),
        quantized=energies.total(quantized) if quantized else None,
        quantized_core=energies.total(quantized, CORE) if quantized else None,
        cold=energies.total(run.numbers_cold),
        held=energies.held(run.numbers),
        load=energies.total(run.numbers, (LOAD,)),
        cuts=technology_bounds(with_lines_of(technology, machine))[1],
        power_w=energy.scaled(images / latency),
        area=area,
        categories=_categories(energies, run.numbers),
        layers=_layers(run, energies, area),
        binary_operations_per_j=energy.under(2 * sum(layer.binary_operations for layer in run.layers)),
        operations_per_j=energy.under(2 * sum(layer.macs for layer in run.layers)),
        write_current_a=columns * contract.write_current_a,
        sense_current_a=columns * contract.sense_current_a,
        lifetime_s=lifetime.as_placed_s,
        levelled_lifetime_s=lifetime.levelled_s,
    )


def _layers(run: EstimatedRuns, energies: RunEnergy, area: AreaEstimate) -> tuple[LayerEnergy, ...]:
    found = []
    inner = range(1, len(run.layers) - 1)
    cycles = run.steady.total.cycles
    for number, numbers in enumerate((*run.of_layers, run.of_ends)):
        layer = run.layers[number] if number < len(run.layers) else None
        found.append(
            LayerEnergy(
                layer=layer.layer.name if layer else "",
                quantized=number in inner,
                counters=AcceleratorCounters(**{name: numbers[name] for name in ACCELERATOR_COUNTER_NAMES}),
                energy=energies.total(numbers),
                categories=_categories(energies, numbers),
                area=_layer_area(layer, area, numbers["cycles"] / cycles) if layer else None,
            )
        )
    return tuple(found)


def _layer_area(layer: CompiledLayer, area: AreaEstimate, of_cycles: float) -> LayerArea:
    rows = layer.ring_rows + layer.kernel_rows
    return LayerArea(
        rows=rows,
        of_rows=area.arrays.scaled(rows / layer.machine.rows),
        of_cycles=area.total.scaled(of_cycles),
    )


def _categories(energies: RunEnergy, numbers: Mapping[str, int]) -> tuple[CategoryEnergy, ...]:
    return tuple(
        CategoryEnergy(category=category, energy=energies.total(numbers, (category,)))
        for category in CATEGORIES
    )
