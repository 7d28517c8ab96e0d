"""Names that files give to things."""

import copy
import pickle
from typing import Any

import pytest

from spinplane.machine import DottedName, Name, PinName, SpinplaneError, load_machine


@pytest.mark.parametrize("name", ["a", "0", "_", "sky130_fd_sc_hd__and2_1", "sot-mram", "a" * 128])
def test_plain_names_pass(name: str) -> None:
    assert Name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\n", "a.b", "a;b", "../a", "$a", "`a", "é", "а", "٣", "a\0", 3, None, ["a"]]
)
def test_others_are_refused(name: Any) -> None:
    with pytest.raises(SpinplaneError) as error:
        Name(name, "cell")
    assert str(error.value) == f"cell = {name!r}: must consist of letters, digits, '-' and '_'"


def test_a_name_is_no_option() -> None:
    with pytest.raises(SpinplaneError, match=r"^cell = '-D': must not begin with '-'$"):
        DottedName("-D", "cell")


def test_further_characters_are_of_other_types() -> None:
    assert PinName("a.b[0]", "pin") == "a.b[0]"
    assert DottedName("a.b") == "a.b"
    with pytest.raises(
        SpinplaneError, match=r"^pin = 'a b': must consist of letters, digits, '\.', '\[', '\]', '-' and '_'$"
    ):
        PinName("a b", "pin")
    with pytest.raises(
        SpinplaneError, match=r"^cell = 'a\[0\]': must consist of letters, digits, '\.', '-' and"
    ):
        DottedName("a[0]", "cell")


@pytest.mark.parametrize("name", [" " * 10**6, "a" * 10**6])
def test_a_long_name_is_cut_in_the_message(name: str) -> None:
    with pytest.raises(SpinplaneError) as error:
        Name(name, "cell")
    assert len(str(error.value)) < 200


def test_copies_are_names() -> None:
    machine = load_machine("tiny")
    for other in (pickle.loads(pickle.dumps(machine)), copy.deepcopy(machine)):
        assert other == machine
        assert type(other.name) is Name
    with pytest.raises(SpinplaneError):
        pickle.loads(pickle.dumps(Name("abcd")).replace(b"abcd", b"a\ncd"))
