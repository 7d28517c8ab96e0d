"""Products in floating point numbers against products of whole ones, at the edge of what they hold."""

import numpy as np
import pytest

from spinplane.behavioral.array.bit_plane_product import count_ones
from spinplane.behavioral.array.exact_product import Matrix

LIMIT = 1 << 24


@pytest.mark.parametrize(
    ("inputs", "most", "largest", "parts", "centre"),
    [
        (1152, 1, 3, 1, 0),
        (1152, 113, 255, 1, 128),
        (1152, 255, 255, 3, 128),
        (9216, 255, 255, 18, 128),
        (1 << 14, 255 * 128, 1, 32, 0),
    ],
)
def test_every_sum_is_exact(inputs: int, most: int, largest: int, parts: int, centre: int) -> None:
    rng = np.random.default_rng(inputs)
    # The greatest weights and inputs in half of all places, random ones in the others.
    weights = rng.integers(-most, most + 1, (inputs, 8))
    weights[:, ::2] = most
    constants = rng.integers(-most, most, 8)
    codes = rng.integers(0, largest + 1, (30, inputs))
    codes[::3] = largest
    codes[1::3] = 0
    matrix = Matrix(weights.astype(float), largest, constants.astype(float), alike=largest > 1)
    assert (len(matrix._ends), matrix.centre) == (parts, centre)
    wanted = codes @ weights + constants
    assert np.abs(wanted).max() <= matrix.bound
    out = np.empty(wanted.shape, dtype=matrix.type)
    matrix.product((codes - matrix.centre).astype(np.float32), out)
    np.testing.assert_array_equal(out, wanted)


def test_parts_hold_their_sums() -> None:
    magnitude = np.array([[LIMIT], [1], [LIMIT - 1], [1], [LIMIT // 2], [LIMIT // 2]], dtype=float)
    assert Matrix._divide(magnitude) == [(0, 1), (1, 3), (3, 5), (5, 6)]


@pytest.mark.parametrize("words", [1, 3, 1100])
def test_ones_are_counted_in_blocks(words: int) -> None:
    rng = np.random.default_rng(words)
    inputs = rng.integers(0, 1 << 63, (2, words, 50), dtype=np.uint64) << np.uint64(1)
    kernels = rng.integers(0, 1 << 63, (3, 2, words, 7), dtype=np.uint64)
    inputs[0, :, 0], kernels[2, 0, :, 0] = ~np.uint64(0), ~np.uint64(0)
    wanted, signs = np.zeros((50, 7), dtype=np.int64), (1, 1, -1)
    for n in range(3):
        for plane in range(2):
            ones = np.bitwise_count(inputs[plane][:, :, np.newaxis] & kernels[n, plane][:, np.newaxis])
            wanted += signs[n] * ones.sum(axis=0, dtype=np.int64) << (n + plane)
    np.testing.assert_array_equal(count_ones(inputs, kernels, signs, np.int64), wanted)
