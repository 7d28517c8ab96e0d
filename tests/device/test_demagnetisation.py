"""Demagnetisation factors against limits, a published value and a sum in real space."""

import numpy as np
import pytest

from spinplane.device.demagnetisation import circular_cylinder, elliptic_cylinder


@pytest.mark.parametrize(("aspect", "factor"), [(1.0, 0.3116), (0.1, 0.7967), (10.0, 0.0412)])
def test_circular_cylinder_as_tabulated(aspect: float, factor: float) -> None:
    # Chen, Brug, Goldfarb, IEEE Trans. Magn. 27, 3601 (1991), magnetometric factors.
    assert float(circular_cylinder(np.array(aspect))) == pytest.approx(factor, abs=1e-4)


def test_a_circle_is_symmetric_and_the_factors_sum_to_1() -> None:
    x, y, z = elliptic_cylinder(50e-9, 50e-9, 5e-9)
    assert x == pytest.approx(y, rel=1e-12)
    assert x + y + z == pytest.approx(1, rel=1e-12)
    assert z == pytest.approx(float(circular_cylinder(np.array(0.1))), rel=1e-9)


def test_thin_films_tend_to_1_out_of_the_plane() -> None:
    factors = [elliptic_cylinder(90e-9, 45e-9, t)[2] for t in (8e-9, 4e-9, 2e-9, 1e-12)]
    assert factors == sorted(factors)
    assert factors[-1] == pytest.approx(1, abs=1e-3)


def test_the_long_axis_has_the_smallest_factor_and_turning_swaps() -> None:
    x, y, z = elliptic_cylinder(90e-9, 45e-9, 2e-9)
    assert x < y < z
    assert elliptic_cylinder(45e-9, 90e-9, 2e-9) == pytest.approx((y, x, z), rel=1e-12)


def test_an_ellipse_by_a_sum_of_surface_charges() -> None:
    """Mean field of the charges on top and bottom of the cylinder, at points drawn inside it."""
    a, b, t = 2.0, 1.0, 1.5
    random = np.random.default_rng(1)
    inside = random.uniform(-1, 1, (400_000, 2))
    inside = inside[(inside**2).sum(axis=1) < 1] * (a, b)
    half = len(inside) // 2
    source, point = inside[:half], inside[half : 2 * half]
    square = ((source - point) ** 2).sum(axis=1)
    z = random.uniform(0, t, half)
    area = np.pi * a * b
    field = area / (4 * np.pi) * np.mean(2 * z / (square + z * z) ** 1.5)
    assert elliptic_cylinder(2 * a, 2 * b, t)[2] == pytest.approx(field, rel=0.03)
