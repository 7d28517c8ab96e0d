"""The electrical contract: cycles at a clock, machines that are too fast for it."""

import dataclasses
import re
from typing import Any

import pytest

from spinplane.machine import Electrical, Machine, SpinplaneError, load_machine

FIELDS: dict[str, Any] = {
    "name": "own",
    "cell": "2T1R",
    "rows": 512,
    "sense_s": 0.9e-9,
    "write_s": 2e-9,
    "write_overlap": "none",
    "ports": ("read", "write"),
    "read_energy_j": 1e-14,
    "and_energy_j": 1e-14,
    "or_energy_j": 1e-14,
    "write_energy_j": 1e-13,
    "cell_area_um2": 0.14,
}


@pytest.mark.parametrize(
    ("clock_ns", "cycles"),
    [
        (1.0, (1, 2)),
        (0.9, (1, 3)),
        (0.5, (2, 4)),
        (0.3, (3, 7)),
        (2.0, (1, 1)),
        (50.0, (1, 1)),
        (0.1, (9, 20)),
    ],
)
def test_cycles_are_the_fewest_that_are_long_enough(clock_ns: float, cycles: tuple[int, int]) -> None:
    assert Electrical(**FIELDS).cycles_at(clock_ns * 1e-9) == cycles


def test_a_machine_that_is_slow_enough_passes() -> None:
    Electrical(**FIELDS).check(load_machine("paper"), 1e-9)


@pytest.mark.parametrize(
    ("machine", "clock_s", "text"),
    [
        ({"write_cycles": 1}, 1e-9, "machine m: write_cycles = 1, own needs 2 at a clock period of 1 ns"),
        ({"write_cycles": 9}, 5e-10, "machine m: sense_cycles = 1, own needs 2 at a clock period of 0.5 ns"),
        ({"rows": 1024}, 1e-9, "machine m: rows = 1024, the times of own hold for at most 512"),
        ({}, 0.0, "clock period 0.0 s: must be above 0"),
        ({}, float("nan"), "clock period nan s: must be above 0"),
    ],
)
def test_refuses_a_machine(machine: dict[str, Any], clock_s: float, text: str) -> None:
    sizes = {"name": "m", "sub_arrays": 1, "rows": 64, "columns": 64, "segments": 2}
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        Electrical(**FIELDS).check(Machine(**sizes | machine), clock_s)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ({"write_overlap": "all"}, "write_overlap = 'all': must be one of none, same_array"),
        ({"sense_s": 0.0}, "sense_s = 0.0: must be above 0 and below 1 s"),
        ({"write_s": float("inf")}, "write_s = inf: must be above 0 and below 1 s"),
    ],
)
def test_refuses_a_value(field: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        Electrical(**FIELDS | field)


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Electrical(**FIELDS).rows = 9  # type: ignore[misc]
