"""Maps that layers take side by side lie in common pixels; where a map would have to lie twice, a copy of it does.

A layer reads the pixels of one map, with the channels of a pixel beside each other. Maps of one concatenation therefore
share their pixels: each has its channels from a whole beat on, and what lies between them has weights of the value 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np

from spinplane.machine import Operand

from ..graph import Graph, Layer, Output, StepFunction
from ..oracle import Shape, joined_shape
from .lowering import PixelChannels
from .placement import ceil_div
from .wiring import common_reach, given_levels


@dataclass(frozen=True, kw_only=True, eq=False)
class Home:
    """Maps that share their pixels.

    Parameters
    ----------
    maps : tuple of int
        In the order of their channels.
    channels : int
        Of the whole pixel, without what may fill its last beat.
    """

    maps: tuple[int, ...]
    channels: int


@dataclass(frozen=True, kw_only=True)
class MapPlace:
    """Where a map lies in the pixels of its home: from channel `first` on, a multiple of the results of a cycle."""

    home: Home
    first: int

    @classmethod
    def alone(cls, number: int, channels: int) -> "MapPlace":
        """Of a map that shares its pixels with no other."""
        return cls(home=Home(maps=(number,), channels=channels), first=0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """A map to read.

    Parameters
    ----------
    number : int
        Among those of the stages.
    shape : (channels, height, width)
    clean : bool
        Whether what fills its last beat is 0.
    place : MapPlace
    """

    number: int
    shape: Shape
    clean: bool
    place: MapPlace


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """What a layer takes: maps of one home, side by side.

    Parameters
    ----------
    numbers : tuple of int
        Of the maps.
    shape : (channels, height, width)
    pixel : PixelChannels
    clean : bool
        Whether the bits between the channels of two pixels are 0.
    """

    numbers: tuple[int, ...]
    shape: Shape
    pixel: PixelChannels
    clean: bool

    @classmethod
    def of(cls, layer: Layer, sources: Sequence[Source]) -> "Read":
        """What a layer takes of its sources; refuses those that differ in height or width."""
        shape = joined_shape(layer, [source.shape for source in sources])
        first = min(source.place.first for source in sources)
        last = max(sources, key=lambda source: source.place.first)
        home = last.place.home
        places = [source.place.first - first + np.arange(source.shape[0]) for source in sources]
        return cls(
            numbers=tuple(source.number for source in sources),
            shape=shape,
            pixel=PixelChannels(
                places=np.concatenate(places),
                whole=home.channels,
                empty=all(source.clean for source in sources if source is not last),
            ),
            clean=last.clean and len(home.maps) == len(sources),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Arrangement:
    """A graph in which each map lies in one place.

    Parameters
    ----------
    graph : Graph
        With the layers that copy maps, each before the layer that needs the copy, and named after it.
    owners : tuple of int
        Number in the given graph of each layer, and of the one that needs it for a copy.
    together : tuple of tuple of int
        Maps that share their pixels, in the order of their channels.
    """

    graph: Graph
    owners: tuple[int, ...]
    together: tuple[tuple[int, ...], ...]


def arrange_maps(graph: Graph) -> Arrangement:
    """Find the maps that share pixels, and copy those that would have to share them with two sets of others."""
    return _Arranging(graph).run()


class _Arranging:
    """The walk over a graph's layers."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._layers, self._owners = list[Layer](), list[int]()
        # Numbers of maps in the new graph, those of the given one in their order; the input comes first.
        self._numbers = [-1]
        # Maps of each home, and the values as which a layer takes them.
        self._together, self._values = list[list[int]](), list[range]()
        self._home, self._place = dict[int, int](), dict[int, int]()
        self._known = dict[tuple[int, ...], tuple[int, ...]]()

    def run(self) -> Arrangement:
        for number, layer in enumerate(self._graph.layers):
            taken = tuple(self._numbers[source + 1] for source in self._graph.sources(number))
            if len(taken) > 1:
                taken = self._side_by_side(taken, number)
            if len(self._layers) > number:
                layer = _rewired(layer, taken, self._numbers)
            self._append(layer, number)
            self._numbers.append(len(self._layers) - 1)
        graph = replace(
            self._graph,
            layers=tuple(self._layers),
            outputs=tuple(_renumbered(output, self._numbers) for output in self._graph.outputs),
        )
        return Arrangement(
            graph=graph, owners=tuple(self._owners), together=tuple(map(tuple, self._together))
        )

    @cached_property
    def _input_reach(self) -> tuple[int, int]:
        """Least and greatest value of the network's input."""
        layers = enumerate(self._graph.layers)
        return common_reach([layer for number, layer in layers if -1 in self._graph.sources(number)])

    def _append(self, layer: Layer, owner: int) -> None:
        self._layers.append(layer)
        self._owners.append(owner)

    def _side_by_side(self, taken: tuple[int, ...], number: int) -> tuple[int, ...]:
        """The maps, or copies of them, that a layer takes and that share pixels of their own."""
        if taken not in self._known:
            self._known[taken] = self._settled(taken, number)
        return self._known[taken]

    def _settled(self, taken: tuple[int, ...], number: int) -> tuple[int, ...]:
        placed = [one for one in taken if one in self._home]
        new = [one for one in taken if one not in self._home]
        homes = {self._home[one] for one in placed}
        once = len(set(taken)) == len(taken)
        # Maps of one home have codes in common: those of other values could need more bits.
        alike = all(self._values[home] == _values_of(self._graph.layers[number]) for home in homes)
        if once and alike and len(homes) <= 1 and self._extends(placed, new):
            self._place_all(new, homes.pop() if homes else None, number)
            return taken
        fresh, found = set(new), list[int]()
        for one in taken:
            if one in fresh:
                fresh.discard(one)
                found.append(one)
            else:
                self._append(self._copy(one, number), number)
                found.append(len(self._layers) - 1)
        self._place_all(found, None, number)
        return tuple(found)

    def _extends(self, placed: Sequence[int], new: Sequence[int]) -> bool:
        """Whether placed maps of one home lie beside each other, at its end if others have to follow."""
        if not placed:
            return True
        places = [self._place[one] for one in placed]
        beside = max(places) - min(places) + 1 == len(places)
        return beside and (not new or max(places) + 1 == len(self._together[self._home[placed[0]]]))

    def _place_all(self, maps: Sequence[int], home: int | None, number: int) -> None:
        """Put maps at the end of a home, a new one for the layer `number` if none is given."""
        if home is None:
            home = len(self._together)
            self._together.append([])
            self._values.append(_values_of(self._graph.layers[number]))
        for one in maps:
            self._home[one], self._place[one] = home, len(self._together[home])
            self._together[home].append(one)

    def _copy(self, source: int, number: int) -> Layer:
        """A layer that gives what a map holds, for the layer `number`."""
        reader = self._graph.layers[number]
        if source < 0:
            channels = self._graph.map_shape[0]
            smallest, largest = self._input_reach
            levels: np.ndarray = np.arange(smallest, largest + 1, reader.i.scale)
        else:
            given = self._layers[source]
            channels = len(given.weights)
            # Sums are read by no layer.
            levels = np.unique(np.asarray(given_levels(given)))
        return Layer(
            name=reader.name,
            weights=np.ones((channels, 1, 1, 1), dtype=np.int64),
            w=Operand(bits=1),
            i=reader.i,
            bias=np.zeros(channels, dtype=np.int64),
            groups=channels,
            inputs=(source,),
            steps=StepFunction.one_by_one(levels, levels, channels),
        )


