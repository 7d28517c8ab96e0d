"""Where the numbers of a file's tensor lie in a map of channels, lines and columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

Shape = tuple[int, ...]
Sides = tuple[int, int, int]
#: Axes of a map of shape (batch, channels, lines, columns).
CHANNELS, LINES, COLUMNS = 1, 2, 3
#: An axis of a tensor that is none of them.
PIECES = (4,)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a map of shape (batch, channels, lines, columns) becomes a tensor: axes in another order, some merged.

    Parameters
    ----------
    sides : (channels, lines, columns)
        Of the map.
    axes : tuple of tuple of int
        For each axis of the tensor the axes of the map that it runs through, the slowest first. Axes of side 1 are
        left out: an empty tuple is an axis of side 1.
    loose : tuple of int, optional
        The shape of a tensor whose axes cut those of the map in pieces: all that is known of it is that its elements
        are in the map's order. Its axes are `PIECES`, which no operator takes that asks where they are.
    """

    sides: Sides
    axes: tuple[tuple[int, ...], ...]
    loose: Shape | None = None

    def __post_init__(self) -> None:
        if self.loose is not None:
            return
        axes = tuple(tuple(axis for axis in merged if self.side(axis) > 1) for merged in self.axes)
        object.__setattr__(self, "axes", axes)

    @classmethod
    def of_tensor(cls, shape: Shape, channels: int = 1, *, batched: bool = True) -> "Layout":
        """Of a tensor that becomes a map: batch, channels and others, which are lines and columns if there are two.

        One that is not `batched` has no axis of images.
        """
        if not batched:
            full = cls.of_tensor((1, *shape), channels + 1)
            return cls(sides=full.sides, axes=full.axes[1:], loose=full.loose and full.loose[1:])
        if len(shape) == 1:
            return cls(sides=(1, 1, 1), axes=((),))
        if len(shape) > 4:
            return cls.in_order((shape[1], prod(shape[2:]), 1), shape)
        rest = [axis for axis in range(1, len(shape)) if axis != channels]
        places = {channels: (CHANNELS,)} | dict(
            zip(rest, [(LINES,), (COLUMNS,)][2 - len(rest) :], strict=True)
        )
        sides = [1, 1, 1]
        for axis, place in places.items():
            sides[place[0] - 1] = shape[axis]
        return cls(
            sides=(sides[0], sides[1], sides[2]),
            axes=tuple(places.get(axis, ()) for axis in range(len(shape))),
        )

    @classmethod
    def in_order(cls, sides: Sides, shape: Shape) -> "Layout":
        """Of a tensor whose elements are those of a map in its order."""
        found = cls(sides=sides, axes=((CHANNELS,), (LINES,), (COLUMNS,)))._whole(shape)
        if found is not None:
            return found
        return cls(sides=sides, axes=tuple(PIECES if side > 1 else () for side in shape), loose=shape)

    def side(self, axis: int) -> int:
        """Of an axis of the map; its batch is 1."""
        return (1, *self.sides)[axis]

    @property
    def shape(self) -> Shape:
        """Of the tensor, with a batch of 1."""
        if self.loose is not None:
            return self.loose
        return tuple(prod(self.side(axis) for axis in merged) for merged in self.axes)

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Axes of the map in the order of the tensor's elements."""
        named = [axis for merged in self.axes for axis in merged if merged != PIECES]
        rest = [axis for axis in (CHANNELS, LINES, COLUMNS) if axis not in named]
        first, second, third = [*named, *rest]
        if sorted(named) == named:  # nothing is moved
            first, second, third = CHANNELS, LINES, COLUMNS
        return (0, first, second, third)

    @property
    def channel_axis(self) -> int | None:
        """The axis of the tensor that is that of the channels and of nothing else; None if there is none."""
        found = [at for at, merged in enumerate(self.axes) if merged == (CHANNELS,)]
        return found[0] if found else None

    def transposed(self, order: Sequence[int]) -> "Layout":
        """With the tensor's axes in another order.

        Raises
        ------
        ValueError
            If these are pieces of the map's.
        """
        if self.loose is not None and [a for a in order if self.axes[a]] != [
            a for a, m in enumerate(self.axes) if m
        ]:
            raise ValueError("axes that are pieces of others")
        if self.loose is not None:
            return Layout.in_order(self.sides, tuple(self.loose[axis] for axis in order))
        return Layout(sides=self.sides, axes=tuple(self.axes[axis] for axis in order))

    def reshaped(self, shape: Sequence[int]) -> "Layout | None":
        """With the elements in another shape; None if axes that are moved would be cut in pieces."""
        if self.loose is not None:
            return Layout.in_order(self.sides, tuple(shape))
        found = self._whole(shape)
        moved = [axis for merged in self.axes for axis in merged]
        return (
            Layout.in_order(self.sides, tuple(shape)) if found is None and moved == sorted(moved) else found
        )

    def _whole(self, shape: Sequence[int]) -> "Layout | None":
        """With the elements in another shape, of whole axes of the map."""
        rest = [axis for merged in self.axes for axis in merged]
        axes = []
        for side in shape:
            taken: list[int] = []
            while prod(self.side(axis) for axis in taken) < side and rest:
                taken.append(rest.pop(0))
            if prod(self.side(axis) for axis in taken) != side:
                return None
            axes.append(tuple(taken))
        return None if rest else Layout(sides=self.sides, axes=tuple(axes))

    def by_element(self, constant: np.ndarray) -> np.ndarray | None:
        """Numbers that spread over the tensor as a map (channels, lines, columns); None if they change its shape."""
        shape = self.shape
        if self.loose is not None:
            return None
        try:
            if np.broadcast_shapes(constant.shape, shape) != shape:
                return None
        except ValueError:
            return None
        spread = np.broadcast_to(constant, shape)
        named = [axis for merged in self.axes for axis in merged]
        pieces = spread.reshape([self.side(axis) for axis in named])
        in_order = pieces.transpose([named.index(axis) for axis in sorted(named)])
        return in_order.reshape(self.sides)

    def by_channel(self, constant: np.ndarray) -> np.ndarray | None:
        """Numbers that spread over the tensor, one a channel; None if there are more, or they change its shape."""
        if constant.size == 1 and constant.ndim <= len(self.axes):
            return np.broadcast_to(constant.reshape(()), self.sides[:1])
        elements = self.by_element(constant)
        if elements is None or (elements != elements[:, :1, :1]).any():
            return None
        return elements[:, 0, 0]
