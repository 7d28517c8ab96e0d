"""A large layer's kernels, a few at a time, so that their intermediate results stay in the processor's cache."""

from collections.abc import Iterator

import numpy as np

#: Weights of a block; as int64 they take 1 MiB.
_BLOCK = 1 << 17


def kernel_blocks(weights: np.ndarray) -> Iterator[slice]:
    """Consecutive kernels, block by block.

    Parameters
    ----------
    weights : ndarray of shape (kernels, ...)

    Yields
    ------
    slice
        Along the first axis.
    """
    at_once = max(1, _BLOCK * len(weights) // max(1, weights.size))
    for first in range(0, len(weights), at_once):
        yield slice(first, first + at_once)


def by_kernel(weights: np.ndarray) -> Iterator[np.ndarray]:
    """Weights of the blocks of `kernel_blocks`, one kernel a row, shape (n, weights of a kernel), int64."""
    for block in kernel_blocks(weights):
        some = weights[block]
        yield some.reshape(len(some), -1).astype(np.int64, copy=False)
