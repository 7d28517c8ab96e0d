"""Tables of steps against the functions that they stand for."""

import numpy as np
import pytest

from spinplane.behavioral.output.step_table import StepTable


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize("least", [0, 3, -5, 252])
def test_levels_are_those_of_the_function(dtype: type, least: int) -> None:
    rng = np.random.default_rng(least + 9)
    bound, steps, channels = 1000, 6, 40
    # Some steps lie at the bounds, some beyond them; the last channels never rise.
    starts = np.sort(rng.integers(-1300, 1300, (steps, channels)), axis=0)
    starts[:, 0], starts[:, 1], starts[:, 2] = -bound, bound, bound + 1
    direction = rng.choice([-3, 2], channels)
    direction[3] = 0

    def levels(numbers: np.ndarray) -> np.ndarray:
        assert np.abs(numbers).max() <= bound
        rising = numbers * np.where(direction < 0, -1, 1)
        return least + (rising[..., np.newaxis, :] >= starts).sum(axis=-2)

    table = StepTable(levels, direction, bound=bound)
    numbers = np.concatenate(
        [rng.integers(-bound, bound + 1, (500, channels)), np.full((1, channels), bound)]
    )
    numbers = np.concatenate([numbers, np.full((1, channels), -bound)])
    found = table.levels(numbers.astype(dtype))
    np.testing.assert_array_equal(found, levels(numbers))
    assert table.steps == (found.max(axis=0) - found.min(axis=0)).max()
    assert found.dtype == (np.uint8 if found.min() >= 0 and found.max() <= 255 else np.int16)


def test_no_steps_are_one_level() -> None:
    table = StepTable(lambda numbers: numbers * 0 + 4, np.ones(3), bound=9)
    assert table.steps == 0
    assert (table.levels(np.zeros((2, 3), dtype=np.float32)) == 4).all()