def places_of(together: Sequence[Sequence[int]], channels: Sequence[int], lanes: int) -> dict[int, MapPlace]:
    """Places of all maps.

    Parameters
    ----------
    together : sequence of sequences of int
        Maps that share their pixels.
    channels : sequence of int
        Of each map, the network's input first.
    lanes : int
        Results of a cycle.
    """
    places = {number: MapPlace.alone(number, of_map) for number, of_map in enumerate(channels, start=-1)}
    for maps in together:
        rooms = [ceil_div(channels[one + 1], lanes) * lanes for one in maps]
        *firsts, _ = accumulate(rooms, initial=0)
        home = Home(maps=tuple(maps), channels=firsts[-1] + channels[maps[-1] + 1])
        places |= {one: MapPlace(home=home, first=first) for one, first in zip(maps, firsts, strict=True)}
    return places


def _values_of(layer: Layer) -> range:
    """All values as which a layer takes its maps."""
    return range(layer.i.smallest, layer.i.largest + 1, layer.i.scale)


def _rewired(layer: Layer, taken: tuple[int, ...], numbers: Sequence[int]) -> Layer:
    """A layer with the new numbers of all maps that it reads."""
    addition, residual = layer.addition, layer.residual
    if addition is not None and addition.source is not None:
        addition = replace(addition, source=numbers[addition.source + 1])
    if residual is not None:
        residual = replace(residual, source=numbers[residual.source + 1])
    return replace(layer, inputs=taken, addition=addition, residual=residual)


def _renumbered(output: Output, numbers: Sequence[int]) -> Output:
    return replace(output, layers=tuple(numbers[number + 1] for number in output.layers))
