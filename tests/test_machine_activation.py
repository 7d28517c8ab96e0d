import re

import pytest

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.activation import ActivationConfiguration
from spinplane.machine.descriptor import Descriptor, Requantize


def test_is_read_from_a_descriptor() -> None:
    descriptor = Descriptor(requantize=1, absolute=1, shift=9, rounding=2, low=-256, high=255)
    descriptor.set_thresholds([-(2**47), -1, 0, 2**47 - 1])
    assert ActivationConfiguration.from_descriptor(descriptor) == ActivationConfiguration(
        requantize=Requantize.THRESHOLDS,
        absolute=True,
        shift=9,
        rounding=Rounding.HALF_EVEN,
        low=-256,
        high=255,
        thresholds=(-(2**47), -1, 0, 2**47 - 1),
    )


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
        ({"thresholds": (0,) * 16}, "16 thresholds: allowed are at most 15"),
        (
            {"thresholds": (2**47,)},
            f"thresholds = {2**47}: allowed are whole numbers from {-(2**47)} to {2**47 - 1}",
        ),
        ({"thresholds": (1, 0)}, "thresholds = (1, 0): allowed are ascending ones"),
        (
            {"low": 254, "high": 255, "thresholds": (0, 0)},
            "low = 254: allowed is at most 253 with 2 thresholds",
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
