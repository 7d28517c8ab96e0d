"""What the layers of a compiled network ask of any hardware."""

from math import prod

from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.evaluation.baselines import LayerWork
from spinplane.evaluation.event_counts import map_bits
from spinplane.machine.program import FeatureMap

from .compiled_layer import CompiledLayer, compiled_layers


def layer_works(program: CompiledProgram) -> tuple[LayerWork, ...]:
    """The layers of a network, as baselines take them.

    Parameters
    ----------
    program : CompiledProgram
    """
    layers = compiled_layers(program)
    last = len(layers) - 1
    return tuple(
        _work(layer, _sources(program, number), quantized=0 < number < last)
        for number, layer in enumerate(layers)
    )


def map_values(place: FeatureMap) -> int:
    """Values of a map."""
    return place.channels * place.height * place.width


def _sources(program: CompiledProgram, number: int) -> list[FeatureMap]:
    """The maps that a layer takes."""
    return [
        program.input if source < 0 else program.layers[source].output
        for source in program.graph.sources(number)
    ]


def _work(layer: CompiledLayer, sources: list[FeatureMap], *, quantized: bool) -> LayerWork:
    weights, output = layer.layer.weights, layer.placed.output
    inputs = sum(map(map_values, sources))
    fan_in = prod(weights.shape[1:])
    # Lines above the last one of a window, and of this the window's own part.
    lines = (weights.shape[2] - 1) * sources[0].width + weights.shape[3]
    held = inputs if layer.layer.flatten else weights.shape[1] * layer.layer.groups * lines
    return LayerWork(
        name=layer.layer.name,
        quantized=quantized,
        kernels=weights.shape[0],
        fan_in=fan_in,
        groups=layer.layer.groups,
        windows=prod(layer.sums.stage.windows),
        w_bits=layer.layer.w.bits,
        i_bits=layer.layer.i.bits,
        out_bits=map_bits(output) // map_values(output),
        inputs=inputs,
        outputs=map_values(output),
        held=min(held, inputs),
    )
