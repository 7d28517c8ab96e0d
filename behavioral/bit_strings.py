"""Strings of neighbouring bits in the image banks of many images at once, from any bit address on."""

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]

#: Types in which neighbouring bytes are moved at once.
_WORDS = (np.uint64, np.uint32, np.uint16, np.uint8)


class ImageBanks:
    """Bits `first` to `end` of the image banks of many images; what lies beside them reads as 0.

    Parameters
    ----------
    bits : ndarray of shape (bits,), uint8
        A bank, bit by bit, which all images begin with.
    first, end : int
        Bits that are read or written.
    images : int

    Attributes
    ----------
    octets : ndarray of shape (images, bytes), uint8
        Bit `base` in bit 0 of byte 0; the last bytes are 0.
    base : int
        A multiple of 64.
    """

    def __init__(self, bits: Octets, first: int, end: int, images: int) -> None:
        self.base = first // 64 * 64
        self.end = min(-(-end // 64) * 64, len(bits))
        packed = np.packbits(bits[self.base : self.end], bitorder="little")
        size = -(-len(packed) // 8) * 8
        self.octets: Octets = np.zeros((images, size + 8), dtype=np.uint8)
        self.octets[:, : len(packed)] = packed

    @property
    def size(self) -> int:
        """Bytes of a bank."""
        return self.octets.shape[1]

    def store(self, bits: Octets, image: int) -> None:
        """Write the bank of one image back to where it came from."""
        size = self.end - self.base
        bits[self.base : self.end] = np.unpackbits(self.octets[image], count=size, bitorder="little")


class BitStrings:
    """Strings of as many bits each.

    Parameters
    ----------
    first : ndarray of shape (...), int64
        Bit addresses of their first bits.
    length : int
        Bits of a string.
    base : int
        Bit address of the first bit of the banks, a multiple of 64.
    size : int
        Bytes of a bank, the last 8 of which are 0.
    exists : ndarray of shape (...), bool, optional
        Strings that are there; the others read as 0.
    """

    def __init__(
        self,
        first: NDArray[np.int64],
        length: int,
        *,
        base: int,
        size: int,
        exists: NDArray[np.bool_] | None = None,
    ) -> None:
        first = first - base
        octets = -(-length // 8)
        known = first if exists is None else first[exists]
        self._length, self._first = length, first
        self._shifts: Octets | None = None
        odd = int(np.bitwise_or.reduce(known, axis=None)) if known.size else 0
        if odd % 8:
            self._shifts = (first % 8).astype(np.uint8)[..., np.newaxis]
            octets += 1
        self._word = next(
            np.dtype(word)
            for word in _WORDS
            if word is np.uint8 or (odd % (8 * word().itemsize) == 0 and octets % word().itemsize == 0)
        )
        begin = (first // 8)[..., np.newaxis] + np.arange(0, octets, self._word.itemsize)
        outside = (begin < 0) | (begin >= size - 8)
        if exists is not None:
            outside |= ~exists[..., np.newaxis]
        self._index = np.where(outside, size - 8, begin) // self._word.itemsize

    @property
    def strings(self) -> int:
        """Number of the strings."""
        return self._first.size

    def read(self, octets: Octets) -> Octets:
        """Strings of all images.

        Parameters
        ----------
        octets : ndarray of shape (images, bytes), uint8

        Returns
        -------
        ndarray of shape (images, ..., ⌈length / 8⌉), uint8
            Lowest bit first; bits beyond the length are whatever follows in the bank.
        """
        words = octets.view(self._word)
        if self._index.size == 1:  # numpy takes a single one by a slower way
            read = words[:, self._index.reshape(-1)].reshape(len(words), *self._index.shape)
        else:
            read = np.take(words, self._index, axis=1, mode="clip")
        found = read.view(np.uint8)
        if self._shifts is None:
            return found
        return (found[..., :-1] >> self._shifts) | (found[..., 1:] << (8 - self._shifts))

    def write(self, octets: Octets, strings: Octets) -> None:
        """Write strings of all images; of bits that are written twice the last ones stay.

        Parameters
        ----------
        octets : ndarray of shape (images, bytes), uint8
            Is changed.
        strings : ndarray of shape (images, ..., ⌈length / 8⌉), uint8
        """
        if self._shifts is None and self._length % 8 == 0:
            words = octets.view(self._word)
            found = np.ascontiguousarray(strings).view(self._word)
            words[:, self._index.reshape(-1)] = found.reshape(len(words), -1)
            return
        begin, end = int(self._first.min()) // 8, (int(self._first.max()) + self._length - 1) // 8 + 1
        bits = np.unpackbits(octets[:, begin:end], axis=1, bitorder="little")
        written = np.unpackbits(strings, axis=-1, count=self._length, bitorder="little")
        places = (self._first - 8 * begin)[..., np.newaxis] + np.arange(self._length)
        bits[:, places.reshape(-1)] = written.reshape(len(bits), -1)
        octets[:, begin:end] = np.packbits(bits, axis=1, bitorder="little")


def codes_of_planes(planes: Octets) -> Octets:
    """Codes of elements from their planes.

    Parameters
    ----------
    planes : ndarray of shape (..., planes, bytes), uint8
        Plane 0 first, at most 8; an element is a bit of each.

    Returns
    -------
    ndarray of shape (..., 8 · bytes), uint8
    """
    bits = np.unpackbits(planes, axis=-1, bitorder="little")
    codes = bits[..., 0, :]
    for plane in range(1, planes.shape[-2]):
        codes = codes | bits[..., plane, :] << np.uint8(plane)
    return codes


def planes_of_codes(codes: NDArray[np.integer], planes: int) -> Octets:
    """Planes of codes; the inverse of `codes_of_planes`.

    Parameters
    ----------
    codes : ndarray of shape (..., elements), of integers
    planes : int

    Returns
    -------
    ndarray of shape (..., planes, ⌈elements / 8⌉), uint8
    """
    found = np.empty((*codes.shape[:-1], planes, -(-codes.shape[-1] // 8)), dtype=np.uint8)
    low = codes.astype(np.uint8) if planes <= 8 else codes
    for plane in range(planes):
        bits = (low >> low.dtype.type(plane)) & low.dtype.type(1)
        found[..., plane, :] = np.packbits(bits.astype(np.uint8, copy=False), axis=-1, bitorder="little")
    return found
