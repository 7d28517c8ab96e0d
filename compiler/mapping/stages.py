"""The stages of a network in order, each with all ways to compute it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from spinplane.machine import Machine, SpinplaneError

from ..codes import InputCode
from ..graph import Graph, Layer
from ..oracle import check_shapes
from ..requantization.parameters import Requantization
from ..requantization.requantize import requantization
from ..requantization.values import Addend
from .candidates import placements
from .concatenation import Home, MapPlace, Read, Source, arrange_maps, places_of
from .folding import fold_pool
from .group_splitting import split_groups
from .layer_splitting import split_layer, split_pool
from .lowering import LoweredLayer, layer_input_code, lower, lower_spread
from .parts import Part, Way
from .placement import Placement
from .wiring import Wiring, added_sources, check_graph

#: An input of fewer channels enters as bytes, strips of pixels in a row.
_CHANNELS_OF_PLANES = 16

_Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Variant:
    """A way to compute a stage: as it is, or with its pooling folded into its kernels.

    Parameters
    ----------
    lowered : LoweredLayer
    steps : Requantization
    candidates : tuple of Placement
    """

    lowered: LoweredLayer
    steps: Requantization
    candidates: tuple[Placement, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """A layer, or a part of one that several stages compute.

    Parameters
    ----------
    number : int
        Of the layer in the graph.
    part : Part
        What it computes of the layer.
    variants : tuple of Variant
        The first one as it is.
    candidates : tuple of Placement
        Of all variants; none is empty.
    output : InputCode, optional
        Codes that it writes; None for sums.
    takes : tuple of int
        Numbers of the maps that it takes side by side: 0 is the network's input, and stage k gives map k + 1.
    adds : int, optional
        Number of the map that is added to its sums or codes.
    place : MapPlace
        Of its output in its pixels.
    """

    number: int
    part: Part
    variants: tuple[Variant, ...]
    candidates: tuple[Placement, ...]
    output: InputCode | None
    takes: tuple[int, ...]
    adds: int | None
    place: MapPlace

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
    def windows(self) -> tuple[int, int]:
        """Height and width of the convolution's own output, before any pooling."""
        return self.variants[0].lowered.windows

    @property
    def fewest_cycles(self) -> float:
        """Cycles of a steady run if all rows were its own; infinite if it does not fit."""
        return _fewest_cycles(self.candidates)

    def lookup_words(self, lanes: int) -> int:
        """Words of the threshold bank, of the variant that takes the most."""
        return max(variant.steps.with_gaps(lanes).list_places(lanes).words for variant in self.variants)

    def steps_of(self, placement: Placement) -> Requantization:
        """Requantization of the variant that a placement belongs to."""
        return next(v.steps for v in self.variants if v.lowered.layer is placement.layer.layer)


