"""Fused multiplication and addition of float32, as processors compute it: rounded once."""

import numpy as np


def fused_multiply_add(codes: np.ndarray, factor: np.float32, addend: np.ndarray) -> np.ndarray:
    """Codes · factor + addend in float32.

    Parameters
    ----------
    codes : ndarray of int64
        Of up to 24 bits, so that the product is a number of float64.
    factor : float32
    addend : ndarray of float32

    Returns
    -------
    ndarray of float32
    """
    product, other = codes.astype(np.float64) * np.float64(factor), addend.astype(np.float64)
    total = product + other
    # If float64 has cut something off (Knuth's two-sum tells), an odd last bit keeps float32 from seeing a tie.
    back = total - product
    rest = (product - (total - back)) + (other - back)
    cut = (rest != 0) & (total.view(np.int64) % 2 == 0)
    return np.where(cut, np.nextafter(total, np.copysign(np.inf, rest)), total).astype(np.float32)
