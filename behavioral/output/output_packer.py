"""Golden model of the output packer: codes of neighbouring channels as masked writes of plane words."""

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import CODE_BITS
from spinplane.machine.output_stage import RAW_BITS
from spinplane.machine.passes import Pass

from ..bit_strings import BitStrings, CodeMap, ImageBanks, planes_of_codes
from ..fixed_point import signed_integers

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

ADDRESS_BITS = 32


class OutputStageError(ValueError):
    """A bank does not hold what a descriptor asks for; `bank` is ``"image"`` or ``"parameters"``."""

    def __init__(self, bank: str, message: str) -> None:
        super().__init__(message)
        self.bank = bank


class BankWrite(NamedTuple):
    """A masked write of a bank: word address, data and mask, each ndarray of shape (width,), uint8."""

    address: int
    data: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def plane_writes(
    codes: ArrayLike, address: int, *, planes: int, line_bits: int, width: int
) -> list[BankWrite]:
    """Write plane m of all codes at bit `address` + m · `line_bits`, lowest plane first.

    Parameters
    ----------
    codes : array_like of int, shape (lanes,)
        Codes of neighbouring channels, which fit in `planes` bits, signed or unsigned. The number of lanes is a
        power of two.
    address : int
        Bit address of the first code in plane 0, a multiple of the lanes.
    planes : int
        1 to 8.
    line_bits : int
        Bits from a plane's line to the next, a multiple of the lanes.
    width : int
        Bits of a word, a power of two that is at least the number of lanes.

    Returns
    -------
    list of BankWrite
        One for each plane. The lanes' bits are repeated over the word; the mask tells which are written.

    Raises
    ------
    ValueError
        If an address, a number of planes or a width is not allowed.
    OverflowError
        If a code does not fit in its planes.
    """
    numbers = signed_integers(codes, CODE_BITS, "codes")
    if planes not in range(1, CODE_BITS):
        raise ValueError(f"planes must be from 1 to {CODE_BITS - 1}, not {planes!r}")
    outside = (numbers < -(1 << (planes - 1))) | (numbers >= 1 << planes)
    if outside.any():
        raise OverflowError(f"code {numbers[outside][0]} does not fit in {planes} planes")
    return [_write(numbers >> m & 1, address + m * line_bits, width) for m in range(planes)]


def raw_writes(values: ArrayLike, address: int, *, width: int) -> list[BankWrite]:
    """Write 32 bits of each value, one value after the other, from bit `address` on.

    Parameters
    ----------
    values : array_like of int, shape (lanes,)
        Signed with 32 bits. The number of lanes is a power of two.
    address : int
        Bit address of the first value, a multiple of the bits of a write.
    width : int
        Bits of a word, a power of two.

    Returns
    -------
    list of BankWrite
        ⌈lanes·32 / width⌉ writes of min(lanes·32, width) bits.

    Raises
    ------
    ValueError
        If an address or a width is not allowed.
    OverflowError
        If a value does not fit in 32 bits.
    """
    numbers = signed_integers(values, RAW_BITS, "raw values")
    bits = (numbers[:, np.newaxis] >> np.arange(RAW_BITS) & 1).ravel()
    size = min(len(bits), width)
    return [_write(bits[at : at + size], address + at, width) for at in range(0, len(bits), size)]