class NetworkStages:
    """The stages of a network on a machine, whatever is done with its pooling: each layer is lowered once for all.

    Parameters
    ----------
    graph : Graph
    machine : Machine

    Attributes
    ----------
    foldable : bool
        Whether there is an average pooling, see `spinplane.compiler.mapping.folding`.
    splittable : bool
        Whether there are overlapping maxima, see `spinplane.compiler.mapping.layer_splitting`.
    groupable : bool
        Whether there are groups of numbers that are no powers of two, see `spinplane.compiler.mapping.group_splitting`.
    input_place : MapPlace
        Of the network's input in its pixels.

    Raises
    ------
    SpinplaneError
        If layers and outputs do not take what others give, see `check_graph`.
    """

    def __init__(self, graph: Graph, machine: Machine) -> None:
        check_graph(graph)
        self._given, arrangement = graph, arrange_maps(graph)
        self._machine, self._owners = machine, arrangement.owners
        self._graph = graph = arrangement.graph
        self._wiring = Wiring(graph, arrangement.together)
        channels = [graph.map_shape[0], *(len(layer.weights) for layer in graph.layers)]
        self._places = places_of(arrangement.together, channels, machine.results_per_cycle)
        self.input_place = self._places[-1]
        takers = map(self._wiring.takers, range(len(graph.layers)))
        self._parts = [split_layer(layer, self._wiring.addend(layer)) for layer in graph.layers]
        self._splits = [
            split_pool(layer, readers[0].i) if readers and len(parts) == 1 else None
            for layer, readers, parts in zip(graph.layers, takers, self._parts, strict=True)
        ]
        self._groups = [
            split_groups(layer) if len(parts) == 1 else []
            for layer, parts in zip(graph.layers, self._parts, strict=True)
        ]
        self._lowered = dict[tuple[Layer, bool], list[LoweredLayer]]()
        self._as_is = dict[tuple[Layer, bool, bool, bool], Variant]()
        self._folded = dict[tuple[Layer, bool, bool, bool], Variant | None]()
        self.foldable = any(layer.pool and layer.pool.kind == "sum" for layer in graph.layers)
        self.splittable = any(self._splits)
        self.groupable = any(self._groups)

    def choose(self, *, fold_pools: bool, split_pools: bool, widen_groups: bool) -> list[Stage]:
        """Stages of all layers, with all ways to place them.

        Parameters
        ----------
        fold_pools, split_pools, widen_groups : bool
            As in `spinplane.compiler.codegen.program.compile_graph`.

        Raises
        ------
        SpinplaneError
            If a layer cannot be lowered, its steps are none that the output stage can compute, or there is no way to
            place it.
        """
        sparing, tried = set[int](), set[int]()
        stages_with = partial(
            self._stages, fold_pools=fold_pools, split_pools=split_pools, widen_groups=widen_groups
        )
        stages = stages_with(sparing)
        words = self._lookup_words(stages)
        # Layers with the most words come first.
        while words.total() > self._machine.threshold_beats and (left := set(+words) - tried):
            layer = max(left, key=words.__getitem__)
            tried.add(layer)
            fewer = stages_with(sparing | {layer})
            if self._lookup_words(fewer).total() < words.total():
                stages, words = fewer, self._lookup_words(fewer)
                sparing.add(layer)
        return stages

    def output_maps(self, stages: Sequence[Stage]) -> set[int]:
        """Numbers of the maps, among those of chosen stages, that are the network's outputs.

        Raises
        ------
        SpinplaneError
            If the maps of an output differ in height or width, or it has another number of channels than they.
        """
        # The last stage of a layer gives its map.
        last = {stage.number: at + 1 for at, stage in enumerate(stages)}
        for output in self._given.outputs:
            shapes = [stages[last[number] - 1].output_shape for number in output.layers]
            channels = sum(shape[0] for shape in shapes)
            if len({shape[1:] for shape in shapes}) > 1 or channels != len(output.scale):
                maps = " and ".join("×".join(map(str, shape)) for shape in shapes[:4])
                raise SpinplaneError(
                    f"output {output.name}: maps of {maps} (channels, height, width) are not {len(output.scale)} "
                    "channels of one height and width"
                )
        return {last[number] for output in self._given.outputs for number in output.layers}

    def _lookup_words(self, stages: Sequence[Stage]) -> Counter[int]:
        """Words of thresholds and tables that each layer takes."""
        words = Counter[int]()
        for stage in stages:
            words[stage.number] += stage.lookup_words(self._machine.results_per_cycle)
        return words

    def _stages(
        self, sparing: Collection[int], *, fold_pools: bool, split_pools: bool, widen_groups: bool
    ) -> list[Stage]:
        """Stages of all layers, those in `sparing` with as few words of thresholds as can be."""
        graph, stages = self._graph, list[Stage]()
        # Channels that do not exist have the least code, and a host leaves them out.
        clean = graph.map_shape[0] % self._machine.results_per_cycle == 0
        sources = {-1: Source(number=0, shape=graph.map_shape, clean=clean, place=self.input_place)}
        for number in range(len(graph.layers)):
            ways = [self._parts[number]]
            if split_pools and (split := self._splits[number]):
                ways.append(split)
            if widen_groups:
                ways += self._groups[number]
            options = [
                self._stages_of(
                    number,
                    way,
                    sources,
                    first=len(stages),
                    sparing=number in sparing,
                    fold_pools=fold_pools,
                )
                for way in ways
            ]
            stages += min(options, key=lambda option: sum(stage.fewest_cycles for stage in option))
            sources[number] = _source_of(stages[-1], len(stages))
        return _agreed(stages, self.input_place.home)

    def _stages_of(
        self,
        number: int,
        way: Way,
        sources: Mapping[int, Source],
        *,
        first: int,
        sparing: bool,
        fold_pools: bool,
    ) -> list[Stage]:
        """Stages of a layer that is computed in one way; `first` is the number of the first one."""
        wiring, taken = self._wiring, self._graph.sources(number)
        layers = list(way.values())
        code, read = wiring.code(taken[0]), Read.of(layers[0], [sources[one] for one in taken])
        # What is not the network's input as raw bytes are planes, which beats write and the reader of residuals needs.
        alone = taken == (-1,) and self.input_place.home.maps == (-1,)
        in_bytes = alone and read.shape[0] < _CHANNELS_OF_PLANES and not wiring.added(-1)
        owner, place = self._owners[number], self._places[number]
        copies = number + 1 < len(self._owners) and self._owners[number + 1] == owner
        stages = list[Stage]()
        for at, (part, layer) in enumerate(way.items()):
            last = at + 1 == len(layers)
            surroundings = _Surroundings(
                read=read,
                code=code,
                in_bytes=in_bytes,
                output=wiring.code(number) if last else layer_input_code(layers[at + 1]),
                addend=wiring.addend(layer),
                sparing=sparing,
            )
            variants = [self._find_as_is(number, layer, surroundings)]
            added = [sources[of] for of in added_sources(layer)]
            for other in added:
                lowered = variants[0].lowered
                check_shapes(layer, (lowered.kernels, *lowered.regions), other.shape)
            if fold_pools and (folded := self._find_folded(layer, surroundings)):
                variants.append(folded)
            candidates = tuple(placement for variant in variants for placement in variant.candidates)
            if not candidates:
                raise SpinplaneError(
                    f"layer {layer.name}: no arrangement of its lines fits the widths of a descriptor's fields"
                )
            stages.append(
                Stage(
                    number=owner,
                    part=Part.COPY if copies else part,
                    variants=tuple(variants),
                    candidates=candidates,
                    output=surroundings.output,
                    takes=read.numbers,
                    adds=added[0].number if added else None,
                    place=place if last else MapPlace.alone(number, len(layer.weights)),
                )
            )
            read = Read.of(layer, [_source_of(stages[-1], first + len(stages))])
            code, in_bytes = surroundings.output, False
        return stages

    def _find_as_is(self, number: int, layer: Layer, surroundings: "_Surroundings") -> Variant:
        """A layer, or a part of one, as it is."""
        key = layer, *surroundings.key
        if key not in self._as_is:
            whole = self._graph.layers[number]
            empty = surroundings.read.pixel.empty
            if (layer, empty) not in self._lowered:
                others = self._lowered.get((whole, empty)) if layer.weights is whole.weights else None
                self._lowered[layer, empty] = (
                    [other.part(layer) for other in others]
                    if others
                    else _lower(layer, surroundings, self._machine)
                )
            self._as_is[key] = self._variant(self._lowered[layer, empty], surroundings)
        return self._as_is[key]

    def _find_folded(self, layer: Layer, surroundings: "_Surroundings") -> Variant | None:
        """A layer with its average pooling folded, if its summed kernels can be computed."""
        key = layer, *surroundings.key
        if key not in self._folded:
            self._folded[key] = None
            if folded := fold_pool(layer):
                # Sums of whole regions may be too wide where those of single windows are not.
                with suppress(SpinplaneError):
                    lowered = _lower(folded, surroundings, self._machine)
                    self._folded[key] = self._variant(lowered, surroundings)
        return self._folded[key]

    def _variant(self, forms: Sequence[LoweredLayer], surroundings: "_Surroundings") -> Variant:
        """The variant of a layer that is lowered in one form or in several."""
        output, addend = surroundings.output, surroundings.addend
        steps = requantization(forms[0].layer, output, addend, self._machine, sparing=surroundings.sparing)
        planes = output.bits if output else 0
        beat = steps.beat(
            self._machine, output_planes=planes, residual_planes=addend.code.bits if addend else 0
        )
        candidates = (
            placement
            for lowered in forms
            for placement in placements(
                lowered,
                self._machine,
                in_bytes=surroundings.in_bytes,
                clean=surroundings.read.clean,
                output_planes=planes,
                interval=beat.least_interval,
            )
        )
        return Variant(lowered=forms[0], steps=steps, candidates=tuple(candidates))


