import doctest
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import activate
from spinplane.behavioral.output import activation
from spinplane.machine import Rounding
from spinplane.machine.activation import ActivationConfiguration
from spinplane.machine.descriptor import Requantize


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(activation) == (0, 2)


@given(
    signed(63),
    signed(48),
    signed(9),
    signed(24),
    st.integers(0, 63),
    st.sampled_from(Rounding),
    st.booleans(),
    st.integers(0, 1),
)
def test_shift_is_exact(
    value: int,
    offset: int,
    residual: int,
    multiplier: int,
    shift: int,
    rounding: Rounding,
    absolute: bool,
    code_shift: int,
) -> None:
    low, high = -256 >> code_shift, 255 >> code_shift
    configuration = ActivationConfiguration(
        absolute=absolute, shift=shift, rounding=rounding, low=low, high=high, code_shift=code_shift
    )
    y = value + offset + residual * multiplier
    exact = Fraction(abs(y) if absolute else y, 2**shift)
    rounded = {
        Rounding.FLOOR: math.floor(exact),
        Rounding.HALF_UP: math.floor(exact + Fraction(1, 2)),
        Rounding.HALF_EVEN: round(exact),
    }[rounding]
    code = activate(value, configuration, offsets=offset, residuals=residual, residual_multipliers=multiplier)
    assert code == min(max(rounded, low), high) * 2**code_shift


@given(
    signed(63) | signed(33), st.lists(st.lists(signed(32), min_size=4, max_size=4), max_size=4), st.booleans()
)
def test_thresholds_are_counted(value: int, words: list[list[int]], absolute: bool) -> None:
    configuration = ActivationConfiguration(
        requantize=Requantize.THRESHOLDS, absolute=absolute, low=-8, threshold_words=len(words), code_shift=1
    )
    y = abs(value) if absolute else value
    thresholds = [threshold for word in words for threshold in word]
    expected = 2 * (-8 + sum(threshold <= y for threshold in thresholds))
    assert activate(value, configuration, thresholds=thresholds) == expected


def test_every_channel_has_thresholds_of_its_own() -> None:
    configuration = ActivationConfiguration(requantize=Requantize.THRESHOLDS, threshold_words=1)
    thresholds = [[1, 2, 3, 4], [-4, -3, -2, -1]]
    assert activate([[0, 0], [2, -3]], configuration, thresholds=thresholds).tolist() == [[0, 4], [2, 2]]
    with pytest.raises(ValueError, match=r"^3 thresholds: threshold_words = 1 are 4$"):
        activate(0, configuration, thresholds=[1, 2, 3])


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_thresholds_say_the_tanh_of_the_paper(bits: int) -> None:
    """(tanh x + 1)/2 quantized by Eq. 4, x in units of 1/256."""
    steps = 2**bits - 1
    thresholds = [math.ceil(256 * math.atanh(2 * (j + 0.5) / steps - 1)) for j in range(steps)]
    thresholds += [2**31 - 1] * (-steps % 4)
    configuration = ActivationConfiguration(
        requantize=Requantize.THRESHOLDS, threshold_words=len(thresholds) // 4
    )
    sums = np.arange(-1500, 1500)
    levels = np.floor(steps * (np.tanh(sums / 256) + 1) / 2 + 0.5)
    assert (activate(sums, configuration, thresholds=thresholds) == levels).all()


def test_raw_is_the_value() -> None:
    raw = ActivationConfiguration(requantize=Requantize.RAW)
    ends = [-(2**31), 2**31 - 1]
    assert activate(ends, raw).tolist() == ends
    assert activate([[-5], [3]], raw, offsets=[1, 2], residuals=2, residual_multipliers=-4).tolist() == [
        [-12, -11],
        [-4, -3],
    ]
    with pytest.raises(OverflowError, match=f"^raw values: {2**31} does not fit in 32 bits$"):
        activate(ends, ActivationConfiguration(requantize=Requantize.RAW, absolute=True))


@pytest.mark.parametrize(
    ("value", "others", "text"),
    [
        (2**62, {}, f"values: {2**62} does not fit in 63 bits"),
        (0, {"offsets": 2**47}, f"offsets: {2**47} does not fit in 48 bits"),
        (0, {"residuals": 256}, "residuals: 256 does not fit in 9 bits"),
        (0, {"residual_multipliers": 2**23}, f"residual_multipliers: {2**23} does not fit in 24 bits"),
    ],
)
def test_refuses_numbers_that_do_not_fit(value: int, others: dict[str, int], text: str) -> None:
    with pytest.raises(OverflowError, match=f"^{text}$"):
        activate(value, ActivationConfiguration(), **others)
