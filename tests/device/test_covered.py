"""Cells that the model does not cover are refused, by one line that says why."""

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from spinplane.device import load_technology
from spinplane.device.free_layer import free_layer, wall_energy
from spinplane.device.technology import Technology
from spinplane.machine import SpinplaneError

SOT = (files("spinplane.device") / "sot-mram.toml").read_text(encoding="utf-8")


def file_with(easy_axis: str, polarisation: str, folder: Path) -> Path:
    text = SOT.replace('easy_axis = "x"', f'easy_axis = "{easy_axis}"')
    path = folder / "own.toml"
    path.write_text(
        text.replace('polarisation = "x"', f'polarisation = "{polarisation}"', 1), encoding="utf-8"
    )
    return path


def test_a_perpendicular_cell_under_the_spin_hall_effect_is_refused(tmp_path: Path) -> None:
    """Its spins lie in the plane: were they along the easy axis, it would be written with 61 µA and without a field."""
    text = (
        "polarisation = 'x', easy_axis = 'z': such a cell is switched across its easy axis and needs a field"
    )
    with pytest.raises(SpinplaneError, match=re.escape(text)):
        load_technology(file_with("z", "x", tmp_path))
    text = "polarisation = 'z': the spin Hall effect polarises in the plane: must be one of x, y"
    with pytest.raises(SpinplaneError, match=re.escape(text)):
        load_technology(file_with("z", "z", tmp_path))
    path = file_with("x", "x", tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("polarisation = ", "#", 1), encoding="utf-8")
    with pytest.raises(SpinplaneError, match="missing key 'polarisation'"):
        load_technology(path)


def test_spin_transfer_polarises_along_the_pinned_layer() -> None:
    with pytest.raises(SpinplaneError, match=r"^polarisation = 'x', easy_axis = 'z': "):
        replace(load_technology("stt-mram"), polarisation="x")


def test_a_layer_that_lies_along_another_axis_is_refused(tmp_path: Path) -> None:
    across = load_technology(file_with("y", "y", tmp_path))
    text = r"^sot-mram: easy_axis = 'y': the layer lies easier along x, by 41.37 kA/m$"
    with pytest.raises(SpinplaneError, match=text):
        free_layer(across)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (
            {"free_layer.thickness": 0.9},
            "sot-mram: thermal stability = 9.72 at 300 K: the model needs at least 10",
        ),
        ({"free_layer.thickness": 10}, "a domain wall costs "),
        ({"mtj.length": 300}, "and the model turns the layer as one; make it smaller or softer"),
    ],
)
def test_shallow_states_and_layers_that_do_not_turn_as_one_are_refused(
    values: dict[str, float], text: str
) -> None:
    with pytest.raises(SpinplaneError, match=re.escape(text)):
        free_layer(load_technology("sot-mram").with_values(values))


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_shipped_layers_turn_as_one_within_the_bounds_of_the_exchange_stiffness(name: str) -> None:
    technology: Technology = load_technology(name)
    for stiffness in technology.parameters["free_layer.exchange_stiffness"].bounds or ():
        changed = technology.with_values({"free_layer.exchange_stiffness": stiffness})
        assert free_layer(changed).barrier_j < wall_energy(changed, free_layer(changed))


def test_a_wall_by_hand() -> None:
    stt = load_technology("stt-mram")
    layer = free_layer(stt)
    density = layer.barrier_j / layer.volume_m3
    assert wall_energy(stt, layer) == pytest.approx(4 * (20e-12 * density) ** 0.5 * 1.4e-9 * 50e-9)
