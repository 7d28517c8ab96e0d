"""From the codes of input rows to the sums of windows before they are scaled.

There are two ways that give the same bits: `ExactProduct` multiplies matrices, `BitPlaneProduct` counts ones. Both take
what row pairs show from `PairFactors`, and finish alike what they have not proven to fit.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.output_stage import VALUE_BITS, WINDOW_SUM_BITS
from spinplane.machine.passes import Pass

from ..fixed_point import fit
from ..input.input_streamer import row_sums
from .pair_factors import Factors, Lot, PairFactors

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class Room:
    """Bytes for the factors that passes keep; without room, factors are computed anew each time."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, number: int) -> bool:
        """Take so many bytes, if they are left."""
        taken = number <= self.left
        self.left -= number if taken else 0
        return taken


class WindowProduct(ABC):
    """Sums before scaling of all windows of a pass.

    Parameters
    ----------
    layer_pass : Pass
    factors : PairFactors
    planes : int
        Planes of a unit row's codes.
    bias : ndarray of shape (channels,), int64
    matters : ndarray of shape (windows, clusters), bool
        Windows whose sums have to fit in 32 bits.
    wraps : bool
        Whether what does not fit wraps, as where cells are faulty.
    room : Room
        For what is kept.
    """

    def __init__(
        self,
        layer_pass: Pass,
        factors: PairFactors,
        *,
        planes: int,
        bias: Integers,
        matters: NDArray[np.bool_],
        wraps: bool,
        room: Room,
    ) -> None:
        self._room = room
        self._pass, self._factors, self._planes = layer_pass, factors, planes
        self._bias, self._matters, self._wraps = bias, matters.T[..., np.newaxis], wraps
        self._kept: dict[int, Any] = {}

    @abstractmethod
    def values(self, codes: Octets, index: Integers) -> tuple[NDArray[Any], int]:
        """Sums before scaling.

        Parameters
        ----------
        codes : ndarray of shape (images, n, elements), uint8
        index : ndarray of shape (clusters, windows, window rows), int64
            Which codes each window has at each of its rows.

        Returns
        -------
        values : ndarray of shape (images, clusters, windows, channels), of whole numbers in any type
        bound : int
            That none exceeds in magnitude.

        Raises
        ------
        OverflowError
            If an accumulator, a window sum or a value that matters does not fit, unless all wrap.
        """

    @abstractmethod
    def _prepared(self, factors: Factors) -> Any:
        """What the product needs of a lot's factors; has `nbytes`."""

    def _of(self, number: int, lot: Lot) -> Any:
        """What the product needs of a lot, kept as long as there is room."""
        if number in self._kept:
            return self._kept[number]
        prepared = self._prepared(self._factors.of(lot))
        if self._room.take(prepared.nbytes):
            self._kept[number] = prepared
        return prepared

    def leave(self) -> None:
        """Give the room back."""
        self._room.left += sum(prepared.nbytes for prepared in self._kept.values())
        self._kept.clear()

    def _fits(self) -> bool:
        """Whether no accumulator and no window sum can be too large, whatever the cells hold."""
        p = self._pass
        every_column = p.window_rows * p.block_columns * ((1 << p.plane_groups * p.planes) - 1)
        accumulator = every_column * ((1 << p.kernel_planes) - 1)
        return accumulator < 1 << p.machine.accumulator_bits - 1 and every_column < 1 << WINDOW_SUM_BITS - 1

    def _window_sums(self, codes: Octets, index: Integers) -> Integers:
        """Of shape (images, clusters, windows)."""
        return row_sums(self._pass, codes)[:, index].sum(axis=-1)

    def _limit(self) -> int:
        """What no sum exceeds in magnitude, nor anything on the way to it, whatever the cells hold."""
        p = self._pass
        every_column = p.window_rows * p.block_columns * ((1 << p.plane_groups * p.planes) - 1)
        accumulator = every_column * ((1 << p.kernel_planes) - 1) << p.accumulator_shift
        return accumulator + every_column * abs(p.window_sum_scale) + int(np.abs(self._bias).max())

    def finish(
        self, accumulators: NDArray[np.signedinteger], window_sums: Integers
    ) -> NDArray[np.signedinteger]:
        """Sums before scaling.

        Parameters
        ----------
        accumulators : ndarray of shape (images, clusters, windows, channels), int64, or int32 if that holds all sums
            Whatever their width; becomes the sums.
        window_sums : ndarray of shape (images, clusters, windows), int64
        """
        p = self._pass
        if not self._fits():
            accumulators = fit(accumulators, p.machine.accumulator_bits, "accumulator", wraps=self._wraps)
            window_sums = fit(window_sums, WINDOW_SUM_BITS, "window sum", wraps=self._wraps)
        values = accumulators
        values <<= p.accumulator_shift
        values += self._bias.astype(values.dtype)
        if p.window_sum_scale:
            values -= (p.window_sum_scale * window_sums).astype(values.dtype)[..., np.newaxis]
        return values if self._limit() < 1 << (VALUE_BITS - 1) else self._fit(values)

    def _fit(self, values: Integers) -> Integers:
        return fit(values, VALUE_BITS, "sum before scaling", wraps=self._wraps, where=self._matters)
