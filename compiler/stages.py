"""The stages of a network: what is computed one after the other, each with all ways to do it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from spinplane.machine import Machine, SpinplaneError

from .candidates import placements
from .codes import InputCode
from .folding import fold_pool
from .graph import Graph, Layer
from .lowering import LoweredLayer, layer_input_code, lower
from .placement import Placement
from .pool_splitting import split_pool
from .requantize import Requantization, requantization

#: An input of fewer channels enters as bytes, strips of pixels in a row.
_CHANNELS_OF_PLANES = 16

_Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """A way to compute a stage: as it is, or with its pooling folded into its kernels."""

    lowered: LoweredLayer
    steps: Requantization


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """A layer, or a part of one whose maxima are taken afterwards.

    Parameters
    ----------
    number : int
        Of the layer in the graph.
    variants : tuple of Variant
        The first one as it is.
    candidates : tuple of Placement
        Of all variants; none is empty.
    output : InputCode, optional
        Codes that it writes; None for sums.
    """

    number: int
    variants: tuple[Variant, ...]
    candidates: tuple[Placement, ...]
    output: InputCode | None

    @property
    def name(self) -> str:
        """Of the layer."""
        return self.variants[0].lowered.name

    @property
    def output_shape(self) -> _Shape:
        """Channels, height and width."""
        lowered = self.variants[0].lowered
        return lowered.kernels, *lowered.regions

    @property
    def fewest_cycles(self) -> float:
        """Cycles of a steady run if all rows were its own; infinite if it does not fit."""
        fitting = (
            p for p in self.candidates if p.pass_rounds and p.input_rows + p.round_rows <= p.machine.rows
        )
        return min((p.cycles(p.pass_rounds) for p in fitting), default=float("inf"))

    def steps_of(self, placement: Placement) -> Requantization:
        """Requantization of the variant that a placement belongs to."""
        return next(v.steps for v in self.variants if v.lowered.layer is placement.layer.layer)


def network_stages(graph: Graph, machine: Machine, *, fold_pools: bool, split_pools: bool) -> list[Stage]:
    """Stages of all layers; the parameters are those of `spinplane.compiler.program.compile_graph`.

    Raises
    ------
    SpinplaneError
        If a layer cannot be lowered, its steps are none that the way out can compute, or there is no way to place it.
    """
    layers, stages = graph.layers, list[Stage]()
    shape = graph.input_shape
    # Channels that do not exist have the least code, and a host leaves them out.
    clean = shape[0] % machine.results_per_cycle == 0
    for number, layer in enumerate(layers):
        last = number + 1 == len(layers)
        if layer.steps is None and not last:
            raise SpinplaneError(f"layer {layer.name}: its sums go into another layer without requantization")
        ways: list[Sequence[Layer]] = [[layer]]
        if split_pools and not last and (split := split_pool(layer, layers[number + 1].i)):
            ways.append(split)
        output = _own_code(layer) if last else layer_input_code(layers[number + 1])
        options = [
            _stages_of(way, number, shape, output, machine, clean=clean, fold_pools=fold_pools)
            for way in ways
        ]
        stages += min(options, key=lambda option: sum(stage.fewest_cycles for stage in option))
        shape = stages[-1].output_shape
        clean = stages[-1].variants[0].steps.low == 0
    return stages


def _stages_of(
    way: Sequence[Layer],
    number: int,
    shape: _Shape,
    output: InputCode | None,
    machine: Machine,
    *,
    clean: bool,
    fold_pools: bool,
) -> list[Stage]:
    """Stages of a layer that is computed in one way."""
    stages = list[Stage]()
    for at, layer in enumerate(way):
        codes = output if at + 1 == len(way) else layer_input_code(way[at + 1])
        variants = _variants(layer, shape, codes, machine, fold_pools=fold_pools)
        candidates = tuple(
            placement
            for variant in variants
            for placement in placements(
                variant.lowered,
                machine,
                in_bytes=number == at == 0 and shape[0] < _CHANNELS_OF_PLANES,
                clean=clean,
                output_planes=codes.bits if codes else 0,
                threshold_words=variant.steps.threshold_words,
            )
        )
        if not candidates:
            raise SpinplaneError(
                f"layer {layer.name}: no arrangement of its lines fits the widths of a descriptor's fields"
            )
        stages.append(Stage(number=number, variants=variants, candidates=candidates, output=codes))
        shape, clean = stages[-1].output_shape, variants[0].steps.low == 0
    return stages


def _variants(
    layer: Layer, shape: _Shape, output: InputCode | None, machine: Machine, *, fold_pools: bool
) -> tuple[Variant, ...]:
    """A layer as it is, and with its average pooling folded if its summed kernels can be computed."""
    variants = [Variant(lowered=lower(layer, shape, machine), steps=requantization(layer, output))]
    if fold_pools and (folded := fold_pool(layer)):
        # Sums of whole regions may be too wide where those of single windows are not.
        with suppress(SpinplaneError):
            variants.append(
                Variant(lowered=lower(folded, shape, machine), steps=requantization(folded, output))
            )
    return tuple(variants)


def _own_code(layer: Layer) -> InputCode | None:
    """Codes of the last layer's own levels, None for sums."""
    if layer.steps is None:
        return None
    levels = layer.steps.levels
    count = len(levels) - 1
    return InputCode(
        bits=max(1, count.bit_length()),
        scale=int(levels[1] - levels[0]) if count else 1,
        offset=int(levels[0]),
        pad_code=0,
    )
