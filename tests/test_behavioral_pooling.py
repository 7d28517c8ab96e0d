import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import pool, pool2d
from spinplane.machine import PoolMode, Rounding, SpinplaneError

VALUES = [3, -7, 5, 2, 2, -1, 9]
LAST = [0, 0, 1, 1, 0, 1, 0]


def test_regions_of_a_stream():
    assert pool(VALUES, LAST, PoolMode.SUM, shift=3).tolist() == [1, 2, 1]
    assert pool(VALUES, LAST, PoolMode.MAX, shift=3).tolist() == [5, 2, 2]
    assert pool(VALUES, LAST, PoolMode.AVERAGE, shift=1, rounding=Rounding.FLOOR).tolist() == [0, 1, 0]
    assert pool(VALUES, LAST, PoolMode.AVERAGE, shift=1, rounding=Rounding.HALF_UP).tolist() == [1, 1, 1]
    assert pool(VALUES, LAST, PoolMode.AVERAGE, shift=1, rounding=Rounding.HALF_EVEN).tolist() == [0, 1, 0]


@pytest.mark.parametrize("mode", PoolMode)
def test_a_region_that_does_not_end_yields_nothing(mode):
    assert pool([1, 2], [0, 0], mode).tolist() == []
    assert pool(np.zeros(0, dtype=np.int64), [], mode).tolist() == []


def test_a_sum_that_does_not_fit_is_refused():
    text = f"a sum of 2 values up to {2**62} may not fit in 64 bits"
    with pytest.raises(OverflowError, match=f"^{text}$"):
        pool([2**62, 2**62], [0, 1], PoolMode.SUM)
    assert pool([2**62, 2**62], [0, 1], PoolMode.MAX).tolist() == [2**62]


def test_layer_by_hand():
    image = np.array([[[[1, 2, -3, -4], [3, 5, -6, -9]]]])
    assert pool2d(image, 2, PoolMode.SUM).tolist() == [[[[11, -22]]]]
    assert pool2d(image, 2, PoolMode.MAX).tolist() == [[[[5, -3]]]]
    assert pool2d(image, 2, PoolMode.AVERAGE).tolist() == [[[[2, -6]]]]
    assert pool2d(image, 2, PoolMode.AVERAGE, rounding=Rounding.HALF_UP).tolist() == [[[[3, -5]]]]
    assert pool2d(image, 2, PoolMode.AVERAGE, rounding=Rounding.HALF_EVEN).tolist() == [[[[3, -6]]]]
    assert pool2d(image, (1, 4), PoolMode.AVERAGE).tolist() == [[[[-1], [-2]]]]
    assert pool2d(image, (2, 3), PoolMode.SUM, stride=1).tolist() == [[[[2, -15]]]]


def test_padding_adds_zeros_to_sums_and_stays_out_of_maxima():
    image = np.full((1, 1, 2, 2), -8)
    assert pool2d(image, 2, PoolMode.MAX, padding=1).tolist() == [[[[-8, -8], [-8, -8]]]]
    assert pool2d(image, 2, PoolMode.AVERAGE, padding=1).tolist() == [[[[-2, -2], [-2, -2]]]]
    assert pool2d(image, 2, PoolMode.SUM, padding=(1, 0, 0, 0)).tolist() == [[[[-16]]]]


@given(st.data())
def test_layers_equal_plain_loops(data):
    height, width, down, right = (data.draw(st.integers(1, 3)) for _ in range(4))
    mode, rounding = data.draw(st.sampled_from(PoolMode)), data.draw(st.sampled_from(Rounding))
    if mode is PoolMode.AVERAGE:
        height, width = (min(size, 2) for size in (height, width))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    images = rng.integers(-100, 100, (2, 3, data.draw(st.integers(3, 7)), data.draw(st.integers(3, 7))))
    pooled = pool2d(images, (height, width), mode, stride=(down, right), rounding=rounding)
    for (b, c, y, x), result in np.ndenumerate(pooled):
        region = images[b, c, y * down : y * down + height, x * right : x * right + width]
        assert region.shape == (height, width)
        if mode is PoolMode.MAX:
            assert result == max(region.flat)
        elif mode is PoolMode.SUM:
            assert result == sum(region.flat)
        else:
            mean = Fraction(int(region.sum()), region.size)
            half_up = (mean + Fraction(1, 2)).__floor__()
            assert result == {0: mean.__floor__(), 1: half_up, 2: round(mean)}[rounding.value]


@pytest.mark.parametrize(
    ("mode", "region", "padding", "text"),
    [
        (
            PoolMode.AVERAGE,
            3,
            0,
            "average over a region of 3×3 = 9 values: allowed are powers of two; "
            "for others take the sum, whose division belongs to requantization",
        ),
        (
            PoolMode.MAX,
            (1, 2),
            1,
            "padding = 1: allowed is less than the region of 1×2, whose maximum would be that of nothing",
        ),
        (PoolMode.SUM, 9, 1, "a kernel that spans 9×9 is larger than the padded input of 8×8"),
        (PoolMode.SUM, 0, 0, "region = 0: allowed is a whole number from 1 up, or (height, width)"),
    ],
)
def test_refuses_geometry_that_does_not_fit(mode, region, padding, text):
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        pool2d(np.zeros((1, 1, 6, 6), dtype=int), region, mode, padding=padding)


def test_refuses_what_are_no_images():
    text = "images of shape (6, 6): expected (batch, channels, height, width)"
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        pool2d(np.zeros((6, 6), dtype=int), 2, PoolMode.MAX)
