"""The electrical contract: cycles at a clock, machines that are too fast for it."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.machine import Electrical, Machine, SpinplaneError, clock_hz, clock_text, load_machine

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
    "sense_current_a": 3e-5,
    "write_current_a": 1.2e-4,
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


@pytest.mark.parametrize("access_s", [0.0, 0.1e-9, 0.51e-9])
def test_the_fastest_clock_is_that_of_the_longest_time_a_cycle(access_s: float) -> None:
    for sense_cycles, write_cycles in ((1, 2), (1, 9), (3, 1), (2, 3)):
        cycles = {"sense_cycles": sense_cycles, "write_cycles": write_cycles}
        machine, own = (
            dataclasses.replace(load_machine("paper"), **cycles),
            Electrical(**FIELDS, access_s=access_s),
        )
        needed = max((0.9e-9 + access_s) / sense_cycles, (2e-9 + access_s) / write_cycles)
        clock = own.clock(machine)
        assert clock.clock_hz == clock.fastest_hz == pytest.approx(1 / needed)
        assert own.cycles_at(needed) <= (sense_cycles, write_cycles)
        assert own.clock(machine, 0.999 / needed).clock_hz < clock.fastest_hz
        with pytest.raises(SpinplaneError, match=f"which hold up to {re.escape(clock_text(1 / needed))}$"):
            own.clock(machine, 1.001 / needed)


@given(
    sense=st.floats(1e-11, 1e-8),
    write=st.floats(1e-11, 1e-7),
    access=st.floats(0, 1e-9),
    cycles=st.integers(1, 16),
)
def test_the_clock_that_is_told_is_taken(sense: float, write: float, access: float, cycles: int) -> None:
    own = Electrical(**FIELDS | {"sense_s": sense, "write_s": write, "access_s": access})
    machine = dataclasses.replace(load_machine("paper"), sense_cycles=cycles)
    told = clock_hz(clock_text(own.clock(machine).fastest_hz))
    assert own.clock(machine, told).clock_hz == told


def test_a_machine_that_is_slow_enough_passes() -> None:
    Electrical(**FIELDS).check(load_machine("paper"), 1e-9)


def test_sub_arrays_in_lock_step_draw_their_currents_at_once() -> None:
    paper = load_machine("paper")
    assert (paper.sub_arrays, paper.columns) == (32, 256)
    assert Electrical(**FIELDS).peak_currents_a(paper) == pytest.approx((32 * 256 * 3e-5, 32 * 256 * 1.2e-4))


@pytest.mark.parametrize(
    ("machine", "clock_s", "text"),
    [
        (
            {"write_cycles": 1},
            1e-9,
            "machine m at 1 GHz: a sense of own takes 0.90 ns and a write 2.00 ns, 0.00 ns of each to the word line; "
            "needs sense_cycles = 1 and write_cycles = 2, the machine has 1 and 1, which hold up to 500 MHz",
        ),
        (
            {"write_cycles": 9},
            5e-10,
            "machine m at 2 GHz: a sense of own takes 0.90 ns and a write 2.00 ns, 0.00 ns of each to the word line; "
            "needs sense_cycles = 2 and write_cycles = 4, the machine has 1 and 9, which hold up to 1.111 GHz",
        ),
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
        ({"access_s": -1e-9}, "access_s = -1e-09: must be at least 0 and below 1 s"),
    ],
)
def test_refuses_a_value(field: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        Electrical(**FIELDS | field)


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Electrical(**FIELDS).rows = 9  # type: ignore[misc]
