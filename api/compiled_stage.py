"""The passes of a layer that read one map and write another: all of them, or those before and those of its maxima."""

from dataclasses import dataclass

from spinplane.compiler.graph import Layer
from spinplane.compiler.lowering import layer_input_code
from spinplane.compiler.pool_splitting import split_pool
from spinplane.machine import Operand
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, NetworkProgram, ProgramLayer


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledStage:
    """Passes over one map.

    Parameters
    ----------
    numbers : tuple of int
        Of the descriptors in the program.
    passes : tuple of Pass
    source, target : FeatureMap
        What they read and write.
    """

    numbers: tuple[int, ...]
    passes: tuple[Pass, ...]
    source: FeatureMap
    target: FeatureMap


def compiled_stages(
    program: NetworkProgram,
    placed: ProgramLayer,
    source: FeatureMap,
    layer: Layer,
    output: Operand | None,
    windows: tuple[int, int],
) -> tuple[CompiledStage, ...]:
    """The stages of a layer in a program.

    Parameters
    ----------
    program : NetworkProgram
    placed : ProgramLayer
    source : FeatureMap
        Its input.
    layer : Layer
    output : Operand, optional
        Of what it gives; None for the last layer, which is never split.
    windows : (vertical, horizontal)
        Of the layer, before pooling.
    """
    passes = {n: program.pass_at(n) for n in placed.descriptors}
    # A stage never writes where it reads, and so the maps of two stages begin at two addresses.
    own = tuple(n for n, layer_pass in passes.items() if layer_pass.in_base == source.base)
    maxima = tuple(n for n in passes if n not in own)
    split = split_pool(layer, output) if maxima and output else None
    between = placed.output
    if split:
        between = _map_between(passes[own[0]], passes[maxima[0]], split[1], windows)
    stages = [(own, source, between), (maxima, between, placed.output)]
    return tuple(
        CompiledStage(numbers=numbers, passes=tuple(passes[n] for n in numbers), source=taken, target=given)
        for numbers, taken, given in stages
        if numbers
    )


def _map_between(writes: Pass, reads: Pass, maxima: Layer, windows: tuple[int, int]) -> FeatureMap:
    """The map of all windows' codes, from a pass that writes it and one that reads it."""
    code = layer_input_code(maxima)
    height, width = windows
    return FeatureMap(
        layout="planes",
        base=reads.in_base,
        line_bits=reads.in_line_bits,
        pixel_bits=reads.in_line_bits // width,
        plane_bits=writes.out_plane_bits,
        planes=code.bits,
        channels=len(maxima.weights),
        height=height,
        width=width,
        scale=code.scale,
        offset=code.offset,
    )
