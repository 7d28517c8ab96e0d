"""Window sums as counts of ones: the sensed row pairs, 64 columns at once."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.output_stage import VALUE_BITS

from ..bit_strings import planes_of_codes
from .pair_factors import Factors
from .window_product import WindowProduct

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Windows, and pairs of a window and a channel, whose words are counted at a time.
_WINDOWS_COUNTED, _COUNTED = 1 << 12, 1 << 15


class _Words:
    """Words of factors whose ones are counted.

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
            # Images, clusters, windows, window rows, planes, bytes; then planes, words, and all windows.
            seen = np.take(rows, index[lot.clusters][:, windows], axis=1, mode="clip")
            of_windows = np.moveaxis(seen, 4, 0)
            inputs = _words(of_windows.reshape(*of_windows.shape[:4], -1))
            inputs = np.moveaxis(inputs, -1, 1).reshape(self._planes, inputs.shape[-1], -1)
            signs = self._pass.kernel_plane_signs
            counted = count_ones(np.ascontiguousarray(inputs), words.of_kernels, signs, dtype)
            if words.constants.any():
                counted += words.constants.astype(dtype)
            counted = counted.reshape(*seen.shape[:3], -1)
            if len(lots) == 1:
                accumulators = counted
            else:
                accumulators[:, lot.clusters, windows] = counted
        values = self.finish(accumulators, self._window_sums(codes, index))
        return values, max(int(values.max(initial=0)), -int(values.min(initial=0)))


def count_ones(
    inputs: NDArray[np.uint64],
    kernels: NDArray[np.uint64],
    signs: Sequence[int],
    dtype: type[np.signedinteger],
) -> NDArray[np.signedinteger]:
    """Σ sign · 2^(kernel plane + plane) · ones(input AND kernel).

    Parameters
    ----------
    inputs : ndarray of shape (planes, words, windows), uint64
    kernels : ndarray of shape (kernel planes, planes, words, channels), uint64
    signs : sequence of int
        1 or −1 for each kernel plane.
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
            part += weighted if signs[kernel_plane] > 0 else -weighted
    return np.ascontiguousarray(sums.T)
