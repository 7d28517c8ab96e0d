"""A plan of a network's program: its stages placed, its passes made, and the banks checked before they are filled."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import encode
from spinplane.machine.descriptor import Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap

from ..compiled_program import PlacedStage
from ..mapping.concatenation import MapPlace
from ..mapping.kernel_allocation import Allocation
from ..mapping.map_allocation import kept_maps, place_maps
from ..mapping.placement import ceil_div
from ..mapping.stages import NetworkStages, Stage
from ..requantization.parameters import Requantization
from .bank_words import lookup_words
from .passes import LoadedKernels, kernel_words, layer_passes, passes_of_image, taken_map


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A program without the words of its kernels.

    Parameters
    ----------
    stages : list of PlacedStage
    descriptors : list of ndarray of shape (DESCRIPTOR_WORDS,), uint32
        Of all passes.
    loads : list of LoadedKernels
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
    loads: list[LoadedKernels]
    lookups: list[NDArray[np.uint8]]
    maps: list[FeatureMap]
    kept: list[bool]

    @property
    def passes(self) -> list[Pass]:
        """All passes, in the order in which they run."""
        return [layer_pass for placed in self.stages for layer_pass in placed.passes]


def plan_program(
    machine: Machine,
    network: NetworkStages,
    stages: Sequence[Stage],
    allocations: Sequence[Allocation],
    batch: int,
) -> Plan:
    """A program that computes each stage as it is allocated.

    Parameters
    ----------
    machine : Machine
    network : NetworkStages
    stages : sequence of Stage
        A way to compute all of it.
    allocations : sequence of Allocation
        Of each stage.
    batch : int
        Images that a run takes.

    Raises
    ------
    SpinplaneError
        If a number or the words of a bank do not fit, with the layer's name.
    """
    _check_sizes(machine, stages, allocations, batch)
    steps = [
        stage.steps_of(allocation.placement) for stage, allocation in zip(stages, allocations, strict=True)
    ]
    places = [network.input_place, *(stage.place for stage in stages)]
    homes = [place.home for place in places]
    unplaced = _maps(places, stages, allocations, steps)
    maps = place_maps(machine, unplaced, homes, stages, network.output_maps(stages), batch)
    sources = [tuple(maps[number] for number in stage.takes) for stage in stages]
    residuals = [None if stage.adds is None else maps[stage.adds] for stage in stages]
    lookups = [lookup_words(machine, step) for step in steps]
    bases = [0, *np.cumsum([len(words) for words in lookups]).tolist()][:-1]
    loads = [
        layer_passes(
            stage.number,
            allocation,
            step,
            base,
            min(taken, key=lambda one: one.base),
            target,
            residual,
            batch,
        )
        for stage, allocation, step, base, taken, target, residual in zip(
            stages, allocations, steps, bases, sources, maps[1:], residuals, strict=True
        )
    ]
    names = [stage.name for stage in stages]
    _check_bank(machine, "parameter_beats", names, [sum(len(b.parameters) for b in of) for of in loads])
    _check_bank(machine, "threshold_beats", names, [len(words) for words in lookups])
    passes = _placed_in_banks(loads)
    number, placed, descriptors = 1, list[PlacedStage](), list[NDArray[np.uint32]]()
    for at, stage in enumerate(stages):
        count = sum(len(load.passes) for load in loads[at])
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
    return Plan(
        stages=placed,
        descriptors=descriptors,
        loads=[load for of_stage in loads for load in of_stage],
        lookups=lookups,
        maps=maps,
        kept=kept_maps(maps, homes, batch),
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


def _check_sizes(
    machine: Machine, stages: Sequence[Stage], allocations: Sequence[Allocation], batch: int
) -> None:
    """Refuse more kernels and passes than their banks hold, before any of them is made."""
    names = [stage.name for stage in stages]
    _check_bank(machine, "kernel_words", names, list(map(kernel_words, allocations)))
    passes = [batch * passes_of_image(allocation) for allocation in allocations]
    # Header and END are descriptors too.
    needed = [count + 2 * (at == 0) for at, count in enumerate(passes)]
    _check_bank(machine, "descriptors", names, needed)


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


def _placed_in_banks(loads: Sequence[Sequence[LoadedKernels]]) -> list[Pass]:
    """All passes, each with its places in the banks."""
    passes, kernel, parameter, scale = list[Pass](), 0, 0, 0
    for load in (load for of_stage in loads for load in of_stage):
        passes += [
            replace(
                layer_pass,
                parameter_base=parameter,
                load_base=0 if layer_pass.load is Load.NEVER else kernel,
                scale_base=scale if len(load.scales) else 0,
            )
            for layer_pass in load.passes
        ]
        kernel += load.kernel_words
        parameter += len(load.parameters)
        scale += len(load.scales)
    return passes
