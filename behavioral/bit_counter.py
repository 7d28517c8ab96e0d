"""Bit-counter: the ones of a sensed row, in each segment and in all."""

import numpy as np
from numpy.typing import NDArray


def count_bits(row: NDArray[np.uint8], segments: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the ones of rows.

    Parameters
    ----------
    row : ndarray of shape (..., columns), uint8
        Bits; column 0 first.
    segments : int
        Groups of neighbouring columns with a count of their own.

    Returns
    -------
    total : ndarray of shape (...,), int64
    counts : ndarray of shape (..., segments), int64

    Raises
    ------
    ValueError
        If `segments` does not divide the columns.
    """
    columns = row.shape[-1]
    if columns % segments:
        raise ValueError(f"segments must divide columns = {columns}, which {segments} does not")
    counts = row.reshape(*row.shape[:-1], segments, columns // segments).sum(axis=-1, dtype=np.int64)
    return counts.sum(axis=-1), counts
