"""Golden model of the input streamer: rows of a feature map, and their sums."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from ..bit_strings import BitStrings, ImageBanks, codes_of_planes
from .input_address_generator import InputAddressGenerator, RowRequest

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Bits whose addresses are listed at a time.
_TAKEN = 1 << 20


class RowSet(NamedTuple):
    """The rows written at once, one per row bus."""

    row: int
    #: ndarray of shape (row_buses, columns), uint8.
    bits: Octets
    #: Row sum of each bus.
    sums: list[int]
    last: bool


def elements_inside(layer_pass: Pass, request: RowRequest) -> NDArray[np.bool_]:
    """Which elements of a row lie in the map; the bank is read if one does.

    Returns
    -------
    ndarray of shape (elements,), bool
    """
    rows = FormedRows.of_request(layer_pass, request)
    return rows.inside[0, : rows.lengths[0]]


def bits_needed(layer_pass: Pass, request: RowRequest) -> int:
    """Bits of the image bank, from its first one on, that have to exist for a row, or a plane of one; 0 if it is not
    read.

    Bytes count as a whole, and planes that do not exist are not needed.
    """
    rows = FormedRows.of_request(layer_pass, request)
    if not layer_pass.spread:
        return int(rows.needed[0])
    plane_bits = request.plane * layer_pass.plane_bits
    return int(rows._first[0] + plane_bits + rows.lengths[0]) if request.plane < rows.read_planes[0] else 0


def form_row(image_bits: Octets, layer_pass: Pass, request: RowRequest) -> tuple[Octets, int]:
    """Form a row.

    Parameters
    ----------
    image_bits : ndarray of shape (bits,), uint8
        The image bank.
    layer_pass : Pass
    request : RowRequest

    Returns
    -------
    bits : ndarray of shape (columns,), uint8
    row_sum : int
        Count of slot 0, planes weighted.

    Raises
    ------
    IndexError
        If an element of the map lies beyond the bank.
    """
    codes = FormedRows.of_request(layer_pass, request).form(image_bits)[0]
    return row_bits(layer_pass, codes), int(row_sums(layer_pass, codes))


def form_row_sets(image_bits: Octets, layer_pass: Pass) -> Iterator[RowSet]:
    """Row sets of a layer in the order in which they are written.

    Bus b carries the row of cluster b div (row buses / clusters).

    Raises
    ------
    IndexError
        If an element of the map lies beyond the bank.
    """
    walk = InputAddressGenerator.of(layer_pass)
    codes = (
        FormedRows.of_walk(layer_pass, walk).form(image_bits).reshape(layer_pass.clusters, len(walk.row), -1)
    )
    repeats = layer_pass.machine.row_buses // layer_pass.clusters
    ends = set((walk.region_sets[1:] - 1).tolist())
    for at, row in enumerate(walk.row.tolist()):
        of_clusters = codes[:, at]
        yield RowSet(
            row=row,
            bits=np.repeat(row_bits(layer_pass, of_clusters), repeats, axis=0),
            sums=np.repeat(row_sums(layer_pass, of_clusters), repeats).tolist(),
            last=at in ends,
        )


def row_bits(layer_pass: Pass, codes: Octets) -> Octets:
    """Bits of rows from the codes of their elements, the same in all slots unless they are spread.

    Parameters
    ----------
    layer_pass : Pass
    codes : ndarray of shape (..., elements), uint8

    Returns
    -------
    ndarray of shape (..., columns), uint8
    """
    p = layer_pass
    blocks = np.zeros((*codes.shape[:-1], p.slots, p.planes, p.block_columns), dtype=np.uint8)
    if p.spread:
        whole = np.zeros((*codes.shape[:-1], p.slots * p.block_columns), dtype=np.uint8)
        whole[..., : codes.shape[-1]] = codes
        of_slots = whole.reshape(*codes.shape[:-1], p.slots, 1, p.block_columns)
        blocks[...] = of_slots >> np.arange(p.planes, dtype=np.uint8)[:, np.newaxis] & np.uint8(1)
        return blocks.reshape(*codes.shape[:-1], p.machine.columns)
    planes = codes[..., np.newaxis, :] >> np.arange(p.planes, dtype=np.uint8)[:, np.newaxis] & np.uint8(1)
    blocks[..., : codes.shape[-1]] = planes[..., np.newaxis, :, :]
    return blocks.reshape(*codes.shape[:-1], p.machine.columns)


def row_sums(layer_pass: Pass, codes: Octets) -> Integers:
    """Counts of slot 0 of rows, from the codes of their elements.

    Parameters
    ----------
    layer_pass : Pass
    codes : ndarray of shape (..., elements), uint8

    Returns
    -------
    ndarray of shape (...), int64
    """
    counted = codes[..., : layer_pass.block_columns] if layer_pass.spread else codes
    return np.asarray(counted.sum(axis=-1, dtype=np.int64))


class FormedRows:
    """Rows of a pass: the bank's bits that each takes, and its padding.

    Parameters
    ----------
    layer_pass : Pass
    x, y : ndarray of shape (rows,), int64
        First bit in the line, and line of the map.
    plane_group : ndarray of shape (rows,), int64
    last_piece : ndarray of shape (rows,), bool

    Attributes
    ----------
    lengths : ndarray of shape (rows,), int64
        Elements.
    inside : ndarray of shape (rows, elements of the longest row), bool
        Elements of the row that lie in the map.
    needed : ndarray of shape (rows,), int64
        Bits of the bank, from its first one on, that have to exist; 0 where it is not read.
    """

    def __init__(
        self, layer_pass: Pass, x: Integers, y: Integers, plane_group: Integers, last_piece: NDArray[np.bool_]
    ) -> None:
        p = layer_pass
        self._pass, self._plane_group = p, plane_group
        self.lengths = np.where(last_piece, p.last_length, p.length)
        element = np.arange(int(self.lengths.max()) if self.lengths.size else 0)
        begins = x[:, np.newaxis] + 8 * element if p.in_bytes else x[:, np.newaxis]
        inside = (begins >= 0) & (begins < p.in_valid_bits) & ((y >= 0) & (y < p.in_height))[:, np.newaxis]
        self._exists = element < self.lengths[:, np.newaxis]
        self.inside = inside & self._exists
        self._first = p.in_base + y * p.in_line_bits + x
        #: Planes of the map that each row takes.
        self._planes = np.clip(p.in_planes - plane_group * p.planes, 0, p.planes)
        self.needed = np.where(self.reads, self._first + self._bits_needed(), 0)

    @classmethod
    def of_request(cls, layer_pass: Pass, request: RowRequest) -> "FormedRows":
        """A single row."""
        x, y, plane_group = (np.array([at]) for at in (request.x, request.y, request.plane_group))
        return cls(layer_pass, x, y, plane_group, np.array([request.last_piece]))

    @classmethod
    def of_walk(cls, layer_pass: Pass, walk: InputAddressGenerator) -> "FormedRows":
        """All rows, those of a cluster together."""
        x, y = walk.places(layer_pass)
        clusters = layer_pass.clusters
        last_piece = np.tile(walk.piece == layer_pass.pieces - 1, clusters)
        return cls(layer_pass, x.ravel(), y.ravel(), np.tile(walk.plane_group, clusters), last_piece)

    def _bits_needed(self) -> Integers:
        """Bits from a row's first one to the last one that has to exist."""
        p = self._pass
        if p.in_bytes:
            last = self.inside.shape[1] - 1 - self.inside[:, ::-1].argmax(axis=1)
            return 8 * (last + 1)
        return np.maximum(self._planes - 1, 0) * p.plane_bits + self.lengths

    @property
    def reads(self) -> NDArray[np.bool_]:
        """Rows for which the bank is read: ndarray of shape (rows,), bool."""
        return np.asarray(self.inside.any(axis=1) & ((self._planes > 0) | (not self._pass.spread)))

    @property
    def read_planes(self) -> Integers:
        """Reads of the bank for each row: ndarray of shape (rows,), int64."""
        return np.where(self.reads, self._planes if self._pass.spread else 1, 0)

    @property
    def span(self) -> tuple[int, int]:
        """First bit of the bank that counts in a row, and the one after the last; (0, 0) for none."""
        reads = self.reads
        if not reads.any():
            return 0, 0
        first = self._first + (8 * self.inside.argmax(axis=1) if self._pass.in_bytes else 0)
        return int(first[reads].min()), int(self.needed.max())

    def taken(self) -> Iterator[Integers]:
        """Addresses of the bits that count in rows, some rows at a time: ndarrays of shape (bits,), int64."""
        p = self._pass
        plane = np.arange(p.planes)[:, np.newaxis]
        element = np.arange(self.inside.shape[1])
        offset = 8 * element + plane if p.in_bytes else plane * p.plane_bits + element
        first = self._first + self._plane_group * p.planes if p.in_bytes else self._first
        step = max(1, _TAKEN // max(1, offset.size))
        for begin in range(0, len(first), step):
            rows = slice(begin, begin + step)
            counts = self.inside[rows, np.newaxis] & (plane < self._planes[rows, np.newaxis, np.newaxis])
            yield (first[rows, np.newaxis, np.newaxis] + offset)[counts]

    def form(self, image_bits: Octets) -> Octets:
        """Codes of the elements of all rows, from one bank.

        Parameters
        ----------
        image_bits : ndarray of shape (bits,), uint8

        Returns
        -------
        ndarray of shape (rows, elements of the longest row), uint8
            Plane 0 of a row's plane group is bit 0.

        Raises
        ------
        IndexError
            If an element of the map lies beyond the bank.
        """
        needed = int(self.needed.max()) if self.needed.size else 0
        if needed > len(image_bits):
            raise IndexError(f"a row needs {needed} bits of {len(image_bits)}")
        return self.read(ImageBanks(image_bits, 0, len(image_bits), 1))[0]

    def read(self, banks: ImageBanks) -> Octets:
        """Codes of the elements of all rows, from the banks of many images.

        Returns
        -------
        ndarray of shape (images, rows, elements of the longest row), uint8
        """
        return self._reader.read(banks)

    @cached_property
    def _reader(self) -> "RowReader":
        return RowReader(self)


class RowReader:
    """Reads rows from the banks of many images.

    Parameters
    ----------
    rows : FormedRows
    """

    def __init__(self, rows: FormedRows) -> None:
        self._rows, self._span = rows, rows.span
        self._strings: dict[tuple[int, int], BitStrings] = {}
        p = rows._pass
        # What is taken of the bits that were read, and what is there without them.
        planes = ((1 << rows._planes) - 1)[:, np.newaxis]
        padding = (p.pad_code >> rows._plane_group * p.planes)[:, np.newaxis] & planes
        keep = np.where(rows.inside, planes, 0).astype(np.uint8)
        fill = np.where(rows._exists & ~rows.inside, padding, 0).astype(np.uint8)
        needless = (keep[rows.reads] == 255).all() if p.in_bytes else rows._exists.all()
        self._keep = None if needless else keep
        self._fill = fill if fill.any() else None

    def _in(self, banks: ImageBanks) -> BitStrings:
        """The strings of the rows, for each plane unless it is in bytes."""
        key = banks.base, banks.size
        if key not in self._strings:
            rows, p = self._rows, self._rows._pass
            elements = rows.inside.shape[1]
            if p.in_bytes:
                first, exists = rows._first + rows._plane_group * p.planes, rows.reads
            else:
                plane = np.arange(p.planes)
                first = rows._first[:, np.newaxis] + plane * p.plane_bits
                exists = rows.reads[:, np.newaxis] & (plane < rows._planes[:, np.newaxis])
            length = 8 * elements if p.in_bytes else elements
            self._strings[key] = BitStrings(first, length, base=banks.base, size=banks.size, exists=exists)
        return self._strings[key]

    def read(self, banks: ImageBanks) -> Octets:
        """Codes of the elements of all rows.

        Parameters
        ----------
        banks : ImageBanks

        Returns
        -------
        ndarray of shape (images, rows, elements of the longest row), uint8
        """
        codes = self._in(banks).read(banks.octets(self._span))
        if not self._rows._pass.in_bytes:
            codes = codes_of_planes(codes)[..., : self._rows.inside.shape[1]]
        if self._keep is not None:
            codes = codes & self._keep
        return codes if self._fill is None else codes | self._fill
