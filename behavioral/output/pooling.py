"""Golden model of pooling: the sums of a region's windows become one, before they are scaled."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.descriptor import Pool


def pool(sums: ArrayLike, mode: Pool, *, counts: ArrayLike = True, least: ArrayLike = False) -> NDArray[Any]:
    """Sum, maximum or minimum over the windows of a region, the last axis; 0 where none counts.

    Parameters
    ----------
    sums : array_like of numbers, shape (..., windows)
        Of any type that holds the sums.
    mode : Pool
        With ``NONE`` the last window's sum, whether it counts or not.
    counts : array_like of bool
        Windows that count, broadcast against `sums`.
    least : array_like of bool
        Where ``MAX`` takes the least sum, as where a negative multiplier follows; broadcast against the result.

    Returns
    -------
    ndarray of shape (...)
        Of the type of `sums`.

    Examples
    --------
    >>> pool([[3, -5, 4], [3, -5, 4]], Pool.MAX, counts=[1, 1, 0], least=[False, True])
    array([ 3, -5])
    """
    numbers, counted = np.asarray(sums), np.asarray(counts, dtype=bool)
    if mode is Pool.NONE:
        return np.broadcast_to(numbers, np.broadcast_shapes(numbers.shape, counted.shape))[..., -1]
    complete = bool(counted.all())
    if mode is Pool.SUM:
        numbers = numbers if complete else np.where(counted, numbers, numbers.dtype.type(0))
        return numbers.sum(axis=-1, dtype=numbers.dtype)
    turned = np.asarray(least, dtype=bool)
    pooled = np.zeros((), numbers.dtype) if turned.all() else _greatest(numbers, counted, complete)
    if turned.any():
        pooled = np.where(turned, -_greatest(-numbers, counted, complete), pooled)
    return pooled


def _greatest(numbers: NDArray[Any], counted: NDArray[np.bool_], complete: bool) -> NDArray[Any]:
    """Maximum of the numbers that count, 0 where none does."""
    if complete:
        return numbers.max(axis=-1)
    info = np.iinfo(numbers.dtype) if numbers.dtype.kind == "i" else np.finfo(numbers.dtype)
    greatest = np.where(counted, numbers, numbers.dtype.type(info.min)).max(axis=-1)
    return np.where(counted.any(axis=-1), greatest, numbers.dtype.type(0))