def _lower(layer: Layer, surroundings: "_Surroundings", machine: Machine) -> list[LoweredLayer]:
    """A layer with all groups in each slot, and with groups of its own in each: at least one of both."""
    read = surroundings.read
    spread = lower_spread(layer, read.shape, surroundings.code, read.pixel)
    try:
        dense = lower(layer, read.shape, machine, surroundings.code, read.pixel)
    except SpinplaneError:
        if spread is None:
            raise
        return [spread]
    return [dense] if spread is None else [dense, spread]


def _agreed(stages: list[Stage], input_home: Home) -> list[Stage]:
    """Stages whose candidates read each map in one layout: that of the fewest cycles of all that take its pixels."""
    homes = [input_home, *(stage.place.home for stage in stages)]
    takers: dict[Home, list[int]] = {}
    for at, stage in enumerate(stages):
        # All that it takes lies in one home.
        takers.setdefault(homes[stage.takes[0]], []).append(at)
    agreed = list(stages)
    for together in takers.values():
        if len(together) == 1:
            continue
        ways = [_by_layout(stages[at].candidates) for at in together]
        common = sorted(set.intersection(*(set(way) for way in ways)))
        if not common:
            raise SpinplaneError(
                f"layer {stages[together[-1]].name}: no layout of its input also serves {stages[together[0]].name}"
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
    fitting = (
        p for p in candidates if p.pass_kernel_tiles and p.input_rows + p.kernel_tile_rows <= p.machine.rows
    )
    return min((p.steady_cycles for p in fitting), default=float("inf"))


def _source_of(stage: Stage, number: int) -> Source:
    """The map that a stage gives."""
    return Source(
        number=number,
        shape=stage.output_shape,
        clean=stage.variants[0].steps.clean,
        place=stage.place,
    )


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """What a layer, or a part of one, meets in the network: but for `key` the same in all ways to compute the others.

    Parameters
    ----------
    read : Read
    code : InputCode, optional
        Of its input.
    in_bytes : bool
        Whether its input is the network's, as bytes.
    output : InputCode, optional
        Codes that it writes; None for sums.
    addend : Addend, optional
    sparing : bool
        Whether it takes as few words of thresholds as can be.
    """

    read: Read
    code: InputCode | None
    in_bytes: bool
    output: InputCode | None
    addend: Addend | None
    sparing: bool

    @property
    def key(self) -> tuple[bool, bool, bool]:
        """What of it may differ between the ways to compute the layers before."""
        return self.sparing, self.read.clean, self.read.pixel.empty
