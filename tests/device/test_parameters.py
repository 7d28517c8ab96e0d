"""Parameters: units, marks and ranges are checked, values come out in SI units."""

import re
from typing import Any

import pytest

from spinplane.device.parameters import BY_RESISTANCE, BY_TORQUE, COMMON, OPTIONAL, UNITS, read_parameter
from spinplane.machine import SpinplaneError

ENTRY = {"value": 1.2, "unit": "nm", "mark": "published", "source": "paper"}
KNOWN = {"oxide.thickness": ("nm", 5e-10, 3e-9)} | OPTIONAL


def test_a_value_comes_out_in_si_units() -> None:
    assert read_parameter("oxide.thickness", ENTRY, KNOWN).si == pytest.approx(1.2e-9)
    entry = ENTRY | {"value": [0, 0.5, 0.5], "unit": "1"}
    assert read_parameter("free_layer.demagnetisation", entry, KNOWN).si == (0.0, 0.5, 0.5)


def test_a_value_may_have_bounds() -> None:
    assert read_parameter("oxide.thickness", ENTRY, KNOWN).bounds is None
    assert read_parameter("oxide.thickness", ENTRY | {"bounds": [1, 1.4]}, KNOWN).bounds == (1.0, 1.4)


def test_every_key_has_a_unit_that_fits() -> None:
    tables = [COMMON, OPTIONAL, *BY_TORQUE.values(), *BY_RESISTANCE.values()]
    assert all(unit in UNITS and low < high for table in tables for unit, low, high in table.values())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"value": True}, "oxide.thickness: value = True: must be a number"),
        ({"value": "1"}, "oxide.thickness: value = '1': must be a number"),
        ({"value": float("nan")}, "oxide.thickness: value = nan: must be a number"),
        ({"value": [1.2]}, "oxide.thickness: value = [1.2]: must be a number"),
        ({"value": 4}, "oxide.thickness: value = 4: must be from 0.5 to 3 nm"),
        ({"unit": "V"}, "oxide.thickness: unit = 'V': must be one of nm"),
        (
            {"mark": "guessed"},
            "oxide.thickness: mark = 'guessed': must be one of measured, published, derived, assumed",
        ),
        (
            {"bounds": [1.3, 1.4]},
            "oxide.thickness: bounds = [1.3, 1.4]: must be two numbers around the value 1.2",
        ),
        ({"bounds": [1]}, "oxide.thickness: bounds = [1]: must be two numbers around the value 1.2"),
        ({"bounds": 1}, "oxide.thickness: bounds = 1: must be two numbers around the value 1.2"),
        ({"source": " "}, "oxide.thickness: source = ' ': must be text that says where the value is from"),
    ],
)
def test_refuses_a_bad_entry(change: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        read_parameter("oxide.thickness", ENTRY | change, KNOWN)


def test_refuses_a_bare_number_and_a_short_list() -> None:
    with pytest.raises(SpinplaneError, match=r"must be a table \{ value, unit, mark, source \}$"):
        read_parameter("oxide.thickness", 1.2, KNOWN)
    with pytest.raises(SpinplaneError, match=r"value = \[0, 1\]: must be a list of 3 numbers$"):
        read_parameter("free_layer.demagnetisation", ENTRY | {"value": [0, 1], "unit": "1"}, KNOWN)
