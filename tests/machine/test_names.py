"""Names that files give to things."""

from typing import Any

import pytest

from spinplane.machine import SpinplaneError, check_name


@pytest.mark.parametrize("name", ["a", "0", "_", "-", "sky130_fd_sc_hd__and2_1", "sot-mram"])
def test_plain_names_pass(name: str) -> None:
    assert check_name("cell", name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\n", "a.b", "a;b", "../a", "$a", "`a", "é", "٣", "a\0", 3, None, ["a"]]
)
def test_others_are_refused(name: Any) -> None:
    with pytest.raises(SpinplaneError) as error:
        check_name("cell", name)
    assert str(error.value) == f"cell = {name!r}: must consist of letters, digits, '-' and '_'"


def test_further_characters_are_told() -> None:
    assert check_name("pin", "a.b[0]", also=".[]") == "a.b[0]"
    with pytest.raises(
        SpinplaneError, match=r"^pin = 'a b': must consist of letters, digits, '\.', '\[', '\]', '-' and '_'$"
    ):
        check_name("pin", "a b", also=".[]")


def test_a_long_name_is_cut_in_the_message() -> None:
    with pytest.raises(SpinplaneError) as error:
        check_name("cell", " " * 10**6)
    assert len(str(error.value)) < 200
