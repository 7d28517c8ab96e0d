"""Numbers of limited width: a golden model refuses what its unit would truncate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .bitplane import integers


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
