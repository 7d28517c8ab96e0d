"""Strings of consecutive bits in the image banks of many images at once, from any bit address."""

import numpy as np
from numpy.typing import NDArray

Octets = NDArray[np.uint8]

#: Types in which neighbouring bytes are moved at once.
_WORDS = (np.uint64, np.uint32, np.uint16, np.uint8)


class ImageBanks:
    """Bits `first` to `end` of the image banks of many images; bits outside read as 0.

    Maps of codes that have been written become bits when somebody reads bits.

    Parameters
    ----------
    bits : ndarray of shape (bits,), uint8
        A bank, bit by bit, which all images begin with.
    first, end : int
        Bits that are read or written.
    images : int

    Attributes
    ----------
    base : int
        Bit address of the first bit, a multiple of 64.
    size : int
        Bytes of a bank; the last 8 are 0.
    """

    def __init__(self, bits: Octets, first: int, end: int, images: int) -> None:
        self.base = first // 64 * 64
        self._end = max(self.base, min(-(-end // 64) * 64, len(bits)))
        self.size = -(-(self._end - self.base) // 64) * 8 + 8
        self._octets: Octets = np.zeros((images, self.size), dtype=np.uint8)
        #: Maps that are not in the bits yet, apart from each other.
        self._maps: list[tuple[CodeMap, Octets]] = []
        self.take(bits)

    def take(self, bits: Octets) -> None:
        """Begin again with a bank, for all images."""
        packed = np.packbits(bits[self.base : self._end], bitorder="little")
        self._octets[:, : len(packed)] = packed
        self._maps.clear()

    def octets(self, span: tuple[int, int]) -> Octets:
        """Banks whose bits are up to date in a span: ndarray of shape (images, bytes), uint8; bit `base` first."""
        self._write_maps([held for held in self._maps if _overlap(held[0].span, span)])
        return self._octets

    def write_map(self, code_map: "CodeMap", codes: Octets) -> None:
        """Write codes of all images.

        Parameters
        ----------
        code_map : CodeMap
        codes : ndarray of shape (images, strings, elements), uint8
        """
        self.octets(code_map.span)
        self._maps.append((code_map, codes))

    def maps(self) -> "list[tuple[CodeMap, Octets]]":
        """Maps that have been written last, with their codes, as of `write_map`."""
        return self._maps

    def _write_maps(self, held: "list[tuple[CodeMap, Octets]]") -> None:
        for code_map, codes in held:
            code_map.write(self, self._octets, codes)
        self._maps = [other for other in self._maps if all(other is not one for one in held)]

    def store(self, bits: Octets, image: int) -> None:
        """Write the bank of one image back to where it came from."""
        octets = self._octets[image : image + 1 or None].copy()
        for code_map, codes in self._maps:
            code_map.write(self, octets, codes[image : image + 1 or None])
        bits[self.base : self._end] = np.unpackbits(octets[0], count=self._end - self.base, bitorder="little")


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


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
        Bytes of a bank; the last 8 are 0.
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


class CodeMap:
    """Codes as strings of their planes.

    Parameters
    ----------
    first : ndarray of shape (strings,), int64
        Bit addresses of plane 0 of the strings. No bit belongs to two of them.
    elements : int
        Codes of a string.
    planes, plane_bits : int
        Planes of a code, at most 8, and bits from one to the next.
    """

    def __init__(self, first: NDArray[np.int64], *, elements: int, planes: int, plane_bits: int) -> None:
        self.first, self.elements, self.planes, self.plane_bits = first, elements, planes, plane_bits
        plane = np.arange(planes) * plane_bits
        self._every = first[:, np.newaxis] + plane
        self._strings: dict[tuple[int, int], BitStrings] = {}
        self._order = np.argsort(first)
        self._found: dict[CodeMap, NDArray[np.int64] | None] = {}

    @property
    def span(self) -> tuple[int, int]:
        """First bit, and the one after the last; (0, 0) for none."""
        if not self._every.size:
            return 0, 0
        return int(self._every.min()), int(self._every.max()) + self.elements

    def in_banks(self, banks: ImageBanks) -> BitStrings:
        """Its strings in banks."""
        key = banks.base, banks.size
        if key not in self._strings:
            self._strings[key] = BitStrings(self._every, self.elements, base=banks.base, size=banks.size)
        return self._strings[key]

    def write(self, banks: ImageBanks, octets: Octets, codes: Octets) -> None:
        """Write codes, (images, strings, elements), into bytes of some images."""
        self.in_banks(banks).write(octets, planes_of_codes(codes, self.planes))

    def read(self, banks: ImageBanks) -> Octets:
        """Read codes: ndarray of shape (images, strings, elements), uint8."""
        held = self.find(banks)
        if held is not None:
            codes, string = held
            return np.take(codes, string, axis=1)
        return codes_of_planes(self.in_banks(banks).read(banks.octets(self.span)))[..., : self.elements]

    def find(self, banks: ImageBanks) -> tuple[Octets, NDArray[np.int64]] | None:
        """Codes among those that have been written last.

        Returns
        -------
        tuple of two ndarrays, or None
            Codes of shape (images, n, elements), uint8, and the numbers of the map's strings among them; None if not
            all lie in one map.
        """
        for code_map, codes in banks.maps():
            if code_map not in self._found:
                self._found[code_map] = code_map._strings_of(self)
            found = self._found[code_map]
            if found is not None:
                return codes.reshape(len(codes), -1, self.elements), found
        return None

    def _strings_of(self, wanted: "CodeMap") -> NDArray[np.int64] | None:
        """Where the strings of another map lie among those of this one, cut into strings of as many elements."""
        parts, rest = divmod(self.elements, wanted.elements)
        same_planes = wanted.planes == self.planes and (
            self.planes == 1 or wanted.plane_bits == self.plane_bits
        )
        if rest or not parts or not same_planes or not self.first.size:
            return None
        at = np.searchsorted(self.first, wanted.first, side="right", sorter=self._order) - 1
        string = self._order[np.maximum(at, 0)]
        part, beside = np.divmod(wanted.first - self.first[string], wanted.elements)
        if beside.any() or (part < 0).any() or (part >= parts).any():
            return None
        return string * parts + part


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
