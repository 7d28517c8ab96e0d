"""Window sums as matrix products, in floating point that holds every partial sum exactly."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.output_stage import VALUE_BITS

from .pair_factors import Factors, Lot
from .window_product import WindowProduct

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Whole numbers up to which a type holds them all.
_EXACT: dict[type[np.floating], int] = {np.float32: 1 << 24, np.float64: 1 << 53}
#: Bytes of gathered windows at a time.
_GATHERED = 1 << 21


class Matrix:
    """A matrix of whole numbers, split into parts whose products are exact.

    Parameters
    ----------
    weights : ndarray of shape (inputs, channels), float64
    largest : int
        Greatest input; all are at least 0.
    constants : ndarray of shape (channels,), float64
        What is added.
    alike : bool
        Whether inputs are codes, and not bits of planes.
    """

    def __init__(
        self, weights: NDArray[np.float64], largest: int, constants: NDArray[np.float64], *, alike: bool
    ) -> None:
        self.alike = alike
        magnitude = np.abs(weights)
        self.bound = int((magnitude.sum(axis=0) * largest + np.abs(constants)).max(initial=0))
        self.type: type[np.floating] = np.float32 if self.bound <= _EXACT[np.float32] else np.float64
        #: What is taken off the inputs first, so that their magnitudes are smaller.
        self.centre = 0
        if magnitude.sum(axis=0).max(initial=0) * largest > _EXACT[np.float32] and largest > 1:
            self.centre = (largest + 1) // 2
        self.constants = (constants + self.centre * weights.sum(axis=0)).astype(self.type)
        self._weights = np.ascontiguousarray(weights, dtype=np.float32)
        self._ends = self._divide(magnitude * (self.centre or largest))
        self.nbytes = self._weights.nbytes

    @staticmethod
    def _divide(magnitude: NDArray[np.float64]) -> list[tuple[int, int]]:
        """Parts of the inputs whose sums float32 holds."""
        parts, first = [], 0
        while first < len(magnitude):
            sums = magnitude[first:].cumsum(axis=0).max(axis=1)
            end = first + max(1, int(np.searchsorted(sums, _EXACT[np.float32], side="right")))
            parts.append((first, end))
            first = end
        return parts

    def product(self, inputs: NDArray[np.float32], out: NDArray[Any]) -> None:
        """Products and constants.

        Parameters
        ----------
        inputs : ndarray of shape (n, inputs), float32
            With the centre taken off.
        out : ndarray of shape (n, channels)
            Of `type`, or one that holds more.
        """
        if len(self._ends) == 1 and out.dtype == np.float32:
            np.matmul(inputs, self._weights, out=out)
            out += self.constants
            return
        out[...] = self.constants
        for first, end in self._ends:
            out += inputs[:, first:end] @ self._weights[first:end]


class ExactProduct(WindowProduct):
    """Products of matrices."""

    def _prepared(self, factors: Factors) -> Matrix:
        p = self._pass
        planes_of_kernels = np.array(p.kernel_plane_signs) * np.float64(2) ** np.arange(p.kernel_planes)
        weights = np.einsum("n,n...->...", planes_of_kernels, factors.added)
        planes = np.float64(2) ** np.arange(weights.shape[1])[:, np.newaxis, np.newaxis]
        constants = factors.constants.astype(np.float64)
        if self._fits():
            # Shift, window correction and bias, all at once.
            summed = np.arange(weights.shape[2])[:, np.newaxis] < p.block_columns
            weights = (weights * 2**p.accumulator_shift - p.window_sum_scale * summed) * planes
            constants = constants * 2**p.accumulator_shift + self._bias
        else:
            weights *= planes
        largest = (1 << self._planes) - 1 if factors.alike else 1
        return Matrix(weights.reshape(-1, weights.shape[-1]), largest, constants, alike=factors.alike)

    def values(self, codes: Octets, index: Integers) -> tuple[NDArray[Any], int]:
        lots = self._factors.lots
        matrices = [self._of(0, lots[0])] if len(lots) == 1 else []
        limit = matrices[0].bound if matrices else self._limit()
        shape = (len(codes), *index.shape[:2], len(self._bias))
        sums = np.empty(shape, dtype=np.float32 if limit <= _EXACT[np.float32] else np.float64)
        bound = 0
        operands: dict[tuple[bool, int], NDArray[np.float32]] = {}
        for number, lot in enumerate(lots):
            matrix = matrices[0] if matrices else self._of(number, lot)
            bound = max(bound, matrix.bound)
            key = matrix.alike, matrix.centre
            if key not in operands:
                operands[key] = self._operand(codes, matrix)
            self._multiply(operands[key], index[lot.clusters], lot, matrix, sums)
        if not self._fits():
            whole = self.finish(sums.astype(np.int64), self._window_sums(codes, index))
            return whole, int(np.abs(whole).max(initial=0))
        if bound >= 1 << (VALUE_BITS - 1):
            return self._fit(sums.astype(np.int64)), 1 << (VALUE_BITS - 1)
        return sums, bound

    def _operand(self, codes: Octets, matrix: Matrix) -> NDArray[np.float32]:
        """What is multiplied of codes: ndarray of shape (images, n, inputs), float32."""
        if matrix.alike:
            operand = codes.astype(np.float32)
            if matrix.centre:
                operand -= np.float32(matrix.centre)
            return operand
        operand = np.empty((*codes.shape[:-1], self._planes, codes.shape[-1]), dtype=np.float32)
        for plane in range(self._planes):
            operand[..., plane, :] = codes >> np.uint8(plane) & np.uint8(1)
        return operand.reshape(*codes.shape[:-1], -1)

    def _multiply(
        self, operand: NDArray[np.float32], index: Integers, lot: Lot, matrix: Matrix, sums: NDArray[Any]
    ) -> None:
        """Write the sums of a lot's windows, some images or windows at a time.

        Parameters
        ----------
        operand : ndarray of shape (images, n, inputs), float32
        index : ndarray of shape (clusters of the lot, windows, window rows), int64
        lot : Lot
        matrix : Matrix
        sums : ndarray of shape (images, clusters, windows, channels)
        """
        windows = np.arange(index.shape[1]) if lot.windows is None else lot.windows
        of_window = index.shape[0] * index.shape[2] * operand.shape[2] * operand.itemsize
        step = min(len(windows), max(1, _GATHERED // of_window))
        images_step = min(len(operand), max(1, _GATHERED // (of_window * step)))
        inputs_of_window = index.shape[2] * operand.shape[2]
        room = np.empty(images_step * index.shape[0] * step * inputs_of_window, dtype=np.float32)
        for first in range(0, len(windows), step):
            part = windows[first : first + step]
            of_part = np.ascontiguousarray(index[:, part])
            for image in range(0, len(operand), images_step):
                block = slice(image, image + images_step)
                shape = (len(operand[block]), *of_part.shape, operand.shape[2])
                gathered = room[: math.prod(shape)].reshape(shape)
                np.take(operand[block], of_part, axis=1, mode="clip", out=gathered)
                inputs = gathered.reshape(-1, inputs_of_window)
                if of_part.shape[:2] == sums.shape[1:3]:
                    matrix.product(inputs, sums[block].reshape(len(inputs), -1))
                    continue
                found = np.empty((*gathered.shape[:3], sums.shape[-1]), dtype=sums.dtype)
                matrix.product(inputs, found.reshape(len(inputs), -1))
                sums[block, lot.clusters, part] = found
