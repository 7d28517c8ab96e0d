import re

import pytest

from spinplane.machine import Rounding, SpinplaneError, load_machine
from spinplane.machine.activation import ActivationConfiguration
from spinplane.machine.descriptor import Requantize
from spinplane.machine.passes import Pass


def test_is_that_of_a_pass() -> None:
    numbers = {
        "requantize": Requantize.THRESHOLDS,
        "absolute": True,
        "shift": 9,
        "rounding": Rounding.HALF_EVEN,
        "low": -128,
        "high": 127,
        "threshold_words": 4,
        "code_shift": 1,
    }
    layer_pass = Pass(machine=load_machine("paper"), **numbers)
    assert layer_pass.activation == ActivationConfiguration(**numbers)


def test_thresholds_are_those_that_are_looked_at() -> None:
    assert ActivationConfiguration(requantize=Requantize.THRESHOLDS, threshold_words=3).thresholds == 12
    assert ActivationConfiguration(threshold_words=3).thresholds == 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"shift": 64}, "shift = 64: must be a whole number from 0 to 63"),
        ({"low": -257}, "low = -257: must be a whole number from -256 to 255"),
        ({"high": 256}, "high = 256: must be a whole number from -256 to 255"),
        ({"low": 4}, "low = 4: must be at most high = 3"),
        (
            {"rounding": 1},
            "rounding = 1: must be one of Rounding.FLOOR, Rounding.HALF_UP, Rounding.HALF_EVEN",
        ),
        (
            {"requantize": 1},
            "requantize = 1: must be one of Requantize.SHIFT, Requantize.THRESHOLDS, Requantize.RAW",
        ),
        ({"absolute": 1}, "absolute = 1: must be True or False"),
        ({"threshold_words": 5}, "threshold_words = 5: must be a whole number from 0 to 4"),
        ({"code_shift": 2}, "code_shift = 2: must be a whole number from 0 to 1"),
        (
            {"high": 128, "code_shift": 1},
            "low = 0, high = 128: must be from -128 to 127 with code_shift = 1",
        ),
        (
            {"low": -129, "code_shift": 1},
            "low = -129, high = 3: must be from -128 to 127 with code_shift = 1",
        ),
        (
            {"low": 248, "high": 255, "requantize": Requantize.THRESHOLDS, "threshold_words": 2},
            "low = 248: must be at most 247 with 8 thresholds",
        ),
        (
            {
                "low": 112,
                "high": 127,
                "requantize": Requantize.THRESHOLDS,
                "threshold_words": 4,
                "code_shift": 1,
            },
            "low = 112: must be at most 111 with 16 thresholds",
        ),
    ],
)
def test_refuses_what_the_unit_cannot_take(fields: dict, text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        ActivationConfiguration(**{"low": 0, "high": 3} | fields)
