"""The layers that read each map of a graph, and the map's codes."""

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ..codes import InputCode, input_code
from ..graph import Graph, Layer
from ..requantization.values import Addend


class Wiring:
    """Readers of the maps of a graph. A map has the number of the layer that gives it, and the network's input −1.

    Parameters
    ----------
    graph : Graph

    Raises
    ------
    SpinplaneError
        If a layer reads a later map, outputs one that nothing reads, or reads a map with another operand than others.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._takers = {number: list[Layer]() for number in range(-1, len(graph.layers))}
        self._added = {source for layer in graph.layers for source in added_sources(layer)}
        for number, layer in enumerate(graph.layers):
            _check_sources(graph, number)
            self._takers[graph.source(number)].append(layer)
        for number, takers in self._takers.items():
            if -1 < number < len(graph.layers) - 1 and not takers and number not in self._added:
                raise SpinplaneError(f"layer {graph.layers[number].name}: no layer takes its output")
            for other in takers[1:]:
                if other.i != takers[0].i:
                    raise SpinplaneError(
                        f"layer {other.name}: it takes {_told(other.i)}, layer {takers[0].name} takes the same map as "
                        f"{_told(takers[0].i)}"
                    )

    def added(self, number: int) -> bool:
        """Whether a map is added to a layer's sums or codes."""
        return number in self._added

    def operand(self, number: int) -> Operand | None:
        """Of the layers that take a map; None if none does, as of the last layer or a mere residual."""
        takers = self._takers[number]
        return takers[0].i if takers else None

    def code(self, number: int) -> InputCode | None:
        """Codes of a map; None for the sums of a last layer.

        Raises
        ------
        SpinplaneError
            If the codes would need more than 8 bits.
        """
        takers = self._takers[number]
        if not takers:
            return _own_code(self._graph.layers[number])
        padded = [layer for layer in takers if any(layer.padding)]
        name = (padded or takers)[0].name
        return input_code(name, takers[0].i, pads=bool(padded))

    def addend(self, layer: Layer) -> Addend | None:
        """What is added to a layer's sums, or else to its codes; None if nothing is."""
        sources = added_sources(layer)
        if not sources:
            return None
        number = sources[0]
        code = self.code(number)
        # Only the last layer, which nothing reads, may give sums.
        assert code is not None
        if number < 0:
            operand = self._takers[number][0].i
            return Addend(code=code, smallest=operand.smallest, largest=operand.largest)
        levels = given_levels(self._graph.layers[number])
        assert levels is not None
        return Addend(code=code, smallest=int(levels.min()), largest=int(levels.max()))


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


def _check_sources(graph: Graph, number: int) -> None:
    """Refuse sources that are not earlier layers, and a residual before max pooling of codes."""
    layer = graph.layers[number]
    sources = {"input": graph.source(number)}
    if layer.addition and layer.addition.source is not None:
        sources["addition"] = layer.addition.source
    if layer.residual:
        sources["residual"] = layer.residual.source
        if layer.pool and layer.pool.kind == "max_codes" and layer.pool.size != (1, 1):
            raise SpinplaneError(
                f"layer {layer.name}: a residual is added to pooled sums, never before max pooling of codes "
                "(pool kind max_codes)"
            )
    for role, source in sources.items():
        if not -1 <= source < number:
            raise SpinplaneError(
                f"layer {layer.name}: its {role} is map {source}: must be from -1 (the network's input) to {number - 1}"
            )


def _told(operand: Operand) -> str:
    return f"{operand.coding.value} codes of {operand.bits} bits"


def _own_code(layer: Layer) -> InputCode | None:
    """Codes of a layer's own levels, None for sums."""
    given = given_levels(layer)
    if given is None:
        return None
    levels = np.unique(given)
    scale = int(np.gcd.reduce(np.diff(levels))) if len(levels) > 1 else 1
    count = int(levels[-1] - levels[0]) // scale
    return InputCode(bits=max(1, count.bit_length()), scale=scale, offset=int(levels[0]), pad_code=0)
