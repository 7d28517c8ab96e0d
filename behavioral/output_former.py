"""Golden model of the output former: codes of neighbouring channels as masked writes of plane words."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import CODE_BITS
from spinplane.machine.activation import RAW_BITS

from .fixed_point import signed_integers

ADDRESS_BITS = 32


class Write(NamedTuple):
    """A masked write of a bank: word address, data and mask, each ndarray of shape (width,), uint8."""

    address: int
    data: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def plane_writes(codes: ArrayLike, address: int, *, planes: int, line_bits: int, width: int) -> list[Write]:
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
    list of Write
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


def raw_writes(values: ArrayLike, address: int, *, width: int) -> list[Write]:
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
    list of Write
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


def _write(bits: NDArray[np.int64], address: int, width: int) -> Write:
    if len(bits) > width or width & (width - 1) or len(bits) & (len(bits) - 1):
        raise ValueError(f"a write of {len(bits)} bits to words of {width}: allowed are powers of two")
    if not 0 <= address < 1 << ADDRESS_BITS or address % len(bits):
        raise ValueError(
            f"bit address {address}: allowed are multiples of {len(bits)} below 2^{ADDRESS_BITS}"
        )
    start = address % width
    mask = np.zeros(width, dtype=np.uint8)
    mask[start : start + len(bits)] = 1
    return Write(address // width, np.tile(bits.astype(np.uint8), width // len(bits)), mask)
