"""From the codes of input rows to the sums of windows before they are scaled, in two ways that give the same bits.

`ExactProduct` multiplies matrices of codes, or of bits where faults or kernels tell the planes apart, in floating point
numbers that hold every partial sum exactly. `BitPlaneProduct` counts the ones of what row pairs show, 64 columns at
once. Both take what row pairs show from `PairFactors`, and differ in nothing else.
"""

import math
from abc import ABC, abstractmethod
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.activation import VALUE_BITS, WINDOW_SUM_BITS
from spinplane.machine.passes import Pass

from .bit_strings import planes_of_codes
from .fixed_point import wrapped
from .pair_factors import Factors, Lot, PairFactors

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Whole numbers up to which a type holds them all.
_EXACT: dict[type[np.floating], int] = {np.float32: 1 << 24, np.float64: 1 << 53}
#: Bytes of gathered windows at a time.
_GATHERED = 1 << 21
#: Windows, and pairs of a window and a channel, whose words are counted at a time.
_WINDOWS_COUNTED, _COUNTED = 1 << 12, 1 << 15


class Room:
    """Bytes for what passes keep of their factors; where there is no room, factors are computed again each time."""

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
    matters : ndarray of shape (windows, groups), bool
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
        index : ndarray of shape (groups, windows, window rows), int64
            Which codes each window has at each of its rows.

        Returns
        -------
        values : ndarray of shape (images, groups, windows, channels), of whole numbers in any type
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

    @staticmethod
    def _window_sums(codes: Octets, index: Integers) -> Integers:
        """Of shape (images, groups, windows)."""
        return codes.sum(axis=-1, dtype=np.int64)[:, index].sum(axis=-1)

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
        accumulators : ndarray of shape (images, groups, windows, channels), int64, or int32 if that holds all sums
            Whatever their width; becomes the sums.
        window_sums : ndarray of shape (images, groups, windows), int64
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


def fit(
    numbers: Integers, bits: int, name: str, *, wraps: bool, where: NDArray[np.bool_] | bool = True
) -> Integers:
    """Numbers of so many bits; no width is proven for wrong bits: they wrap, as in the RTL.

    Raises
    ------
    OverflowError
        If one of those that count, `where`, does not fit, and they do not wrap.
    """
    limit = 1 << (bits - 1)
    outside = (numbers < -limit) | (numbers >= limit)
    if not outside.any():
        return numbers
    refused = outside & where
    if refused.any() and not wraps:
        raise OverflowError(f"{name} {numbers[refused][0]} does not fit in {bits} bits")
    return wrapped(numbers, bits)


class _Matrix:
    """A matrix of whole numbers, in parts whose products are exact.

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
        """Parts of the inputs, the sums of which float32 holds."""
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

    def _prepared(self, factors: Factors) -> _Matrix:
        p = self._pass
        planes_of_kernels = np.float64(2) ** np.arange(p.kernel_planes)
        weights = np.einsum("n,n...->...", planes_of_kernels, factors.added)
        planes = np.float64(2) ** np.arange(weights.shape[1])[:, np.newaxis, np.newaxis]
        constants = factors.constants.astype(np.float64)
        if self._fits():
            # Shift, window correction and bias, all at once.
            weights = (weights * 2**p.accumulator_shift - p.window_sum_scale) * planes
            constants = constants * 2**p.accumulator_shift + self._bias
        else:
            weights *= planes
        largest = (1 << self._planes) - 1 if factors.alike else 1
        return _Matrix(weights.reshape(-1, weights.shape[-1]), largest, constants, alike=factors.alike)

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
            self._multiply(operands[key], index[lot.groups], lot, matrix, sums)
        if not self._fits():
            whole = self.finish(sums.astype(np.int64), self._window_sums(codes, index))
            return whole, int(np.abs(whole).max(initial=0))
        if bound >= 1 << (VALUE_BITS - 1):
            return self._fit(sums.astype(np.int64)), 1 << (VALUE_BITS - 1)
        return sums, bound

    def _operand(self, codes: Octets, matrix: _Matrix) -> NDArray[np.float32]:
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
        self, operand: NDArray[np.float32], index: Integers, lot: Lot, matrix: _Matrix, sums: NDArray[Any]
    ) -> None:
        """Write the sums of a lot's windows, some images or windows at a time.

        Parameters
        ----------
        operand : ndarray of shape (images, n, inputs), float32
        index : ndarray of shape (groups of the lot, windows, window rows), int64
        lot : Lot
        matrix : _Matrix
        sums : ndarray of shape (images, groups, windows, channels)
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
                sums[block, lot.groups, part] = found


