"""Golden model of pooling: the scaled values of a region's windows become one."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.descriptor import PoolAt


def pool(
    values: ArrayLike, mode: PoolAt, *, counts: ArrayLike = True, negative: ArrayLike = False
) -> NDArray[Any]:
    """Sum, maximum or minimum over the windows of a region, the last axis; 0 where none counts.

    Parameters
    ----------
    values : array_like of numbers, shape (..., windows)
        Of any type that holds the sums.
    mode : PoolAt
        With ``NONE`` the last window's value, whether it counts or not.
    counts : array_like of bool
        Windows that count, broadcast against `values`.
    negative : array_like of bool
        Where the multiplier is negative, so that ``MAX_BEFORE`` takes the least value; broadcast against the result.

    Returns
    -------
    ndarray of shape (...)
        Of the type of `values`.

    Examples
    --------
    >>> pool([[3, -5, 4], [3, -5, 4]], PoolAt.MAX_BEFORE, counts=[1, 1, 0], negative=[False, True])
    array([ 3, -5])
    """
    numbers, counted = np.asarray(values), np.asarray(counts, dtype=bool)
    if mode is PoolAt.NONE:
        return np.broadcast_to(numbers, np.broadcast_shapes(numbers.shape, counted.shape))[..., -1]
    complete = bool(counted.all())
    if mode is PoolAt.SUM:
        numbers = numbers if complete else np.where(counted, numbers, numbers.dtype.type(0))
        return numbers.sum(axis=-1, dtype=numbers.dtype)
    least = np.asarray(negative, dtype=bool) & (mode is PoolAt.MAX_BEFORE)
    pooled = _greatest(numbers, counted, complete) if not least.all() else np.zeros((), numbers.dtype)
    if least.any():
        pooled = np.where(least, -_greatest(-numbers, counted, complete), pooled)
    return pooled


def _greatest(numbers: NDArray[Any], counted: NDArray[np.bool_], complete: bool) -> NDArray[Any]:
    """Maximum of the numbers that count, 0 where none does."""
    if complete:
        return numbers.max(axis=-1)
    info = np.iinfo(numbers.dtype) if numbers.dtype.kind == "i" else np.finfo(numbers.dtype)
    greatest = np.where(counted, numbers, numbers.dtype.type(info.min)).max(axis=-1)
    return np.where(counted.any(axis=-1), greatest, numbers.dtype.type(0))
