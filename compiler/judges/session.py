"""What the sessions of all executors have in common."""

from typing import Protocol

import numpy as np


class Session(Protocol):
    """A file that is ready to run, one image at a time.

    Parameters
    ----------
    shape : tuple of int
        Of the file's input, with its own batch; less than 1 where a side is free.
    dtype : dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The requested tensors, for an input of this shape and type."""