def _write(bits: NDArray[np.int64], address: int, width: int) -> BankWrite:
    if len(bits) > width or width & (width - 1) or len(bits) & (len(bits) - 1):
        raise ValueError(f"a write of {len(bits)} bits to words of {width}: both must be powers of two")
    if not 0 <= address < 1 << ADDRESS_BITS or address % len(bits):
        raise ValueError(f"bit address {address}: must be a multiple of {len(bits)} below 2^{ADDRESS_BITS}")
    start = address % width
    mask = np.zeros(width, dtype=np.uint8)
    mask[start : start + len(bits)] = 1
    return BankWrite(address // width, np.tile(bits.astype(np.uint8), width // len(bits)), mask)


class OutputMap:
    """The windows of a pass that count, the regions that yield an output, and the place of each output.

    Parameters
    ----------
    layer_pass : Pass

    Attributes
    ----------
    counts : ndarray of shape (regions, windows, clusters), bool
    yields : ndarray of shape (regions, clusters), bool
    outputs : tuple of two ndarrays of shape (outputs,), int64
        Region and cluster of each output.
    x, y : ndarray of shape (outputs,), int64
        Its place in the output map.
    beats : ndarray of shape (n,), int64
        Numbers of the channel beats that exist, by their places.
    addresses : ndarray of shape (outputs, n, writes of a beat), int64
        First bit of each write.
    """

    def __init__(self, layer_pass: Pass) -> None:
        self._pass = p = layer_pass
        cluster, region, window = np.arange(p.clusters), np.arange(p.regions), np.arange(p.windows)
        x = cluster % p.clusters_x * p.region_columns + (region % p.region_columns)[:, np.newaxis]
        y = cluster // p.clusters_x * p.region_rows + (region // p.region_columns)[:, np.newaxis]
        window_x = p.first_window_x + x[:, np.newaxis] * p.stride_x + (window % p.region_width)[:, np.newaxis]
        window_y = (
            p.first_window_y + y[:, np.newaxis] * p.stride_y + (window // p.region_width)[:, np.newaxis]
        )
        self.counts = (window_x >= 0) & (window_x < p.windows_x) & (window_y >= 0) & (window_y < p.windows_y)
        self.yields = (x < p.out_width) & (y < p.out_height)
        self.outputs = self.yields.nonzero()
        self.x, self.y = x[self.outputs], y[self.outputs]
        first = p.out_base + self.y * p.out_line_bits + self.x * p.out_pixel_bits + p.out_first_bit
        place, exists = np.array(p.places), np.array(p.existing_beats, dtype=np.int64)
        self.beats = exists[np.argsort(place[exists])]
        self.beat_places = place[self.beats]
        self._all_in_order = np.array_equal(self.beats, np.arange(p.channel_beats))
        beats = first[:, np.newaxis] + self.beat_places * p.out_beat_bits
        step = p.write_bits if p.raw else p.out_plane_bits
        self.addresses = beats[..., np.newaxis] + step * np.arange(p.writes)

    @property
    def parameter_reads(self) -> int:
        """Words of parameters, scales, thresholds and tables that the beats of all windows and regions read."""
        p = self._pass
        of_outer = p.multiplies + p.lookups
        return (self.counts.size + self.yields.size * of_outer) * p.channel_beats

    @property
    def image_writes(self) -> int:
        """Number of all writes."""
        return self.addresses.size

    @property
    def span(self) -> tuple[int, int]:
        """First bit written, and the one after the last; (0, 0) for none."""
        if not self.addresses.size:
            return 0, 0
        return int(self.addresses.min()), int(self.addresses.max()) + self._pass.write_bits

    def check(self, bank_bits: int) -> None:
        """Refuse writes that the image bank of so many bits does not take.

        Raises
        ------
        OutputStageError
            If a write is beyond the bank, or not at a multiple of its bits.
        """
        size = self._pass.write_bits
        if self.span[1] > bank_bits:
            raise OutputStageError("image", f"bit {self.span[1] - 1} is beyond the bank of {bank_bits} bits")
        odd = self.addresses[self.addresses % size != 0]
        if odd.size:
            raise OutputStageError("image", f"bit address {odd[0]}: must be a multiple of {size}")

    def bits(self) -> Integers:
        """Addresses of all bits that are written: ndarray of shape (outputs, n, writes, bits), int64."""
        return self.addresses[..., np.newaxis] + np.arange(self._pass.write_bits)

    def _order(self) -> tuple[Integers, Integers]:
        """Outputs and channel beats as the hardware writes them: by region, kernel tile, cluster and beat."""
        output, beat = (index.ravel() for index in np.indices(self.addresses.shape[:2]))
        # The last kernel tile may have more beats than the others, so that one more would not begin in it.
        last = (self._pass.kernel_tiles - 1) * self._pass.beats
        number = np.minimum(self.beats[beat], last) // self._pass.beats
        region, cluster = self.outputs
        order = np.lexsort((self.beats[beat], cluster[output], number, region[output]))
        return output[order], beat[order]

    def of_beats(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Codes of channel beats that exist, by place, (..., n, lanes), from those of all channels."""
        beats = codes.reshape(*codes.shape[:-1], self._pass.channel_beats, self._pass.lanes)
        return beats if self._all_in_order else beats[..., self.beats, :]

    def writes(self, codes: NDArray[Any]) -> tuple[Integers, Octets]:
        """Writes of one image, in the order of the hardware.

        Parameters
        ----------
        codes : ndarray of shape (outputs, channels), of integers

        Returns
        -------
        addresses : ndarray of shape (writes,), int64
        bits : ndarray of shape (writes, bits of a write), uint8
        """
        p = self._pass
        beats = self.of_beats(codes)
        bits = np.arange(RAW_BITS) if p.raw else np.arange(p.out_planes)[:, np.newaxis]
        lanes = beats[..., np.newaxis] if p.raw else beats[:, :, np.newaxis]
        written = (lanes >> bits & 1).astype(np.uint8).reshape(*self.addresses.shape, p.write_bits)
        order = self._order()
        return self.addresses[order].ravel(), written[order].reshape(-1, p.write_bits)

    @cached_property
    def _code_map(self) -> CodeMap | None:
        """The map as strings of codes: none of raw values, and where beats are apart or bits are written twice."""
        p = self._pass
        apart = np.diff(self.addresses[0, :, 0]) != p.lanes
        if p.raw or apart.any():
            return None
        if len(np.unique(self.bits())) < self.addresses.size * p.write_bits:
            return None
        elements = len(self.beats) * p.lanes
        return CodeMap(
            self.addresses[:, 0, 0], elements=elements, planes=p.out_planes, plane_bits=p.out_plane_bits
        )

    def write(self, banks: ImageBanks, codes: NDArray[Any]) -> None:
        """Write the outputs of many images.

        Parameters
        ----------
        banks : ImageBanks
            Are changed.
        codes : ndarray of shape (images, outputs, channels), of integers
            Codes, or raw values; their lower bits count.
        """
        p = self._pass
        if not self.addresses.size:
            return
        if self._code_map is not None:
            kept = np.uint8((1 << p.out_planes) - 1)
            codes = self.of_beats(codes).reshape(*codes.shape[:2], -1)
            banks.write_map(self._code_map, codes.astype(np.uint8, copy=False) & kept)
            return
        output, beat = self._order()
        beats = self.of_beats(codes)[:, output, beat]
        if p.raw:
            first, length = self.addresses[output, beat, 0], p.lanes * RAW_BITS
            octets = np.ascontiguousarray(beats.astype("<u4")).view(np.uint8)
        else:
            first, length = self.addresses[output, beat], p.lanes
            octets = planes_of_codes(beats, p.out_planes)
        strings = BitStrings(first, length, base=banks.base, size=banks.size)
        strings.write(banks.octets(self.span), octets.reshape(len(codes), *first.shape, -1))
