"""Values: the tensors of a file in symbols.

A value is a carrier of integers and the exact map from them to the tensor's numbers, channel by channel.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...graph import Four, InputOperation, Layer, Pooling
from ...meaning.real_map import RealMap
from .layout import Layout, Shape, Sides


@dataclass(frozen=True, kw_only=True, eq=False)
class InputCarrier:
    """The network's input, not yet quantized.

    Parameters
    ----------
    arrangement : int
        Which arrangement of the input as a map its layout speaks of.
    operations : tuple of InputOperation
        That have prepared it.
    pool : Pooling, optional
        A maximum of the prepared numbers.
    """

    arrangement: int
    operations: tuple[InputOperation, ...] = ()
    pool: Pooling | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class CodesCarrier:
    """Maps in memory, concatenated along their channels, and padded.

    Parameters
    ----------
    maps : tuple of int
        Numbers of the builder's maps; −1 is the network's input.
    arrangement : int
        Of the input, which the layout speaks of.
    padding : (top, left, bottom, right)
        That the layout's sides include.
    padded : Fraction
        The tensor's number at padded positions.
    """

    maps: tuple[int, ...]
    arrangement: int = 0
    padding: Four = (0, 0, 0, 0)
    padded: Fraction = Fraction(0)


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Of sums over windows of different numbers of positions, as `border_averages` makes them.

    Parameters
    ----------
    counts : tuple of int
        Of positions, ascending.
    shift : int
        What a sum is moved by for each position.
    """

    counts: tuple[int, ...]
    shift: int


@dataclass(frozen=True, kw_only=True, eq=False)
class SumsCarrier:
    """The sums of a layer whose steps are not there yet, pooled where it pools them.

    Parameters
    ----------
    layer : Layer
        Without steps; a maximum is one of sums until it closes.
    pooled : RealMap, optional
        From sums to the numbers of which the maximum is.
    regions : Regions, optional
        The sums lie in regions, and the value's map is that of the last one without its shift.
    """

    layer: Layer
    pooled: RealMap | None = None
    regions: Regions | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PairCarrier:
    """own + ratio · value, before a quantizer.

    Parameters
    ----------
    own : SumsCarrier or int
        Open sums, or a map.
    added : int
        The map whose values are added.
    ratio : ndarray of shape (channels,), of Fraction
    """

    own: SumsCarrier | int
    added: int
    ratio: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """The greatest numbers of windows.

    Parameters
    ----------
    label : str
        Of the file's node.
    pool : Pooling
    of : RealMap
        From integers to the numbers of which the maximum is.
    """

    label: str
    pool: Pooling
    of: RealMap


@dataclass(frozen=True, kw_only=True, eq=False)
class Surround:
    """One number around all others.

    Parameters
    ----------
    label : str
        Of the file's node.
    padding : (top, left, bottom, right)
    number : Fraction
    behind : RealMap
        What operators have made of the number since.
    """

    label: str
    padding: Four
    number: Fraction
    behind: RealMap


@dataclass(frozen=True, kw_only=True, eq=False)
class DelayedCarrier:
    """Numbers that are moved as soon as they are codes.

    Parameters
    ----------
    taken : SumsCarrier or PairCarrier
        Before all moves: the value's map is that of its integers.
    sides : (channels, lines, columns)
        Before all moves.
    moves : tuple of Maximum or Surround
    """

    taken: SumsCarrier | PairCarrier
    sides: Sides
    moves: tuple[Maximum | Surround, ...]


Carrier = InputCarrier | CodesCarrier | SumsCarrier | PairCarrier | DelayedCarrier


@dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """A tensor of the file.

    Parameters
    ----------
    layout : Layout
        How its numbers lie in a map; `shape` is the file's, with a batch of 1.
    carrier : Carrier
    real : RealMap, optional
        From the carrier's integers to the tensor's numbers; none of an input that is not quantized.
    host : str
        The operator that is left to the host and would have come between, if there is one.
    before : (label, Value), optional
        The first operator that is a function, and what it takes: at the end of a network it is left to the host.
    """

    layout: Layout
    carrier: Carrier
    real: RealMap | None = None
    host: str = ""
    before: "tuple[str, Value] | None" = None

    @property
    def shape(self) -> Shape:
        """Of the file's tensor, with a batch of 1."""
        return self.layout.shape

    @property
    def channels(self) -> int:
        """Of its map."""
        return self.layout.sides[0]
