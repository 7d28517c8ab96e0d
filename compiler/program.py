"""A network as a program of the accelerator: everything that a host writes into its banks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

import numpy as np

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.descriptor import FORMAT_VERSION, Descriptor, Kind, Load, Requantize
from spinplane.machine.program import FeatureMap, NetworkProgram, ProgramLayer
from spinplane.machine.registers import machine_digest

from .codes import InputCode
from .folding import fold_pool
from .graph import Graph, Layer
from .lowering import LoweredLayer, layer_input_code, lower
from .passes import Batch, input_map, layer_passes
from .placement import ceil_div, placements
from .requantize import Requantization, requantization
from .residency import Home, choose_homes

#: An input of fewer channels enters as bytes, strips of pixels in a row.
_CHANNELS_OF_PLANES = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class _Variant:
    """A way to compute a layer: as it is, or with its pooling folded into its kernels."""

    lowered: LoweredLayer
    steps: Requantization


def compile_graph(graph: Graph, machine: Machine, *, fold_pools: bool = False) -> NetworkProgram:
    """Compile a network for a machine.

    Parameters
    ----------
    graph : Graph
    machine : Machine
    fold_pools : bool
        Whether an average pooling may be folded into the kernels of its layer: see `spinplane.compiler.folding`. It is
        where fewer cycles come of it; what the layer gives stays the same.

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
    outputs = [_output_code(graph.layers, at) for at in range(len(graph.layers))]
    variants = _variants(graph, machine, outputs, fold_pools=fold_pools)
    candidates = [
        [
            placement
            for variant in of_layer
            for placement in placements(
                variant.lowered,
                machine,
                in_bytes=at == 0 and graph.input_shape[0] < _CHANNELS_OF_PLANES,
                # Channels that do not exist have the least code, and a host leaves them out.
                clean=graph.input_shape[0] % machine.results_per_cycle == 0
                if at == 0
                else variants[at - 1][0].steps.low == 0,
                output_planes=output.bits if output else 0,
                threshold_words=variant.steps.threshold_words,
            )
        ]
        for at, (of_layer, output) in enumerate(zip(variants, outputs, strict=True))
    ]
    names = [layer.name for layer in graph.layers]
    for name, of_layer in zip(names, candidates, strict=True):
        if not of_layer:
            raise SpinplaneError(
                f"layer {name}: no arrangement of its lines fits the widths of a descriptor's fields"
            )
    homes = choose_homes(machine, candidates)
    steps = [
        next(variant.steps for variant in of_layer if variant.lowered.layer is home.placement.layer.layer)
        for of_layer, home in zip(variants, homes, strict=True)
    ]
    maps = _place_maps(machine, _maps(homes, outputs, steps), names)
    batches = [
        layer_passes(at, home, step, maps[at], maps[at + 1])
        for at, (home, step) in enumerate(zip(homes, steps, strict=True))
    ]
    return _assemble(graph, machine, batches, maps)


def _variants(
    graph: Graph, machine: Machine, outputs: Sequence[InputCode | None], *, fold_pools: bool
) -> list[list[_Variant]]:
    """Ways to compute each layer, the first one as it is."""
    shape, variants = graph.input_shape, []
    for at, (layer, output) in enumerate(zip(graph.layers, outputs, strict=True)):
        if layer.steps is None and at + 1 < len(graph.layers):
            raise SpinplaneError(f"layer {layer.name}: its sums go into another layer without requantization")
        folded = fold_pool(layer) if fold_pools else None
        variants.append(
            [
                _Variant(lowered=lower(way, shape, machine), steps=requantization(way, output))
                for way in (layer, folded)
                if way is not None
            ]
        )
        lowered = variants[-1][0].lowered
        shape = (lowered.kernels, *lowered.regions)
    return variants


def _output_code(layers: Sequence[Layer], at: int) -> InputCode | None:
    """Codes that a layer writes: those that the next one takes; of the last one its own levels, None for sums."""
    if at + 1 < len(layers):
        return layer_input_code(layers[at + 1])
    steps = layers[at].steps
    if steps is None:
        return None
    count = len(steps.levels) - 1
    return InputCode(
        bits=max(1, count.bit_length()),
        scale=int(steps.levels[1] - steps.levels[0]) if count else 1,
        offset=int(steps.levels[0]),
        pad_code=0,
    )


