"""The paper's modified row decoder: two single-line decoders ORed."""

import numpy as np
from numpy.typing import NDArray

from .row_decoder import decode_row


def decode_two_rows(
    address_a: int, enable_a: bool, address_b: int, enable_b: bool, rows: int
) -> NDArray[np.uint8]:
    """Word lines of the multi-line row decoder.

    Parameters
    ----------
    address_a, address_b : int
    enable_a, enable_b : bool
    rows : int

    Returns
    -------
    ndarray of shape (rows,), uint8
        1 for each of the at most two selected rows.
    """
    return decode_row(address_a, enable_a, rows) | decode_row(address_b, enable_b, rows)
