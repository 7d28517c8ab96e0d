"""Spaces as TOML files: what they mean, and what is refused with the key in the message."""

from pathlib import Path

import pytest

from spinplane.exploration.space import Constraint, Objective, read_space
from spinplane.machine import SpinplaneError

WHOLE = """
base = "tiny"
networks = ["svhn"]
bits = ["1:1", "1:4"]
batch = [1, 4]
technologies = ["sot-mram", "stt-mram"]
clocks = ["fastest", "2ns"]

[space]
sub_arrays = [2, 4]
columns = {from = 64, to = 256, factor = 2}
rows = {from = 100, to = 130, step = 10}
write_overlap = "same_array"
memory_operations = [false]

[constraints]
area_mm2 = "<= 5"
lifetime_years = ">= 1, <= 1e3"

[objectives]
smallest = ["energy_uj"]
largest = ["images_per_s"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "my space.toml"
    path.write_text(text)
    return path


def test_a_space_has_the_axes_of_its_file(tmp_path: Path) -> None:
    space = read_space(written(tmp_path, WHOLE))
    assert space.name == "my-space"
    assert space.dimensions == {
        "sub_arrays": ("2", "4"),
        "columns": ("64", "128", "256"),
        "rows": ("100", "110", "120", "130"),
        "write_overlap": ("same_array",),
        "memory_operations": ("false",),
        "network": ("svhn:1:1", "svhn:1:4"),
        "batch": ("1", "4"),
        "technology": ("sot-mram", "stt-mram"),
        "clock": ("fastest", "2ns"),
    }
    assert space.size == 2 * 3 * 4 * 16
    assert space.constraints == (
        Constraint(figure="area_mm2", relation="<=", bound=5),
        Constraint(figure="lifetime_years", relation=">=", bound=1),
        Constraint(figure="lifetime_years", relation="<=", bound=1000),
    )
    assert space.objectives == (
        Objective(figure="energy_uj", largest=False),
        Objective(figure="images_per_s", largest=True),
    )


def test_what_the_base_leaves_open_follows_each_design(tmp_path: Path) -> None:
    space = read_space(
        written(tmp_path, 'base = "tiny"\nnetworks = ["svhn:1:1"]\n[space]\nsub_arrays = [3, 8]\n')
    )
    assert (space.base.row_buses, space.base.results_per_cycle) == (2, 2)
    three, eight = (space.machine({"sub_arrays": number}) for number in ("3", "8"))
    assert (three.row_buses, three.results_per_cycle) == (1, 1)
    assert (eight.row_buses, eight.results_per_cycle) == (4, 8)


def test_what_the_base_says_stays(tmp_path: Path) -> None:
    space = read_space(
        written(tmp_path, 'base = "paper"\nnetworks = ["svhn:1:1"]\n[space]\nsub_arrays = 16\n')
    )
    machine = space.machine({"sub_arrays": "16"})
    assert (machine.multipliers, machine.bus_bits, machine.rows) == (4, 256, 512)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "missing key 'networks'"),
        ('network = ["svhn:1:1"]', "unknown key 'network': did you mean 'networks'"),
        ("networks = []", "must have at least one value"),
        ('networks = ["svhn:1:1", "svhn:1:1"]', "a value is there twice"),
        ('networks = "svhn:1:1"', "expected a list"),
        ('networks = ["svhn:1:1"]\nsearch = "genetic"', "must be one of grid, random, optuna"),
        ('networks = ["svhn:1:1"]\nbase = "large"', "machine 'large' is neither a file"),
        ('networks = ["svhn:1:1"]\ntechnologies = ["dram"]', "technology 'dram' is neither a file"),
        ('networks = ["svhn:1:1"]\nclocks = ["fast"]', "clock 'fast': must be a frequency or a period"),
        ('networks = ["svhn:1:1"]\npoints = 4', "points: a grid has all of its designs"),
        ('networks = ["svhn:1:1"]\nsearch = "random"', "missing key 'points'"),
        ('networks = ["svhn:1:1"]\nsearch = "random"\npoints = 2', "must be from 1 to the 1 designs"),
        ('networks = ["svhn:1:1", "svhn:1:2"]\nsearch = "optuna"\npoints = 1', "name one network"),
        ('networks = ["svhn:1:1"]\nbatch = [1, 0]', "batch: '0': must be a whole number from 1"),
        ('networks = ["svhn:1:1"]\nbatch = "all"', "batch: 'all': must be a whole number from 1"),
        ('networks = ["svhn:1:1"]\n[space]\nlanes = 4', "unknown key 'space.lanes'"),
        ('networks = ["svhn:1:1"]\n[space]\nrows = [1.5]', "space.rows: 1.5: must be a whole number"),
        ('networks = ["svhn:1:1"]\n[space]\nrows = {from = 1, to = 9}', "either step or factor"),
        ('networks = ["svhn:1:1"]\n[space]\nrows = {from = 9, to = 1, step = 1}', "must go up"),
        ('networks = ["svhn:1:1"]\n[space]\nrows = {from = 1, to = 4096, step = 1}\n'
         "columns = {from = 1, to = 2048, step = 1}", "a grid of 8,388,608 designs"),
        ('networks = ["svhn:1:1"]\n[constraints]\narea = "<= 5"', "did you mean 'constraints.area_mm2'"),
        ('networks = ["svhn:1:1"]\n[constraints]\narea_mm2 = "below 5"', 'must be as "<= 5"'),
        ('networks = ["svhn:1:1"]\n[constraints]\narea_mm2 = "<= 1e999"', 'must be as "<= 5"'),
        ('networks = ["svhn:1:1"]\n[objectives]\nsmallest = ["area"]', "must be one of cycles"),
        ('networks = ["svhn:1:1"]\n[objectives]\nsmallest = ["accuracy"]', "a table [accuracy] must tell"),
    ],
)  # fmt: skip
def test_a_wrong_space_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SpinplaneError) as told:
        read_space(path)
    assert message in str(told.value)
    assert str(told.value).startswith(f"space {path}: ")
    assert "\n" not in str(told.value)
