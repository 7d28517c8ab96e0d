import re

import pytest

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.activation import ActivationConfiguration
from spinplane.machine.descriptor import Descriptor, Requantize


def test_is_read_from_a_descriptor() -> None:
    descriptor = Descriptor(
        requantize=1, absolute=1, shift=9, rounding=2, low=-128, high=127, threshold_words=4, code_shift=1
    )
    assert ActivationConfiguration.from_descriptor(descriptor) == ActivationConfiguration(
        requantize=Requantize.THRESHOLDS,
        absolute=True,
        shift=9,
        rounding=Rounding.HALF_EVEN,
        low=-128,
        high=127,
        threshold_words=4,
        code_shift=1,
    )


def test_thresholds_are_those_that_are_looked_at() -> None:
    assert ActivationConfiguration(requantize=Requantize.THRESHOLDS, threshold_words=3).thresholds == 12
    assert ActivationConfiguration(threshold_words=3).thresholds == 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"shift": 64}, "shift = 64: allowed are whole numbers from 0 to 63"),
        ({"low": -257}, "low = -257: allowed are whole numbers from -256 to 255"),
        ({"high": 256}, "high = 256: allowed are whole numbers from -256 to 255"),
        ({"low": 4}, "low = 4: allowed is at most high = 3"),
        (
            {"rounding": 1},
            "rounding = 1: allowed are Rounding.FLOOR, Rounding.HALF_UP, Rounding.HALF_EVEN",
        ),
        (
            {"requantize": 1},
            "requantize = 1: allowed are Requantize.SHIFT, Requantize.THRESHOLDS, Requantize.RAW",
        ),
        ({"absolute": 1}, "absolute = 1: allowed are True and False"),
        ({"threshold_words": 5}, "threshold_words = 5: allowed are whole numbers from 0 to 4"),
        ({"code_shift": 2}, "code_shift = 2: allowed are whole numbers from 0 to 1"),
        (
            {"high": 128, "code_shift": 1},
            "low = 0, high = 128: allowed with code_shift = 1 are -128 to 127",
        ),
        (
            {"low": -129, "code_shift": 1},
            "low = -129, high = 3: allowed with code_shift = 1 are -128 to 127",
        ),
        (
            {"low": 248, "high": 255, "requantize": Requantize.THRESHOLDS, "threshold_words": 2},
            "low = 248: allowed is at most 247 with 8 thresholds",
        ),
        (
            {
                "low": 112,
                "high": 127,
                "requantize": Requantize.THRESHOLDS,
                "threshold_words": 4,
                "code_shift": 1,
            },
            "low = 112: allowed is at most 111 with 16 thresholds",
        ),
    ],
)
def test_refuses_what_the_unit_cannot_take(fields: dict, text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        ActivationConfiguration(**{"low": 0, "high": 3} | fields)


@pytest.mark.parametrize("name", ["requantize", "rounding"])
def test_refuses_codes_that_stand_for_nothing(name: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^descriptor field {name} = 3: allowed are 0 to 2$"):
        ActivationConfiguration.from_descriptor(Descriptor({name: 3}))
