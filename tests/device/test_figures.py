"""Pictures are drawn, and show what they are given."""

from io import BytesIO
from pathlib import Path

import matplotlib.image
import numpy as np

from spinplane.device import load_technology, monte_carlo, write_error_rates, write_pulse
from spinplane.device.figures import draw_sense_levels, draw_switching, draw_write_errors


def colours(path: Path) -> int:
    return len(np.unique(matplotlib.image.imread(path)[..., :3].reshape(-1, 3), axis=0))


def test_pictures_are_drawn(tmp_path: Path) -> None:
    sot = load_technology("sot-mram")
    errors = write_error_rates(sot, 1, pulses=(0.5e-9, 1e-9), count=50)
    drawn = levels, switching, failures = [tmp_path / "new" / f"{at}.png" for at in range(3)]
    draw_sense_levels(levels, monte_carlo(sot, trials=500), "sot-mram")
    draw_switching(switching, [write_pulse(sot, bit) for bit in (0, 1)], "sot-mram", "x")
    draw_write_errors(failures, errors, "sot-mram")
    assert all(colours(path) > 20 for path in drawn)


def test_other_trials_are_another_picture(tmp_path: Path) -> None:
    sot = load_technology("sot-mram")
    first, second = BytesIO(), BytesIO()
    for seed, to in enumerate((first, second)):
        draw_sense_levels(to, monte_carlo(sot, trials=500, seed=seed), "sot-mram")
    assert first.getvalue() != second.getvalue()
