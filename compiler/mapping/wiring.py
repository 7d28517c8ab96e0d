"""The layers that read each map of a graph, and the map's codes."""

from collections.abc import Iterable, Sequence
from math import gcd

import numpy as np

from spinplane.machine import SpinplaneError

from ..codes import InputCode, widened
from ..graph import Graph, Layer
from ..requantization.values import Addend


class Wiring:
    """Readers of the maps of a graph. A map has the number of the layer that gives it, and the network's input −1.

    Parameters
    ----------
    graph : Graph
    together : sequence of sequences of int
        Maps that share their pixels, and so their codes.
    """

    def __init__(self, graph: Graph, together: Sequence[Sequence[int]] = ()) -> None:
        self._graph = graph
        self._takers = {number: list[Layer]() for number in range(-1, len(graph.layers))}
        self._added = {source for layer in graph.layers for source in added_sources(layer)}
        for number, layer in enumerate(graph.layers):
            for source in graph.sources(number):
                self._takers[source].append(layer)
        self._codes = dict[int, InputCode | None]()
        for maps in together:
            self._codes |= dict.fromkeys(maps, self._taken_code(maps))

    def added(self, number: int) -> bool:
        """Whether a map is added to a layer's sums or codes."""
        return number in self._added

    def takers(self, number: int) -> list[Layer]:
        """The layers that take a map: none take a mere residual, or a mere output."""
        return self._takers[number]

    def code(self, number: int) -> InputCode | None:
        """Codes of a map; None for sums.

        Raises
        ------
        SpinplaneError
            If the codes would need more than 8 bits.
        """
        if number not in self._codes:
            taken = self._takers[number]
            self._codes[number] = (
                self._taken_code([number]) if taken else _own_code(self._graph.layers[number])
            )
        return self._codes[number]

    def addend(self, layer: Layer) -> Addend | None:
        """What is added to a layer's sums, or else to its codes; None if nothing is."""
        sources = added_sources(layer)
        if not sources:
            return None
        number = sources[0]
        code = self.code(number)
        # Sums are added to nothing: `check_graph`.
        assert code is not None
        if number < 0:
            smallest, largest = common_reach(self._takers[number])
            return Addend(code=code, smallest=smallest, largest=largest)
        levels = given_levels(self._graph.layers[number])
        assert levels is not None
        return Addend(code=code, smallest=int(levels.min()), largest=int(levels.max()))

    def _taken_code(self, maps: Iterable[int]) -> InputCode:
        """Codes of maps that share their pixels."""
        takers = {layer: None for number in maps for layer in self._takers[number]}
        padded = [layer for layer in takers if any(layer.padding)]
        name = (padded or list(takers))[0].name
        operands = [layer.i for layer in takers]
        scale = gcd(
            *(one.scale for one in operands), *(one.smallest - operands[0].smallest for one in operands)
        )
        reaches = [common_reach(self._takers[number]) for number in maps if self._takers[number]]
        smallest, largest = min(low for low, _ in reaches), max(high for _, high in reaches)
        bits = max(1, ((largest - smallest) // scale).bit_length())
        code = InputCode(bits=bits, scale=scale, offset=smallest)
        return widened(name, code, largest, {layer.pad_value for layer in padded})


def check_graph(graph: Graph) -> None:
    """Refuse a graph whose layers and outputs do not read what others give.

    Raises
    ------
    SpinplaneError
        If a layer reads a later map or sums, gives what nothing reads, or adds a residual before max pooling of codes;
        if an output has no such layers.
    """
    read = set[int]()
    for number, layer in enumerate(graph.layers):
        sources = [("input", source) for source in graph.sources(number)]
        if layer.addition and layer.addition.source is not None:
            sources.append(("addition", layer.addition.source))
        if layer.residual:
            sources.append(("residual", layer.residual.source))
            if layer.pool and layer.pool.kind == "max_codes" and layer.pool.size != (1, 1):
                raise SpinplaneError(
                    f"layer {layer.name}: a residual is added to pooled sums, never before max pooling of codes "
                    "(pool kind max_codes)"
                )
        for role, source in sources:
            if not -1 <= source < number:
                raise SpinplaneError(
                    f"layer {layer.name}: its {role} is map {source}: must be from -1 (the network's input) to "
                    f"{number - 1}"
                )
        read.update(source for _, source in sources)
    given = set[int]()
    for output in graph.outputs:
        for number in output.layers or (-1,):
            if not 0 <= number < len(graph.layers):
                raise SpinplaneError(
                    f"output {output.name}: it is map {number}: must be from 0 to {len(graph.layers) - 1}, the "
                    "outputs of layers"
                )
        given.update(output.layers)
    if not graph.outputs:
        raise SpinplaneError(f"network {graph.name}: it has no output")
    for number, layer in enumerate(graph.layers):
        if layer.steps is None and number in read:
            raise SpinplaneError(f"layer {layer.name}: its sums enter another layer without requantization")
        if number not in read and number not in given:
            raise SpinplaneError(f"layer {layer.name}: no layer takes its output")


def added_sources(layer: Layer) -> list[int]:
    """Maps that are added to a layer's sums and to its codes, in this order."""
    sources = [layer.residual.source] if layer.residual else []
    if layer.addition and layer.addition.source is not None:
        sources.append(layer.addition.source)
    return sources


def given_levels(layer: Layer) -> np.ndarray | None:
    """Values that a layer gives; None where these are its sums."""
    if layer.addition:
        return layer.addition.levels
    return layer.steps.levels if layer.steps else None


def common_reach(takers: Sequence[Layer]) -> tuple[int, int]:
    """Least and greatest value that all layers of several take.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    highest = max(takers, key=lambda layer: layer.i.smallest)
    lowest = min(takers, key=lambda layer: layer.i.largest)
    smallest, largest = highest.i.smallest, lowest.i.largest
    if smallest > largest:
        first, last = sorted((highest, lowest), key=takers.index)
        raise SpinplaneError(
            f"layer {last.name}: it takes {_told(last)}, layer {first.name} takes the same map as {_told(first)}"
        )
    return smallest, largest


def _told(layer: Layer) -> str:
    return f"values from {layer.i.smallest} to {layer.i.largest}"


def _own_code(layer: Layer) -> InputCode | None:
    """Codes of a layer's own levels, None for sums."""
    given = given_levels(layer)
    if given is None:
        return None
    levels = np.unique(given)
    scale = int(np.gcd.reduce(np.diff(levels))) if len(levels) > 1 else 1
    count = int(levels[-1] - levels[0]) // scale
    return InputCode(bits=max(1, count.bit_length()), scale=scale, offset=int(levels[0]))