def _maps(
    homes: Sequence[Home], outputs: Sequence[InputCode | None], steps: Sequence[Requantization]
) -> list[FeatureMap]:
    """Feature maps at no address yet: the input, and what each layer gives."""
    maps = [input_map(home.placement, 0) for home in homes]
    last = homes[-1].placement
    lanes = last.machine.results_per_cycle
    channels, (height, width) = last.layer.kernels, last.layer.regions
    output, raw = outputs[-1], steps[-1].requantize is Requantize.RAW
    room = ceil_div(channels, lanes) * lanes
    planes = output.bits if output else 1
    pixel_bits = room * (32 if raw else planes)
    maps.append(
        FeatureMap(
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
    )
    return maps


def _words(machine: Machine, feature_map: FeatureMap) -> int:
    return ceil_div(feature_map.height * feature_map.line_bits, machine.columns)


def _place_maps(machine: Machine, maps: Sequence[FeatureMap], names: Sequence[str]) -> list[FeatureMap]:
    """Bases of all maps: side by side if all fit, else a layer's input at one end and its output at the other."""
    sizes = [_words(machine, m) for m in maps]
    if sum(sizes) <= machine.image_words:
        bases = [sum(sizes[:at]) for at in range(len(sizes))]
    else:
        for name, (taken, given) in zip(names, pairwise(sizes), strict=True):
            if taken + given > machine.image_words:
                raise SpinplaneError(
                    f"layer {name}: its input of {taken} words and its output of {given} need image_words = "
                    f"{taken + given}, machine {machine.name} has {machine.image_words}"
                )
        bases = [machine.image_words - size if at % 2 else 0 for at, size in enumerate(sizes)]
    return [
        FeatureMap(**{**vars(m), "base": base * machine.columns}) for m, base in zip(maps, bases, strict=True)
    ]


def _assemble(
    graph: Graph, machine: Machine, batches: Sequence[Sequence[Batch]], maps: Sequence[FeatureMap]
) -> NetworkProgram:
    """Give every pass its place in the banks, and the program its header."""
    names = [layer.name for layer in graph.layers]
    flat = [batch for of_layer in batches for batch in of_layer]
    passes = [sum(len(batch.passes) for batch in of) for of in batches]
    _check_bank(machine, "kernel_words", names, [sum(len(b.kernel_rows) for b in of) for of in batches])
    _check_bank(machine, "parameter_beats", names, [sum(len(b.parameters) for b in of) for of in batches])
    _check_bank(machine, "threshold_beats", names, [sum(len(b.thresholds) for b in of) for of in batches])
    # Header and END are descriptors too.
    _check_bank(machine, "descriptors", names, [count + 2 * (at == 0) for at, count in enumerate(passes)])
    descriptors, kernel, parameter, threshold = [], 0, 0, 0
    for batch in flat:
        for fields in batch.passes:
            bases = {"parameter_base": parameter}
            if fields["load"] != Load.NEVER.value:
                bases["load_base"] = kernel
            if len(batch.thresholds):
                bases["threshold_base"] = threshold
            descriptors.append(Descriptor({**fields, **bases}).words())
        kernel += len(batch.kernel_rows)
        parameter += len(batch.parameters)
        threshold += len(batch.thresholds)
    rows = np.concatenate([batch.kernel_rows for batch in flat])
    end = Descriptor(kind=Kind.END.value).words()
    digest = machine_digest(machine)
    # 0 says that nothing is resident, so no program has it as its tag.
    tag = crc32(rows.tobytes(), crc32(np.array(descriptors).tobytes(), digest)) or 1
    header = Descriptor(kind=Kind.HEADER.value, version=FORMAT_VERSION, machine=digest, tag=tag).words()
    ends = np.cumsum([1, *passes])
    return NetworkProgram(
        machine=machine,
        name=graph.name,
        descriptors=np.array([header, *descriptors, end]),
        kernel_rows=rows,
        parameters=np.concatenate([batch.parameters for batch in flat]),
        thresholds=np.concatenate([batch.thresholds for batch in flat]),
        input=maps[0],
        layers=tuple(
            ProgramLayer(
                name=name,
                descriptors=tuple(range(ends[at], ends[at + 1])),
                output=maps[at + 1],
                kept=not any(_overlap(maps[at + 1], later) for later in maps[at + 2 :]),
            )
            for at, name in enumerate(names)
        ),
    )


def _check_bank(machine: Machine, key: str, names: Sequence[str], needed: Sequence[int]) -> None:
    """Refuse what does not fit, naming the layer that is the first to go beyond."""
    has = getattr(machine, key)
    if sum(needed) <= has:
        return
    at = int(np.flatnonzero(np.cumsum(needed) > has)[0])
    raise SpinplaneError(
        f"layer {names[at]}: it goes beyond {key} = {has} of machine {machine.name}, the network needs {sum(needed)}"
    )


def _overlap(a: FeatureMap, b: FeatureMap) -> bool:
    return a.base < b.base + b.height * b.line_bits and b.base < a.base + a.height * a.line_bits
