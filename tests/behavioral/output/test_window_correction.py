import doctest

import numpy as np
import pytest

from spinplane.behavioral import correct_window
from spinplane.behavioral.output import window_correction


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(window_correction) == (0, 1)


@pytest.mark.parametrize(("shift", "scale"), [(1, 1), (1, 3), (2, -5), (0, 128)])
def test_turns_sums_over_codes_into_sums_over_weights(shift: int, scale: int) -> None:
    """Weights 2^shift·c − scale: ±1 for one bit, odd numbers for two, and a zero point."""
    rng = np.random.default_rng(1)
    inputs, codes = rng.integers(-128, 128, (40, 27)), rng.integers(0, 4, (40, 27))
    accumulators = (inputs * codes).sum(axis=1)
    corrected = (accumulators << shift) - correct_window(inputs.sum(axis=1), scale)
    assert (corrected == (inputs * ((codes << shift) - scale)).sum(axis=1)).all()


def test_ends_and_what_is_beyond() -> None:
    assert correct_window([-(2**24), 2**24 - 1], -256).tolist() == [2**32, 256 - 2**32]
    with pytest.raises(OverflowError, match=rf"^window_sums: {2**24} does not fit in 25 bits$"):
        correct_window([2**24], 1)
    with pytest.raises(OverflowError, match=r"^scale: 256 does not fit in 9 bits$"):
        correct_window([1], 256)
