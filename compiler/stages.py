"""The stages of a network: what is computed one after the other, each with all ways to do it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from spinplane.machine import Machine, SpinplaneError

from .candidates import placements
from .codes import InputCode
from .folding import fold_pool
from .graph import Graph, Layer
from .lowering import LoweredLayer, layer_input_code, lower
from .oracle import check_shapes
from .placement import Placement
from .pool_splitting import split_pool
from .requantize import Addend, Requantization, requantization
from .wiring import Wiring

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
    takes : int
        Number of its input's map: 0 is the network's input, and stage k gives map k + 1.
    adds : int, optional
        Number of the map that is its residual.
    """

    number: int
    variants: tuple[Variant, ...]
    candidates: tuple[Placement, ...]
    output: InputCode | None
    takes: int
    adds: int | None

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
        return _fewest_cycles(self.candidates)

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
    wiring, stages = Wiring(graph), list[Stage]()
    # Channels that do not exist have the least code, and a host leaves them out.
    sources = {-1: _Source(0, graph.input_shape, clean=graph.input_shape[0] % machine.results_per_cycle == 0)}
    for number, layer in enumerate(graph.layers):
        last = number + 1 == len(graph.layers)
        if layer.steps is None and not last:
            raise SpinplaneError(f"layer {layer.name}: its sums go into another layer without requantization")
        ways: list[Sequence[Layer]] = [[layer]]
        operand = wiring.operand(number)
        if split_pools and operand and (split := split_pool(layer, operand)):
            ways.append(split)
        build = _Builder(
            graph=graph,
            wiring=wiring,
            machine=machine,
            number=number,
            source=sources[graph.source(number)],
            residual=sources[layer.residual.source] if layer.residual else None,
            first=len(stages),
            fold_pools=fold_pools,
        )
        stages += min(
            map(build.stages, ways), key=lambda option: sum(stage.fewest_cycles for stage in option)
        )
        sources[number] = _source_of(stages[-1], len(stages))
    return _agreed(stages)


def _agreed(stages: list[Stage]) -> list[Stage]:
    """Stages whose candidates read each map in one layout: that of the fewest cycles of all that take it."""
    takers: dict[int, list[int]] = {}
    for at, stage in enumerate(stages):
        takers.setdefault(stage.takes, []).append(at)
    agreed = list(stages)
    for together in takers.values():
        if len(together) == 1:
            continue
        ways = [_by_layout(stages[at].candidates) for at in together]
        common = sorted(set.intersection(*(set(way) for way in ways)))
        if not common:
            raise SpinplaneError(
                f"layer {stages[together[-1]].name}: no layout of its input serves {stages[together[0]].name} too"
            )
        best = min(common, key=lambda layout: sum(_fewest_cycles(way[layout]) for way in ways))
        for at, way in zip(together, ways, strict=True):
            agreed[at] = replace(stages[at], candidates=tuple(way[best]))
    return agreed


def _by_layout(candidates: Sequence[Placement]) -> dict[tuple[int, ...], list[Placement]]:
    found: dict[tuple[int, ...], list[Placement]] = {}
    for placement in candidates:
        found.setdefault(placement.map_layout, []).append(placement)
    return found


def _fewest_cycles(candidates: Sequence[Placement]) -> float:
    """Of those that fit; infinite if none does."""
    fitting = (p for p in candidates if p.pass_rounds and p.input_rows + p.round_rows <= p.machine.rows)
    return min((p.cycles(p.pass_rounds) for p in fitting), default=float("inf"))


@dataclass(frozen=True)
class _Source:
    """A map that is there: its number, shape, and whether what lies between its channels is 0."""

    number: int
    shape: _Shape
    clean: bool


def _source_of(stage: Stage, number: int) -> _Source:
    """The map that a stage gives."""
    return _Source(number, stage.output_shape, clean=stage.variants[0].steps.low == 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Builder:
    """Stages of a layer in one way or another.

    Parameters
    ----------
    graph : Graph
    wiring : Wiring
    machine : Machine
    number : int
        Of the layer.
    source : _Source
    residual : _Source, optional
    first : int
        Number of its first stage.
    fold_pools : bool
    """

    graph: Graph
    wiring: Wiring
    machine: Machine
    number: int
    source: _Source
    residual: _Source | None
    first: int
    fold_pools: bool

    def stages(self, way: Sequence[Layer]) -> list[Stage]:
        """Stages of a layer that is computed in one way."""
        wiring, taken = self.wiring, self.graph.source(self.number)
        code = wiring.code(taken)
        # What is not the network's input as raw bytes are planes, which the reader of residuals needs.
        in_bytes = taken < 0 and self.source.shape[0] < _CHANNELS_OF_PLANES and not wiring.added(taken)
        stages, source = list[Stage](), self.source
        for at, layer in enumerate(way):
            output = wiring.code(self.number) if at + 1 == len(way) else layer_input_code(way[at + 1])
            addend = wiring.addend(layer)
            variants = self._variants(layer, source.shape, code, output, addend)
            if self.residual:
                lowered = variants[0].lowered
                check_shapes(layer, (lowered.kernels, *lowered.regions), self.residual.shape)
            candidates = tuple(
                placement
                for variant in variants
                for placement in placements(
                    variant.lowered,
                    self.machine,
                    in_bytes=in_bytes,
                    clean=source.clean,
                    output_planes=output.bits if output else 0,
                    threshold_words=variant.steps.threshold_words,
                    residual_planes=addend.code.bits if addend else 0,
                )
            )
            if not candidates:
                raise SpinplaneError(
                    f"layer {layer.name}: no arrangement of its lines fits the widths of a descriptor's fields"
                )
            stages.append(
                Stage(
                    number=self.number,
                    variants=variants,
                    candidates=candidates,
                    output=output,
                    takes=source.number,
                    adds=self.residual.number if self.residual else None,
                )
            )
            source = _source_of(stages[-1], self.first + len(stages))
            code, in_bytes = output, False
        return stages

    def _variants(
        self,
        layer: Layer,
        shape: _Shape,
        code: InputCode | None,
        output: InputCode | None,
        addend: Addend | None,
    ) -> tuple[Variant, ...]:
        """A layer as it is, and with its average pooling folded if its summed kernels can be computed."""

        def variant(layer: Layer) -> Variant:
            return Variant(
                lowered=lower(layer, shape, self.machine, code), steps=requantization(layer, output, addend)
            )

        variants = [variant(layer)]
        if self.fold_pools and (folded := fold_pool(layer)):
            # Sums of whole regions may be too wide where those of single windows are not.
            with suppress(SpinplaneError):
                variants.append(variant(folded))
        return tuple(variants)
