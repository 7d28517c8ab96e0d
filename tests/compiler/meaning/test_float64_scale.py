"""The steps of LiteRT's dense layers are where their float64 products are rounded to."""

import numpy as np
import pytest

from spinplane.compiler.meaning.float64_scale import float64_steps

#: Products of the first four lie beside halves, and float64 rounds some of them onto these.
SCALES = (0.3, 0.1, 1 / 3, 0.7, 0.5, 0.25, 3 / 1024, 2.0**-23, 1e-12, 1.0, 17.3)


def rounded(sums: np.ndarray, scale: float) -> np.ndarray:
    product = sums * scale
    whole = np.floor(np.abs(product))
    return np.sign(product) * (whole + (np.abs(product) - whole >= 0.5))


@pytest.mark.parametrize("scale", SCALES)
def test_steps_are_those_of_the_product(scale: float) -> None:
    low, high = -100, 155
    steps = float64_steps(np.array([scale]), low, high)
    near = steps.thresholds[0][:, np.newaxis] + np.arange(-3, 4)
    limits = np.iinfo(np.int32)
    sums = np.concatenate([np.clip(near, limits.min, limits.max).ravel(), np.arange(-3000, 3000)])
    expected = np.clip(rounded(sums, scale), low, high)
    assert (steps.apply(sums.reshape(1, 1, 1, -1)).ravel() == expected).all()


def test_float64_rounds_a_product_onto_a_half() -> None:
    # 0.3 is below 3/10 in float64, but five times it is 1.5.
    steps = float64_steps(np.array([0.3]), -9, 9)
    assert steps.apply(np.array([[[[5, -5, 4]]]])).ravel().tolist() == [2, -2, 1]
