"""Row decoder: an address becomes one word line."""

import numpy as np
from numpy.typing import NDArray


def decode_row(address: int, enable: bool, rows: int) -> NDArray[np.uint8]:
    """Word lines of a single-line row decoder.

    Parameters
    ----------
    address : int
        Row to select; none for an address that is not below `rows`.
    enable : bool
    rows : int

    Returns
    -------
    ndarray of shape (rows,), uint8
        1 for the selected row while `enable` holds.
    """
    word_lines = np.zeros(rows, np.uint8)
    if enable and address < rows:
        word_lines[address] = 1
    return word_lines
