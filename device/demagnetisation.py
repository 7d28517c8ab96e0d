"""Demagnetisation factors of an elliptic cylinder."""

import numpy as np
from scipy.special import ellipe, ellipk

_ANGLES = 512


def circular_cylinder(aspect: np.ndarray) -> np.ndarray:
    """Factor along the axis of a uniformly magnetised circular cylinder.

    Parameters
    ----------
    aspect : ndarray
        Length of the cylinder over its diameter, above 0.

    Returns
    -------
    ndarray

    Notes
    -----
    R. I. Joseph, J. Appl. Phys. 37, 4639 (1966), the magnetometric factor by complete elliptic integrals.
    """
    square = aspect * aspect
    modulus = 1 / (1 + square)
    bracket = np.sqrt(1 + square) * (square * ellipk(modulus) + (1 - square) * ellipe(modulus)) - 1
    return 1 - 4 * bracket / (3 * np.pi * aspect)


def elliptic_cylinder(length_m: float, width_m: float, thickness_m: float) -> tuple[float, float, float]:
    """Factors along length, width and thickness.

    Parameters
    ----------
    length_m, width_m : float
        Axes of the ellipse in m.
    thickness_m : float
        In m.

    Returns
    -------
    n_length, n_width, n_thickness : float
        Their sum is 1.

    Notes
    -----
    In Fourier space the shape is 2·J1(q)/q along q = (kx·a, ky·b) and sinc(kz·t/2). Integrated over kz and over
    the length of q, each direction of q is a circular cylinder of aspect κ·t/2, with κ² = cos²/a² + sin²/b²:
    the factors are averages of 1 − N(κ·t/2) with the weights cos²/(a²κ²) and sin²/(b²κ²).
    """
    # A periodic function: equal steps converge faster than any power of their number.
    angle = (np.arange(_ANGLES) + 0.5) * (2 * np.pi / _ANGLES)
    along, across = 2 * np.cos(angle) / length_m, 2 * np.sin(angle) / width_m
    square = along * along + across * across
    in_plane = 1 - circular_cylinder(np.sqrt(square) * thickness_m / 2)
    n_length = float(np.mean(along * along / square * in_plane))
    n_width = float(np.mean(across * across / square * in_plane))
    return n_length, n_width, 1 - n_length - n_width
