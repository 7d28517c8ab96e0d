import dataclasses
import re

import pytest

from spinplane.machine import QuantizerConfiguration, Rounding, SpinplaneError


def test_extremes_are_allowed():
    QuantizerConfiguration(
        multiplier=2**16 - 1, offset=-(2**47), shift=47, rounding=Rounding.HALF_EVEN, low=-256, high=255
    )
    QuantizerConfiguration(multiplier=0, offset=2**47 - 1, shift=0, low=7, high=7)


def test_is_the_identity_but_for_the_clipping():
    configuration = QuantizerConfiguration(low=0, high=15)
    assert (configuration.multiplier, configuration.offset, configuration.shift) == (1, 0, 0)
    assert configuration.rounding is Rounding.FLOOR


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"multiplier": 2**16}, "multiplier = 65536: allowed are whole numbers from 0 to 65535"),
        ({"multiplier": -1}, "multiplier = -1: allowed are whole numbers from 0 to 65535"),
        ({"multiplier": 1.5}, "multiplier = 1.5: allowed are whole numbers from 0 to 65535"),
        (
            {"offset": 2**47},
            f"offset = {2**47}: allowed are whole numbers from {-(2**47)} to {2**47 - 1}",
        ),
        ({"shift": 48}, "shift = 48: allowed are whole numbers from 0 to 47"),
        ({"low": -257}, "low = -257: allowed are whole numbers from -256 to 255"),
        ({"high": 256}, "high = 256: allowed are whole numbers from -256 to 255"),
        ({"low": 4, "high": 3}, "low = 4: allowed is at most high = 3"),
        (
            {"rounding": 1},
            "rounding = 1: allowed are Rounding.FLOOR, Rounding.HALF_UP, Rounding.HALF_EVEN",
        ),
    ],
)
def test_refuses_what_the_unit_cannot_take(fields, text):
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        QuantizerConfiguration(**{"low": 0, "high": 3} | fields)


def test_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        QuantizerConfiguration(low=0, high=3).low = 1
