"""Bit-counter: the ones of a sensed row, slot by slot, those of plane p counting 2^p."""

import numpy as np
from numpy.typing import NDArray


def count_bits(row: NDArray[np.uint8], slots: int = 1, planes: int = 1) -> NDArray[np.int64]:
    """Count the ones of rows.

    Parameters
    ----------
    row : ndarray of shape (..., columns), uint8
        Bits; column 0 first.
    slots : int
        Groups of neighbouring columns with a count of their own.
    planes : int
        Equal sub-blocks of a slot; the ones of number p count 2^p.

    Returns
    -------
    ndarray of shape (..., slots), int64

    Raises
    ------
    ValueError
        If the sub-blocks do not divide the columns.
    """
    columns = row.shape[-1]
    if columns % (slots * planes):
        raise ValueError(f"slots × planes must divide columns = {columns}, not {slots} × {planes}")
    blocks = row.reshape(*row.shape[:-1], slots, planes, columns // (slots * planes))
    return blocks.sum(axis=-1, dtype=np.int64) @ (1 << np.arange(planes, dtype=np.int64))