class _Words:
    """Words of factors, whose ones are to be counted.

    Parameters
    ----------
    factors : Factors
    planes : int
        Of the input.
    """

    def __init__(self, factors: Factors, planes: int) -> None:
        packed = np.packbits(factors.added, axis=3, bitorder="little")
        # From kernel plane, window row, plane, byte, channel to kernel plane, plane, word, channel.
        strings = np.moveaxis(packed, (2, 4), (1, 2))
        words = _words(strings.reshape(*strings.shape[:3], -1))
        words = np.ascontiguousarray(np.moveaxis(words, -1, 2))
        self.of_kernels = np.broadcast_to(words, (len(words), planes, *words.shape[2:]))
        self.constants = factors.constants
        self.nbytes = words.nbytes


def _words(octets: Octets) -> NDArray[np.uint64]:
    """Words of strings of bytes along the last axis."""
    whole = -(-octets.shape[-1] // 8) * 8
    padded = np.zeros((*octets.shape[:-1], whole), dtype=np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view(np.uint64)


class BitPlaneProduct(WindowProduct):
    """Counts of ones."""

    def _prepared(self, factors: Factors) -> _Words:
        return _Words(factors, self._planes)

    def values(self, codes: Octets, index: Integers) -> tuple[NDArray[Any], int]:
        rows = planes_of_codes(codes, self._planes)
        lots = self._factors.lots
        shape = (len(codes), *index.shape[:2], len(self._bias))
        dtype = np.int32 if self._limit() < 1 << (VALUE_BITS - 1) else np.int64
        accumulators: NDArray[Any] = np.empty(shape if len(lots) > 1 else 0, dtype=dtype)
        for number, lot in enumerate(lots):
            words = self._of(number, lot)
            windows = np.arange(index.shape[1]) if lot.windows is None else lot.windows
            # Images, groups, windows, window rows, planes, bytes; then planes, words, and all windows.
            seen = np.take(rows, index[lot.groups][:, windows], axis=1, mode="clip")
            of_windows = np.moveaxis(seen, 4, 0)
            inputs = _words(of_windows.reshape(*of_windows.shape[:4], -1))
            inputs = np.moveaxis(inputs, -1, 1).reshape(self._planes, inputs.shape[-1], -1)
            counted = _counts(np.ascontiguousarray(inputs), words.of_kernels, dtype)
            if words.constants.any():
                counted += words.constants.astype(dtype)
            counted = counted.reshape(*seen.shape[:3], -1)
            if len(lots) == 1:
                accumulators = counted
            else:
                accumulators[:, lot.groups, windows] = counted
        values = self.finish(accumulators, self._window_sums(codes, index))
        return values, max(int(values.max(initial=0)), -int(values.min(initial=0)))


def _counts(
    inputs: NDArray[np.uint64], kernels: NDArray[np.uint64], dtype: type[np.signedinteger]
) -> NDArray[np.signedinteger]:
    """Σ 2^(kernel plane + plane) · ones(input AND kernel).

    Parameters
    ----------
    inputs : ndarray of shape (planes, words, windows), uint64
    kernels : ndarray of shape (kernel planes, planes, words, channels), uint64
    dtype : type
        That holds all sums.

    Returns
    -------
    ndarray of shape (windows, channels), of `dtype`
    """
    planes, words, windows = inputs.shape
    channels = kernels.shape[-1]
    sums = np.zeros((channels, windows), dtype=dtype)
    # A word has at most 64 ones.
    of_plane = np.uint16 if words < 1 << 10 else np.uint32
    # Long runs over windows, with a word of one channel each.
    of_channels = np.ascontiguousarray(kernels)[..., np.newaxis]
    step = min(windows, _WINDOWS_COUNTED)
    channel_step = max(1, _COUNTED // step)
    for first, channel in product(range(0, windows, step), range(0, channels, channel_step)):
        of_windows = inputs[:, :, first : first + step]
        block = of_channels[:, :, :, channel : channel + channel_step]
        part = sums[channel : channel + channel_step, first : first + step]
        both, ones = np.empty(part.shape, dtype=np.uint64), np.empty(part.shape, dtype=np.uint8)
        count = np.empty(part.shape, dtype=of_plane)
        for kernel_plane, plane in product(range(len(kernels)), range(planes)):
            count[...] = 0
            for of_kernel, of_input in zip(block[kernel_plane, plane], of_windows[plane], strict=True):
                np.bitwise_and(of_kernel, of_input, both)
                np.bitwise_count(both, ones)
                np.add(count, ones, count)
            weighted = count.astype(dtype)
            weighted <<= kernel_plane + plane
            part += weighted
    return np.ascontiguousarray(sums.T)
