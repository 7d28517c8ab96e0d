"""Slopes have the signs that physics says, over temperature, oxide, width and supply."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from spinplane.device import decisions, load_technology, margin
from spinplane.device.energy import sense_energy, write_energy
from spinplane.device.free_layer import free_layer
from spinplane.device.mtj import heavy_metal_resistance, junction, resistance, tmr
from spinplane.device.retention import (
    array_retention_s,
    disturb_current,
    needed_stability,
    onset_share,
    sense_disturb,
    stability,
)
from spinplane.device.technology import Technology
from spinplane.device.write import critical_current, needed_current, thermal_angle
from spinplane.machine import SpinplaneError

Figure = Callable[[Technology], float]
READ, AND, OR = decisions()

FIGURES: dict[str, Figure] = {
    "R_P": lambda t: float(resistance(junction(t), False)),
    "R_AP": lambda t: float(resistance(junction(t), True)),
    "TMR": lambda t: float(tmr(junction(t))),
    "R_SHM": heavy_metal_resistance,
    "Ms": lambda t: free_layer(t).saturation_magnetisation,
    "stability": stability,
    "retention of an array": lambda t: array_retention_s(t, 2**22),
    "needed stability": lambda t: needed_stability(t, 2**22, 3e8),
    "thermal angle": lambda t: thermal_angle(free_layer(t), t["process.temperature"]),
    "onset of a write": lambda t: critical_current(t, 1),
    "onset of a read": disturb_current,
    "share of the onset of a read": lambda t: onset_share(t, t["read.current"], antiparallel=False),
    "disturb of an AND": lambda t: sense_disturb(t, AND, 1, time_s=1e-9),
    "needed current": lambda t: needed_current(t, 1, tolerance=1e-4),
    "margin of a read": lambda t: margin(t, READ).margin_v,
    "margin of an AND": lambda t: margin(t, AND).margin_v,
    "margin of an OR": lambda t: margin(t, OR).margin_v,
    "time of a read": lambda t: margin(t, READ).time_s,
    "sense energy in the cell": lambda t: sense_energy(t, AND).cell_j,
    "sense energy from the supply": lambda t: sense_energy(t, AND).supply_j,
    "write energy in the cell": lambda t: write_energy(t, 1).cell_j,
    "write energy from the supply": lambda t: write_energy(t, 1).supply_j,
}

#: Values of a parameter, and what grows (+1), falls (−1) or stays (0) from one to the next.
TEMPERATURE = {
    "TMR": -1, "R_AP": -1, "R_P": 0, "Ms": -1, "stability": -1, "retention of an array": -1, "needed stability": 0,
    "thermal angle": 1, "onset of a write": -1, "onset of a read": -1, "disturb of an AND": 1, "margin of a read": -1,
    "margin of an AND": -1, "margin of an OR": -1, "needed current": -1, "write energy from the supply": 0,
}  # fmt: skip
OXIDE = {
    "R_P": 1, "R_AP": 1, "margin of a read": 1, "margin of an AND": 1, "margin of an OR": 1, "time of a read": 1,
    "sense energy in the cell": 1, "stability": 0, "onset of a write": 0, "onset of a read": 0,
    "share of the onset of a read": 0,
}  # fmt: skip
SUPPLY = {
    "write energy in the cell": 0, "write energy from the supply": 1, "sense energy in the cell": 0,
    "sense energy from the supply": 1, "margin of an AND": 0, "stability": 0,
}  # fmt: skip
METAL_WIDTH = {
    "R_SHM": -1, "onset of a write": 1, "needed current": 1, "write energy in the cell": -1, "onset of a read": 1,
    "disturb of an AND": -1, "stability": 0, "margin of an AND": 1,
}  # fmt: skip
#: A wider in-plane ellipse is rounder: its barrier, held by the shape alone, falls though its volume grows.
JUNCTION_WIDTH = {
    "R_P": -1,
    "R_AP": -1,
    "TMR": 0,
    "stability": -1,
    "margin of a read": -1,
    "retention of an array": -1,
}
DIAMETER = {"R_P": -1, "R_AP": -1, "TMR": 0, "stability": 1, "onset of a write": 1, "onset of a read": 1}


def check(technology: Technology, key: str, values: tuple[float, ...], signs: dict[str, int]) -> None:
    changed = [technology.with_values(dict.fromkeys(key.split(), value)) for value in values]
    for name, sign in signs.items():
        for before, after in pairwise(map(FIGURES[name], changed)):
            if sign:
                assert (after - before) * sign > 0, f"{name} over {key}"
            else:
                assert after == pytest.approx(before, rel=1e-9), f"{name} over {key}"


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_over_temperature(name: str) -> None:
    signs = {k: v for k, v in TEMPERATURE.items() if name == "sot-mram" or k != "needed current"}
    check(load_technology(name), "process.temperature", (260, 300, 340, 380), signs)


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_over_the_oxide(name: str) -> None:
    check(load_technology(name), "oxide.thickness", (1.2, 1.25, 1.3), OXIDE)


def test_fixed_currents_bear_a_narrow_range_of_oxides() -> None:
    """The resistance changes ninefold in 0.3 nm: the OR is gone at 1.0 nm, and the supply ends before 1.6 nm."""
    sot, stt = load_technology("sot-mram"), load_technology("stt-mram")
    for technology in (sot, stt):
        with pytest.raises(
            SpinplaneError, match=r"EN_OR with 2 cells cannot be sensed: the lowest 1 is .* mV, "
        ):
            margin(technology.with_values({"oxide.thickness": 1.0}), OR)
    with pytest.raises(SpinplaneError, match=r"cannot be sensed: the lowest 1 is .* V, the supply 1.1 V"):
        margin(sot.with_values({"oxide.thickness": 1.6}), READ)
    with pytest.raises(
        SpinplaneError, match=r"write.current_0 = 80 µA: the cell needs .* V, the supply has 1.1 V"
    ):
        write_energy(stt.with_values({"oxide.thickness": 1.6}), 0)


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_over_the_supply(name: str) -> None:
    check(load_technology(name), "process.supply_voltage", (1.0, 1.1, 1.2), SUPPLY)


def test_over_the_width_of_the_heavy_metal() -> None:
    check(load_technology("sot-mram"), "heavy_metal.width", (90, 110, 130), METAL_WIDTH)


def test_over_the_width_of_the_junction() -> None:
    check(load_technology("sot-mram"), "mtj.width", (42, 45, 50, 55), JUNCTION_WIDTH)
    check(load_technology("stt-mram"), "mtj.length mtj.width", (44, 50, 56), DIAMETER)
