"""Numbers of limited width: a golden model refuses what its unit would truncate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .bitplane import integers

Integers = NDArray[np.int64]


def signed_integers(values: ArrayLike, bits: int, name: str) -> NDArray[np.int64]:
    """`values` as int64, if they fit.

    Parameters
    ----------
    values : array_like of int, any shape
    bits : int
        Of a number in two's complement, 1 to 64.
    name : str
        What the values are called in an error.

    Raises
    ------
    TypeError
        If they are not integers.
    OverflowError
        If one does not fit, naming it.

    Examples
    --------
    >>> signed_integers([-8, 7], 4, "codes")
    array([-8,  7])
    """
    numbers = integers(values, name)
    least = -(1 << (bits - 1))
    outside = (numbers < least) | (numbers > -least - 1)
    if outside.any():
        raise OverflowError(f"{name}: {numbers[outside].flat[0]} does not fit in {bits} bits")
    return numbers


def wrapped(numbers: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """The lower bits of numbers in two's complement, as signed numbers.

    Examples
    --------
    >>> wrapped(np.array([7, 8, -9]), 4)
    array([ 7, -8,  7])
    """
    limit = 1 << (bits - 1)
    return (numbers + limit & (2 * limit - 1)) - limit


def fit(
    numbers: Integers, bits: int, name: str, *, wraps: bool, where: NDArray[np.bool_] | bool = True
) -> Integers:
    """Numbers of so many bits; no width is proven for wrong bits: they wrap, as in the RTL.

    Raises
    ------
    OverflowError
        If one of those that count, `where`, does not fit, and they do not wrap.
    """
    limit = 1 << (bits - 1)
    outside = (numbers < -limit) | (numbers >= limit)
    if not outside.any():
        return numbers
    refused = outside & where
    if refused.any() and not wraps:
        raise OverflowError(f"{name} {numbers[refused][0]} does not fit in {bits} bits")
    return wrapped(numbers, bits)


def float32_integers(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """What float32 keeps of whole numbers: 24 significant bits, halves to even.

    Examples
    --------
    >>> float32_integers(np.array([2**24 - 1, 2**24 + 1, -(2**24) - 3]))
    array([ 16777215,  16777216, -16777220])
    """
    kept = np.asarray(numbers.astype(np.float32))
    # 2^63 has no place in an int64; its bits are those of −2^63.
    return np.where(kept >= 2.0**63, np.float32(-(2.0**63)), kept).astype(np.int64)
