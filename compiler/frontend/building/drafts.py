"""The maps of a graph that is being built."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ...graph import InputCoding, Layer
from ..operands import least_operand
from .layout import Layout, Shape, Sides
from .value import Value

#: Axes of a map that each axis of an earlier one has become.
Places = dict[int, tuple[int, ...]]
#: Number of the network's input; its second coding is the map before it, and so on.
INPUT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """A map, and the layer that gives it.

    Parameters
    ----------
    layer : Layer, optional
        With the numbers of the maps that it takes in `inputs`; none of a coding of the network's input.
    sides : (channels, lines, columns)
    levels : ndarray of int64, optional
        Values that it may have, ascending; none of sums.
    operand : Operand
        That its quantizer declares for its values.
    """

    layer: Layer | None
    sides: Sides
    levels: np.ndarray | None
    operand: Operand


@dataclass(kw_only=True)
class Input:
    """The network's input.

    Parameters
    ----------
    name : str
    dtype : dtype
    shape : tuple of int
        Of the file's tensor.
    batched : bool
        Whether its first axis is that of images, of which there is one here.
    layout : Layout
        Of the file's tensor, in the present arrangement.
    arrangements : list of (places, sides)
        What has become of each axis of the map, and its sides then, each time that it was arranged anew.
    codings : list of InputCoding
        One for each way in which it is quantized; the first one's map is `INPUT`.
    scale : Fraction, optional
        Of its values, where the file's own tensor is the codes: none of what a quantizer of the file makes.
    """

    name: str
    dtype: np.dtype
    shape: Shape
    batched: bool
    layout: Layout
    arrangements: list[tuple[Places, Sides]] = field(default_factory=list)
    codings: list[InputCoding] = field(default_factory=list)
    scale: Fraction | None = None


@dataclass(kw_only=True)
class Drafts:
    """All maps, by their numbers: those of layers, and those of the input, negative, as soon as it is quantized.

    Parameters
    ----------
    given : InputCoding, optional
        Of an input that the file does not quantize.
    tables : list of (Value, Value)
        Codes whose numbers do not lie on a line, and the codes of a layer that has put them on one.
    """

    given: InputCoding | None = None
    tables: list[tuple[Value, Value]] = field(default_factory=list)
    input: Input | None = None
    maps: dict[int, Draft] = field(default_factory=dict)

    def add(self, layer: Layer, levels: np.ndarray | None, operand: Operand, sides: Sides) -> int:
        """A further layer, and the number of its map."""
        number = max(self.maps, default=INPUT) + 1
        self.maps[number] = Draft(layer=layer, sides=sides, levels=levels, operand=operand)
        return number

    @property
    def inputs(self) -> list[int]:
        """Numbers of the maps of the network's input."""
        return [number for number in self.maps if number < 0]

    def readers(self, number: int) -> list[int]:
        """Layers that take a map."""
        return [n for n, draft in self.maps.items() if draft.layer and number in sources(draft.layer)]

    def on_line(self, x: Value) -> Value:
        """Codes as a layer has put them on a line already, if one has."""
        for given, made in self.tables:
            if given.carrier is x.carrier and given.real is x.real:
                return replace(x, carrier=made.carrier, real=made.real)
        return x

    def joined(self, label: str, maps: Sequence[int]) -> tuple[np.ndarray, Operand]:
        """Levels and operand of maps that a node takes side by side."""
        levels = self.levels(label, maps)
        operands = {self.maps[number].operand for number in maps}
        return levels, operands.pop() if len(operands) == 1 else least_operand(levels, label)

    def levels(self, label: str, maps: Sequence[int]) -> np.ndarray:
        """All levels of some maps, ascending."""
        found = [self.maps[number].levels for number in maps]
        if any(levels is None for levels in found):
            raise SpinplaneError(f"{label}: its input is not quantized")
        return np.unique(np.concatenate([levels for levels in found if levels is not None]))


def sources(layer: Layer) -> list[int]:
    """Numbers of all maps that a draft's layer takes, also for its residual and its addition."""
    found = list(layer.inputs)
    if layer.residual:
        found.append(layer.residual.source)
    if layer.addition and layer.addition.source is not None:
        found.append(layer.addition.source)
    return found
