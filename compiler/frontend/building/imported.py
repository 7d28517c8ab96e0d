"""What an import gives: the graph, and which tensor of the file each map of it is."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import Graph

#: How far float32 may leave a number from its level, in levels, or as a part of their number where that is more.
_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class TensorView:
    """A map of a graph as a tensor of the file.

    Parameters
    ----------
    tensor : str
        The file's name.
    shape : tuple of int
        In the file, the batch of 1 included.
    sides : (channels, lines, columns)
        Of the map.
    order : tuple of int
        Axes (batch, channels, lines, columns) of the map in the order of the tensor's elements.
    scale, offset : ndarray of shape (channels,), float64
        A number of the tensor is scale · value + offset.
    low, high : ndarray of shape (channels,), float64
        Bounds of these numbers, infinite where there are none.
    first, channels : int
        The map is a part of the tensor's `channels`, from this one; 0 channels: it is the whole tensor.
    """

    tensor: str
    shape: tuple[int, ...]
    sides: tuple[int, int, int]
    order: tuple[int, int, int, int]
    scale: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first: int = 0
    channels: int = 0

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Values of the map, shape (batch, channels, lines, columns), int64, as the file's tensor, float64.

        What the map is no part of is NaN.
        """
        column = (-1, 1, 1)
        numbers = values * self.scale.reshape(column) + self.offset.reshape(column)
        numbers = np.clip(numbers, self.low.reshape(column), self.high.reshape(column))
        if self.channels:
            before, after = self.first, self.channels - self.first - self.sides[0]
            numbers = np.pad(numbers, ((0, 0), (before, after), (0, 0), (0, 0)), constant_values=np.nan)
        return numbers.transpose(self.order).reshape(len(values), *self.shape[1:])

    def limited(self, values: np.ndarray) -> np.ndarray:
        """Values of the map as far as the tensor's bounds let them tell, float64."""
        ends = np.sort([(end - self.offset) / self.scale for end in (self.low, self.high)], axis=0)
        limited: np.ndarray = np.clip(values, *ends.reshape(2, -1, 1, 1))
        return limited

    def encode(self, numbers: np.ndarray) -> np.ndarray:
        """The file's tensor, with a batch of any size, as values of the map, int64.

        Raises
        ------
        SpinplaneError
            If a number is further from a level than float32 rounds.
        """
        sides = [(len(numbers), self.channels or self.sides[0], *self.sides[1:])[axis] for axis in self.order]
        back = np.argsort(self.order)
        by_channel = np.asarray(numbers, dtype=np.float64).reshape(sides).transpose(back)
        by_channel = by_channel[:, self.first : self.first + self.sides[0]]
        column = (-1, 1, 1)
        quotients = (by_channel - self.offset.reshape(column)) / self.scale.reshape(column)
        values = np.rint(quotients)
        apart = np.abs(quotients - values) > _TOLERANCE * np.maximum(np.abs(quotients), 1)
        if apart.any():
            raise SpinplaneError(
                f"tensor {self.tensor!r}: {apart.sum()} numbers, such as {by_channel[apart][0]:g}, are no levels "
                "of its map"
            )
        return values.astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class ImportedNetwork:
    """An integer graph and its file.

    Parameters
    ----------
    graph : Graph
    views : dict of int to TensorView
        Of maps that are tensors of the file: −1 is the input, n what leaves layer n. A map that no tensor is, such as
        an inserted copy, has none.
    told : tuple of str
        What the user should know of it.
    """

    graph: Graph
    views: dict[int, TensorView]
    told: tuple[str, ...]
