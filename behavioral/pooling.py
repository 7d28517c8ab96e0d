"""Golden model of pooling: the scaled values of a region's windows become one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.descriptor import PoolAt

_LEAST = np.iinfo(np.int64).min


def pool(
    values: ArrayLike, mode: PoolAt, *, counts: ArrayLike = True, negative: ArrayLike = False
) -> NDArray[np.int64]:
    """Sum, maximum or minimum over the windows of a region, the last axis; 0 where none counts.

    Parameters
    ----------
    values : array_like of int, shape (..., windows)
    mode : PoolAt
        With ``NONE`` the last window's value, whether it counts or not.
    counts : array_like of bool
        Windows that count, broadcast against `values`.
    negative : array_like of bool
        Where the multiplier is negative, so that ``MAX_BEFORE`` takes the least value; broadcast against the result.

    Returns
    -------
    ndarray of shape (...), int64

    Examples
    --------
    >>> pool([[3, -5, 4], [3, -5, 4]], PoolAt.MAX_BEFORE, counts=[1, 1, 0], negative=[False, True])
    array([ 3, -5])
    """
    numbers, counted = np.broadcast_arrays(np.asarray(values, dtype=np.int64), np.asarray(counts, dtype=bool))
    if mode is PoolAt.NONE:
        return numbers[..., -1]
    if mode is PoolAt.SUM:
        return np.where(counted, numbers, 0).sum(axis=-1)
    sign = np.where(np.asarray(negative, dtype=bool) & (mode is PoolAt.MAX_BEFORE), -1, 1)
    greatest = np.where(counted, sign[..., np.newaxis] * numbers, _LEAST).max(axis=-1)
    return np.where(counted.any(axis=-1), sign * greatest, 0)
