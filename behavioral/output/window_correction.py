"""Golden model of the window correction: the excess of a sum over unsigned weight codes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.output_stage import WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ..fixed_point import signed_integers


def correct_window(window_sums: ArrayLike, scale: int) -> NDArray[np.int64]:
    """Scale · window sum.

    A weight that is 2^s·c − o for a code c adds up to (Σ I·c << s) − o·Σ I: o is the scale, Σ I the window sum.

    Parameters
    ----------
    window_sums : array_like of int, any shape
        Sums of the input codes of a window, signed with 25 bits.
    scale : int
        Signed with 9 bits.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    OverflowError
        If a number does not fit in its bits.

    Examples
    --------
    >>> correct_window([3, 5], -2)
    array([ -6, -10])
    """
    sums = signed_integers(window_sums, WINDOW_SUM_BITS, "window_sums")
    return sums * signed_integers(scale, WINDOW_SCALE_BITS, "scale")
