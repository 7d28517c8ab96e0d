"""A network as a program of the accelerator: everything that a host writes into its banks."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.descriptor import Load, Requantize
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, NetworkProgram, ProgramLayer
from spinplane.machine.registers import machine_digest

from .graph import Graph
from .image_bank import overlap, place_maps
from .passes import Batch, input_map, layer_passes
from .placement import ceil_div
from .pool_splitting import split_pool
from .predict import predict
from .requantize import Requantization
from .residency import Home, choose_homes
from .stages import Stage, network_stages
from .wiring import Wiring


def compile_graph(
    graph: Graph, machine: Machine, *, fold_pools: bool = False, split_pools: bool = True
) -> NetworkProgram:
    """Compile a network for a machine.

    Parameters
    ----------
    graph : Graph
    machine : Machine
    fold_pools : bool
        Whether an average pooling may be folded into the kernels of its layer, see `spinplane.compiler.folding`.
    split_pools : bool
        Whether maxima over overlapping regions may be taken in passes of their own, see
        `spinplane.compiler.pool_splitting`. Both are done where a steady run takes fewer cycles and the banks
        hold it; what a layer gives stays the same.

    Returns
    -------
    NetworkProgram
        Its map `input` takes codes (value − offset) / scale of what `Graph.encode_input` gives.

    Raises
    ------
    SpinplaneError
        If a layer does not fit, with its name, the numbers and the parameter of the machine, or its steps are none
        that the way out can compute.
    """
    foldable = fold_pools and any(layer.pool and layer.pool.kind == "sum" for layer in graph.layers)
    wiring = Wiring(graph)
    given = [wiring.operand(number) for number in range(len(graph.layers))]
    splittable = split_pools and any(
        operand and split_pool(layer, operand) for layer, operand in zip(graph.layers, given, strict=True)
    )
    programs, refusals = list[NetworkProgram](), list[SpinplaneError]()
    # The network as it is comes first: it is taken if nothing is better, and told of if nothing fits.
    for fold, split in product(sorted({False, foldable}), sorted({False, splittable})):
        try:
            programs.append(_compile(graph, machine, fold_pools=fold, split_pools=split))
        except SpinplaneError as refusal:
            refusals.append(refusal)
    if not programs:
        raise refusals[0]
    return min(programs, key=lambda program: predict(program, resident=True).total.cycles)


def _compile(graph: Graph, machine: Machine, *, fold_pools: bool, split_pools: bool) -> NetworkProgram:
    """A program in which each layer is computed in the way of which the fewest cycles are expected."""
    stages = network_stages(graph, machine, fold_pools=fold_pools, split_pools=split_pools)
    homes = choose_homes(machine, [stage.candidates for stage in stages])
    steps = [stage.steps_of(home.placement) for stage, home in zip(stages, homes, strict=True)]
    maps = place_maps(machine, _maps(stages, homes, steps), stages)
    batches = [
        layer_passes(
            stage.number,
            home,
            step,
            maps[stage.takes],
            maps[at + 1],
            None if stage.adds is None else maps[stage.adds],
        )
        for at, (stage, home, step) in enumerate(zip(stages, homes, steps, strict=True))
    ]
    return _assemble(graph, machine, stages, batches, maps)


def _maps(
    stages: Sequence[Stage], homes: Sequence[Home], steps: Sequence[Requantization]
) -> list[FeatureMap]:
    """Feature maps at no address yet: the input, and what each stage gives, as those that take it read it."""
    maps = [_given_map(*of_stage) for of_stage in zip(stages, homes, steps, strict=True)]
    # The first stage takes the network's input.
    maps.insert(0, input_map(homes[0].placement, 0))
    for stage, home in zip(stages, homes, strict=True):
        maps[stage.takes] = input_map(home.placement, 0)
    for stage, home in zip(stages, homes, strict=True):
        assert maps[stage.takes] == input_map(home.placement, 0)
    return maps


def _given_map(stage: Stage, home: Home, steps: Requantization) -> FeatureMap:
    """The map of a stage that no other one takes."""
    placement, output = home.placement, stage.output
    lanes = placement.machine.results_per_cycle
    channels, height, width = stage.output_shape
    raw = steps.requantize is Requantize.RAW
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


def _assemble(
    graph: Graph,
    machine: Machine,
    stages: Sequence[Stage],
    batches: Sequence[Sequence[Batch]],
    maps: Sequence[FeatureMap],
) -> NetworkProgram:
    """Give every pass its place in the banks, and the program its header."""
    names = [stage.name for stage in stages]
    passes = [sum(len(batch.passes) for batch in of) for of in batches]
    _check_bank(machine, "kernel_words", names, [sum(len(b.kernel_rows) for b in of) for of in batches])
    _check_bank(machine, "parameter_beats", names, [sum(len(b.parameters) for b in of) for of in batches])
    _check_bank(machine, "threshold_beats", names, [sum(len(b.thresholds) for b in of) for of in batches])
    # Header and END are descriptors too.
    _check_bank(machine, "descriptors", names, [count + 2 * (at == 0) for at, count in enumerate(passes)])
    descriptors, kernel, parameter, threshold = [], 0, 0, 0
    flat = [(name, batch) for name, of_layer in zip(names, batches, strict=True) for batch in of_layer]
    for name, batch in flat:
        for layer_pass in batch.passes:
            based = replace(
                layer_pass,
                parameter_base=parameter,
                load_base=0 if layer_pass.load is Load.NEVER else kernel,
                threshold_base=threshold if len(batch.thresholds) else 0,
            )
            descriptors.append(_words(name, based))
        kernel += len(batch.kernel_rows)
        parameter += len(batch.parameters)
        threshold += len(batch.thresholds)
    rows = np.concatenate([batch.kernel_rows for _, batch in flat])
    digest = machine_digest(machine)
    # 0 says that nothing is resident, so no program has it as its tag.
    tag = crc32(rows.tobytes(), crc32(np.array(descriptors).tobytes(), digest)) or 1
    header = Header(machine=digest, tag=tag)
    first_passes = np.cumsum([1, *passes])
    # Number of the first stage of each layer, and of the one after the last.
    bounds = np.searchsorted([stage.number for stage in stages], np.arange(len(graph.layers) + 1))
    return NetworkProgram(
        machine=machine,
        name=graph.name,
        descriptors=np.array([encode(header), *descriptors, encode(End())]),
        kernel_rows=rows,
        parameters=np.concatenate([batch.parameters for _, batch in flat]),
        thresholds=np.concatenate([batch.thresholds for _, batch in flat]),
        input=maps[0],
        layers=tuple(
            ProgramLayer(
                name=layer.name,
                descriptors=tuple(range(first_passes[begin], first_passes[end])),
                output=maps[end],
                kept=not any(overlap(maps[end], later) for later in maps[end + 1 :]),
            )
            for layer, begin, end in zip(graph.layers, bounds, bounds[1:], strict=False)
        ),
    )


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
        f"layer {names[at]}: it goes beyond {key} = {has} of machine {machine.name}, the network needs {sum(needed)}"
    )
