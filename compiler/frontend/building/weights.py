"""Weights as integers with exact scales."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import Operand


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Quantized constants: real = scale · value.

    Parameters
    ----------
    values : ndarray of int64
        Codes less their zero points.
    scale : ndarray of Fraction
        Of the values' rank (0 or more axes), and spread over them.
    operand : Operand, optional
        That holds all values; without, they need more than 8 bits.
    """

    values: np.ndarray
    scale: np.ndarray
    operand: Operand | None
