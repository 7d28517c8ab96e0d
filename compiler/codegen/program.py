"""A network as a program for the accelerator: everything that a host writes into its banks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.descriptor import Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, ProgramLayer, ProgramOutput
from spinplane.machine.registers import machine_digest

from ..compiled_program import CompiledProgram, PlacedStage
from ..graph import Graph
from ..mapping.concatenation import MapPlace
from ..mapping.kernel_allocation import Allocation, choose_allocations
from ..mapping.map_allocation import kept_maps, place_maps
from ..mapping.placement import ceil_div
from ..mapping.stages import NetworkStages, Stage
from ..predict import predict_descriptors
from ..requantization.parameters import Requantization
from .bank_words import lookup_words
from .passes import Batch, layer_passes, taken_map


@dataclass(frozen=True, kw_only=True, eq=False)
class _Plan:
    """A program without the words of its kernels.

    Parameters
    ----------
    stages : list of PlacedStage
    descriptors : list of ndarray of shape (DESCRIPTOR_WORDS,), uint32
        Of all passes.
    batches : list of Batch
        Of all stages.
    lookups : list of ndarray of shape (words, results_per_cycle · 16), uint8
        Thresholds and tables of all stages.
    maps : list of FeatureMap
        The input, and what each stage gives.
    kept : list of bool
        Whether each map is still there at the end.
    """

    stages: list[PlacedStage]
    descriptors: list[NDArray[np.uint32]]
    batches: list[Batch]
    lookups: list[NDArray[np.uint8]]
    maps: list[FeatureMap]
    kept: list[bool]

    @property
    def passes(self) -> list[Pass]:
        """All passes, in the order in which they run."""
        return [layer_pass for placed in self.stages for layer_pass in placed.passes]


def compile_graph(
    graph: Graph,
    machine: Machine,
    *,
    fold_pools: bool = False,
    split_pools: bool = True,
    widen_groups: bool = True,
) -> CompiledProgram:
    """Compile a network for a machine.

    Parameters
    ----------
    graph : Graph
    machine : Machine
    fold_pools : bool
        Whether an average pooling may be folded into the kernels of its layer, see
        `spinplane.compiler.mapping.folding`.
    split_pools : bool
        Whether maxima over overlapping regions may be taken in passes of their own, see
        `spinplane.compiler.mapping.layer_splitting`.
    widen_groups : bool
        Whether groups may be widened to powers of two by passes of their own, see
        `spinplane.compiler.mapping.group_splitting`. All three are done where a steady run takes fewer cycles and the
        banks hold it; what a layer gives stays the same.

    Returns
    -------
    CompiledProgram
        Its map `input` takes codes (value − offset) / scale of what `Graph.encode_input` gives.

    Raises
    ------
    SpinplaneError
        If a layer does not fit, with its name, the numbers and the parameter of the machine, or its steps are none
        that the output stage can compute.
    """
    network = NetworkStages(graph, machine)
    folds = sorted({False, fold_pools and network.foldable})
    splits = sorted({False, split_pools and network.splittable})
    widths = sorted({False, widen_groups and network.groupable})
    plans, refusals = list[_Plan](), list[SpinplaneError]()
    # The network as it is comes first: it is taken if nothing is better, and told of if nothing fits.
    for fold, split, widen in product(folds, splits, widths):
        try:
            stages = network.choose(fold_pools=fold, split_pools=split, widen_groups=widen)
            plans.append(_plan(machine, network, stages))
        except SpinplaneError as refusal:
            refusals.append(refusal)
    if not plans:
        raise refusals[0]
    best = min(plans, key=lambda plan: predict_descriptors(machine, plan.passes, resident=True).total.cycles)
    return _program(graph, machine, best)


def _plan(machine: Machine, network: NetworkStages, stages: Sequence[Stage]) -> _Plan:
    """A program that computes each stage in the way with the fewest expected cycles."""
    allocations = choose_allocations(machine, [stage.candidates for stage in stages])
    steps = [
        stage.steps_of(allocation.placement) for stage, allocation in zip(stages, allocations, strict=True)
    ]
    places = [network.input_place, *(stage.place for stage in stages)]
    homes = [place.home for place in places]
    unplaced = _maps(places, stages, allocations, steps)
    maps = place_maps(machine, unplaced, homes, stages, network.output_maps(stages))
    sources = [tuple(maps[number] for number in stage.takes) for stage in stages]
    residuals = [None if stage.adds is None else maps[stage.adds] for stage in stages]
    lookups = [lookup_words(machine, step) for step in steps]
    bases = [0, *np.cumsum([len(words) for words in lookups]).tolist()][:-1]
    batches = [
        layer_passes(
            stage.number, allocation, step, base, min(taken, key=lambda one: one.base), target, residual
        )
        for stage, allocation, step, base, taken, target, residual in zip(
            stages, allocations, steps, bases, sources, maps[1:], residuals, strict=True
        )
    ]
    _check_banks(machine, stages, batches, [len(words) for words in lookups])
    passes = _placed_in_banks(batches)
    number, placed, descriptors = 1, list[PlacedStage](), list[NDArray[np.uint32]]()
    for at, stage in enumerate(stages):
        count = sum(len(batch.passes) for batch in batches[at])
        own = tuple(passes[number - 1 : number - 1 + count])
        descriptors += [_words(stage.name, layer_pass) for layer_pass in own]
        placed.append(
            PlacedStage(
                stage=stage,
                allocation=allocations[at],
                steps=steps[at],
                sources=sources[at],
                target=maps[at + 1],
                residual=residuals[at],
                numbers=tuple(range(number, number + count)),
                passes=own,
            )
        )
        number += count
    return _Plan(
        stages=placed,
        descriptors=descriptors,
        batches=[batch for of_stage in batches for batch in of_stage],
        lookups=lookups,
        maps=maps,
        kept=kept_maps(maps, homes),
    )


def _maps(
    places: Sequence[MapPlace],
    stages: Sequence[Stage],
    allocations: Sequence[Allocation],
    steps: Sequence[Requantization],
) -> list[FeatureMap]:
    """Feature maps at no address yet: the input, and what each stage gives, as those that take it read it."""
    channels = [allocations[0].placement.layer.input_shape[0], *(stage.output_shape[0] for stage in stages)]
    taken = dict[int, FeatureMap]()
    for stage, allocation in zip(stages, allocations, strict=True):
        for number in stage.takes:
            read = taken_map(allocation.placement, places[number].first, channels[number])
            assert taken.setdefault(number, read) == read
    # The first stage takes the network's input.
    return [
        taken[0],
        *(
            taken.get(at + 1) or _given_map(*of_stage)
            for at, of_stage in enumerate(zip(stages, allocations, steps, strict=True))
        ),
    ]


def _given_map(stage: Stage, allocation: Allocation, steps: Requantization) -> FeatureMap:
    """The map of a stage that no other one takes."""
    placement, output = allocation.placement, stage.output
    lanes = placement.machine.results_per_cycle
    channels, height, width = stage.output_shape
    raw = steps.raw
    room = ceil_div(channels, lanes) * lanes
    planes = output.bits if output else 1
    pixel_bits = room * (32 if raw else planes)
    return FeatureMap(
        layout="raw" if raw else "planes",
        base=0,
        line_bits=width * pixel_bits,
        pixel_bits=pixel_bits,
        plane_bits=0 if raw else room,
        planes=planes,
        channels=channels,
        height=height,
        width=width,
        scale=output.scale if output else 1,
        offset=output.offset if output else 0,
    )


def _check_banks(
    machine: Machine, stages: Sequence[Stage], batches: Sequence[Sequence[Batch]], lookups: Sequence[int]
) -> None:
    """Refuse what the banks do not hold, before any of their words are made."""
    names = [stage.name for stage in stages]
    _check_bank(machine, "kernel_words", names, [sum(b.kernel_words for b in of) for of in batches])
    _check_bank(machine, "parameter_beats", names, [sum(len(b.parameters) for b in of) for of in batches])
    _check_bank(machine, "threshold_beats", names, lookups)
    passes = [sum(len(batch.passes) for batch in of) for of in batches]
    # Header and END are descriptors too.
    _check_bank(machine, "descriptors", names, [count + 2 * (at == 0) for at, count in enumerate(passes)])


def _words(name: str, layer_pass: Pass) -> NDArray[np.uint32]:
    """The descriptor of a pass of a layer."""
    try:
        return encode(layer_pass)
    except SpinplaneError as error:
        raise SpinplaneError(f"layer {name}: {error}") from None


def _check_bank(machine: Machine, key: str, names: Sequence[str], needed: Sequence[int]) -> None:
    """Refuse what does not fit, naming the layer that is the first to go beyond."""
    has = getattr(machine, key)
    if sum(needed) <= has:
        return
    at = int(np.flatnonzero(np.cumsum(needed) > has)[0])
    raise SpinplaneError(
        f"layer {names[at]}: exceeds {key} = {has} of machine {machine.name}: the network needs {sum(needed)}"
    )


def _placed_in_banks(batches: Sequence[Sequence[Batch]]) -> list[Pass]:
    """All passes, each with its places in the banks."""
    passes, kernel, parameter, scale = list[Pass](), 0, 0, 0
    for batch in (batch for of_stage in batches for batch in of_stage):
        passes += [
            replace(
                layer_pass,
                parameter_base=parameter,
                load_base=0 if layer_pass.load is Load.NEVER else kernel,
                scale_base=scale if len(batch.scales) else 0,
            )
            for layer_pass in batch.passes
        ]
        kernel += batch.kernel_words
        parameter += len(batch.parameters)
        scale += len(batch.scales)
    return passes


def _program(graph: Graph, machine: Machine, plan: _Plan) -> CompiledProgram:
    """The words of all banks, and a header for them."""
    rows = np.concatenate([batch.kernel_rows() for batch in plan.batches])
    digest = machine_digest(machine)
    # 0 says that nothing is resident, so no program has it as its tag.
    tag = crc32(rows.data, crc32(np.array(plan.descriptors).data, digest)) or 1
    header = Header(machine=digest, tag=tag)
    # Number of the first stage of each layer, and of the one after the last.
    layers = [placed.stage.number for placed in plan.stages]
    bounds = np.searchsorted(layers, np.arange(len(graph.layers) + 1))
    return CompiledProgram(
        machine=machine,
        name=graph.name,
        descriptors=np.array([encode(header), *plan.descriptors, encode(End())]),
        kernel_rows=rows,
        parameters=np.concatenate([batch.parameters for batch in plan.batches]),
        scales=np.concatenate([batch.scales for batch in plan.batches]),
        thresholds=np.concatenate(plan.lookups),
        input=plan.maps[0],
        layers=tuple(
            ProgramLayer(
                name=layer.name,
                descriptors=tuple(n for placed in plan.stages[begin:end] for n in placed.numbers),
                output=plan.maps[end],
                kept=plan.kept[end],
            )
            for layer, begin, end in zip(graph.layers, bounds, bounds[1:], strict=False)
        ),
        outputs=tuple(ProgramOutput(name=output.name, layers=output.layers) for output in graph.outputs),
        graph=graph,
        stages=tuple(plan.stages),
    )
