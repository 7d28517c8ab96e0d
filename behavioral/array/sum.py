"""Sum: the accumulators of a sub-array."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class Sum:
    """Signed accumulators that refuse to wrap.

    Parameters
    ----------
    lanes : int
        Number of accumulators.
    width : int
        Bits of an accumulator, at most 62.

    Attributes
    ----------
    accumulators : ndarray of shape (lanes,), int64
    """

    def __init__(self, lanes: int, width: int) -> None:
        self.width = width
        self.accumulators = np.zeros(lanes, np.int64)

    def add(
        self, values: ArrayLike, *, carry: bool = False, clear: bool = False, emit: bool = False
    ) -> NDArray[np.int64] | None:
        """Add one payload.

        Parameters
        ----------
        values : array_like of int, shape (lanes,)
        carry : bool
            Add 1 more, as values are ones' complements of what is subtracted.
        clear : bool
            Start from 0.
        emit : bool
            Hand out the new sums.

        Returns
        -------
        ndarray of shape (lanes,), int64, or None
            The new sums with `emit`.

        Raises
        ------
        OverflowError
            If a sum does not fit in an accumulator: ``accumulator 3: 120 + 9 does not fit in 8 bits``.
        """
        base = np.zeros_like(self.accumulators) if clear else self.accumulators
        values = np.asarray(values, np.int64) + carry
        sums = base + values
        limit = 1 << (self.width - 1)
        outside = np.flatnonzero((sums < -limit) | (sums >= limit))
        if outside.size:
            lane = outside[0]
            raise OverflowError(
                f"accumulator {lane}: {base[lane]} + {values[lane]} does not fit in {self.width} bits"
            )
        self.accumulators = sums
        return sums.copy() if emit else None
