"""A name that was not found is told with the one that was meant."""

from pathlib import Path
from typing import Any

import pytest

from spinplane.compiler.frontend.networks import load_network
from spinplane.device import load_technology
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.arguments import as_path
from spinplane.machine.choices import nearest, one_of


@pytest.mark.parametrize(
    ("name", "meant"),
    [("papre8", "paper8"), ("TINY", "tiny"), ("tiny.toml", "tiny"), ("zzz", None), ("", None)],
)
def test_the_nearest_name_is_found_whatever_its_case(name: str, meant: str | None) -> None:
    assert nearest(name, ["paper", "paper8", "tiny"]) == meant


def test_few_names_are_all_told_and_many_are_cut() -> None:
    assert one_of("c", ["a", "b"]) == "one of a, b"
    assert one_of("wid", ["tiny", "wide"]) == "one of tiny, wide; did you mean 'wide'?"
    many = one_of("name77", [f"name{number}" for number in range(100)])
    assert many.endswith(" …; did you mean 'name77'?")
    assert len(many) < 250


@pytest.mark.parametrize(
    ("load", "name", "meant"),
    [
        (load_machine, "papper", "paper"),
        (load_technology, "sot_mram", "sot-mram"),
        (load_network, "alexnet-dorefe", "alexnet-dorefa"),
    ],
)
def test_loaders_tell_it(load: Any, name: str, meant: str) -> None:
    with pytest.raises(SpinplaneError, match=f"one of .*; did you mean '{meant}'\\?$"):
        load(name)


def test_a_base_and_a_changed_parameter_of_a_technology_too(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('base = "sot-mran"\n')
    with pytest.raises(
        SpinplaneError, match=r"base = 'sot-mran': must be one of .*; did you mean 'sot-mram'\?$"
    ):
        load_technology(path)
    with pytest.raises(SpinplaneError, match=r"'oxide\.thikness': .*; did you mean 'oxide\.thickness'\?$"):
        load_technology("sot-mram").with_values({"oxide.thikness": 1})


@pytest.mark.parametrize("value", [5, None, b"bytes", ["a"], "nul\0"])
def test_what_is_no_path_is_told_with_the_argument(value: Any) -> None:
    with pytest.raises(SpinplaneError, match=r"^folder = .*: must be a path: text or a Path$"):
        as_path("folder", value)


@pytest.mark.parametrize("load", [load_machine, load_technology])
@pytest.mark.parametrize("value", [5, None, ["tiny"], 1.5, "nul\0"])
def test_a_machine_or_technology_of_another_type_is_told_in_one_line(load: Any, value: Any) -> None:
    with pytest.raises(SpinplaneError) as error:
        load(value)
    assert "\n" not in str(error.value)
