"""Golden model of pooling: on the stream that the unit sees, and on the images of a layer."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import PoolMode, Rounding, SpinplaneError

from .bitplane import integers
from .convolution import Padding, Pair, pair, sides, windows
from .shifter import shift_right_rounded

_INT64 = np.iinfo(np.int64)


def pool(
    values: ArrayLike,
    last: ArrayLike,
    mode: PoolMode,
    *,
    shift: int = 0,
    rounding: Rounding = Rounding.FLOOR,
) -> NDArray[np.int64]:
    """Pool a stream of regions, one after the other.

    Parameters
    ----------
    values : array_like of int, shape (n,)
    last : array_like of bool, shape (n,)
        True at the last value of each region. What follows the last region yields nothing.
    mode : PoolMode
    shift : int
        An average is the sum divided by 2^shift; other modes take no notice.
    rounding : Rounding
        Of that quotient.

    Returns
    -------
    ndarray of shape (regions,), int64

    Raises
    ------
    OverflowError
        If a sum might not fit in int64.
    """
    numbers = integers(values, "values")
    ends = np.flatnonzero(np.asarray(last)) + 1
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    starts = np.concatenate([[0], ends[:-1]])
    numbers = numbers[: ends[-1]]
    if mode is PoolMode.MAX:
        return np.maximum.reduceat(numbers, starts)
    largest, longest = max(-int(numbers.min()), int(numbers.max())), int((ends - starts).max())
    if largest * longest > _INT64.max:
        raise OverflowError(f"a sum of {longest} values up to {largest} may not fit in 64 bits")
    sums = np.add.reduceat(numbers, starts)
    return shift_right_rounded(sums, shift, rounding) if mode is PoolMode.AVERAGE else sums


def pool2d(
    images: ArrayLike,
    region: Pair,
    mode: PoolMode,
    *,
    stride: Pair | None = None,
    padding: Padding = 0,
    rounding: Rounding = Rounding.FLOOR,
) -> NDArray[np.int64]:
    """Pool images as a layer of a network does.

    Parameters
    ----------
    images : array_like of int, shape (batch, channels, height, width)
    region : int or (height, width)
    mode : PoolMode
        An average is taken over a power of two of values, by shifting.
    stride : int or (vertical, horizontal), optional
        The region's size if not given.
    padding : int, (vertical, horizontal) or (top, left, bottom, right)
        Adds zeros to a sum or an average, which divides by the whole region; a maximum leaves it out.
    rounding : Rounding
        Of an average.

    Returns
    -------
    ndarray of shape (batch, channels, output height, output width), int64

    Raises
    ------
    SpinplaneError
        If shapes or geometry do not fit together, an average's region is no power of two, or a maximum's
        region may hold nothing but padding.
    """
    pixels = integers(images, "images")
    if pixels.ndim != 4:
        raise SpinplaneError(f"images of shape {pixels.shape}: expected (batch, channels, height, width)")
    height, width = pair(region, "region", "or (height, width)")
    size = height * width
    if mode is PoolMode.AVERAGE and size & (size - 1):
        raise SpinplaneError(
            f"average over a region of {height}×{width} = {size} values: allowed are powers of two; "
            "for others take the sum, whose division belongs to requantization"
        )
    if mode is PoolMode.MAX and any(
        pad >= extent for pad, extent in zip(sides(padding), (height, width) * 2, strict=True)
    ):
        raise SpinplaneError(
            f"padding = {padding!r}: allowed is less than the region of {height}×{width}, whose maximum "
            "would be that of nothing"
        )
    fill = int(_INT64.min) if mode is PoolMode.MAX else 0
    step = (height, width) if stride is None else stride
    seen = windows(pixels, (height, width), step, padding, fill=fill).transpose(0, 3, 1, 2, 4, 5)
    last = np.arange(1, seen.size + 1) % size == 0
    pooled = pool(seen.reshape(-1), last, mode, shift=size.bit_length() - 1, rounding=rounding)
    return pooled.reshape(seen.shape[:4])
