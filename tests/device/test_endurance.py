"""How long an array lasts."""

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.endurance import endurance
from spinplane.machine import SpinplaneError


def test_the_busiest_row_and_all_rows_together() -> None:
    """28 of 999 writes an image in one of 512 rows, at 21 330 images a second and 1e11 cycles."""
    writes = np.zeros(512, dtype=np.int64)
    writes[:36], writes[0] = 27, 54
    found = endurance(load_technology("sot-mram"), writes, 1e4)
    assert found.as_placed_s == pytest.approx(1e11 / (54 * 1e4))
    assert found.levelled_s == pytest.approx(1e11 / (999 / 512 * 1e4))


def test_without_a_pause_a_row_lasts_for_minutes() -> None:
    once = np.zeros(512, dtype=np.int64)
    once[7] = 1
    found = endurance(load_technology("sot-mram"), once, 1 / 4e-9)
    assert found.as_placed_s == pytest.approx(400)
    assert found.levelled_s == pytest.approx(512 * 400)


def test_refuses_what_writes_nothing() -> None:
    with pytest.raises(SpinplaneError, match=r"^endurance: no row is written$"):
        endurance(load_technology("sot-mram"), np.zeros(4, dtype=np.int64), 1.0)
