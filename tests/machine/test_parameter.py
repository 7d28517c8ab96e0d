"""Parameters: units, marks and ranges are checked, values come out in SI units."""

import re
from typing import Any

import pytest

from spinplane.machine import SpinplaneError
from spinplane.machine.parameter import read_parameter

ENTRY = {"value": 1.2, "unit": "nm", "mark": "published", "source": "paper"}
ALLOWED = ("nm", 5e-10, 3e-9)


def test_a_value_comes_out_in_si_units() -> None:
    assert read_parameter("oxide.thickness", ENTRY, ALLOWED).si == pytest.approx(1.2e-9)
    entry = ENTRY | {"value": [0, 0.5, 0.5], "unit": "1"}
    assert read_parameter("free_layer.demagnetisation", entry, ("1", 0.0, 1.0), 3).si == (0.0, 0.5, 0.5)


def test_a_value_may_have_bounds() -> None:
    assert read_parameter("oxide.thickness", ENTRY, ALLOWED).bounds is None
    assert read_parameter("oxide.thickness", ENTRY | {"bounds": [1, 1.4]}, ALLOWED).bounds == (1.0, 1.4)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"value": True}, "oxide.thickness: value = True: must be a number"),
        ({"value": "1"}, "oxide.thickness: value = '1': must be a number"),
        ({"value": float("nan")}, "oxide.thickness: value = nan: must be a number"),
        ({"value": [1.2]}, "oxide.thickness: value = [1.2]: must be a number"),
        ({"value": 4}, "oxide.thickness: value = 4: must be from 0.5 to 3 nm"),
        ({"unit": "V"}, "oxide.thickness: unit = 'V': must be one of nm, µm"),
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
        read_parameter("oxide.thickness", ENTRY | change, ALLOWED)


def test_refuses_a_bare_number_and_a_short_list() -> None:
    with pytest.raises(SpinplaneError, match=r"must be a table \{ value, unit, mark, source \}$"):
        read_parameter("oxide.thickness", 1.2, ALLOWED)
    with pytest.raises(SpinplaneError, match=r"value = \[0, 1\]: must be a list of 3 numbers$"):
        read_parameter(
            "free_layer.demagnetisation", ENTRY | {"value": [0, 1], "unit": "1"}, ("1", 0.0, 1.0), 3
        )
