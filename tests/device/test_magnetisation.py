"""Magnetisation dynamics: golden switching times, and two solvers that agree where both apply."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import k, mu_0

from spinplane.device.free_layer import (
    FreeLayer,
    SpinHall,
    SpinTransfer,
    Torque,
    critical_current_density,
)
from spinplane.device.magnetisation import SOLVERS, simulate, start_direction
from spinplane.machine import SpinplaneError

AREA = np.pi * 25e-9**2
SOT = FreeLayer(
    saturation_magnetisation=1e6,
    thickness_m=1.5e-9,
    area_m2=1.8e-15,
    damping=0.0122,
    gyromagnetic_ratio=1.76e11,
    demagnetisation=(0.0237, 0.0467, 0.9296),
    anisotropy=0.0,
    easy_axis=0,
)
PMA = FreeLayer(
    saturation_magnetisation=7e5,
    thickness_m=1.4e-9,
    area_m2=AREA,
    damping=0.028,
    gyromagnetic_ratio=1.76e11,
    demagnetisation=(0.0, 0.0, 1.0),
    anisotropy=56 * k * 300 / (AREA * 1.4e-9) + mu_0 * 7e5**2 / 2,
    easy_axis=2,
)
IMA = replace(PMA, demagnetisation=(0.0, 1.0, 0.0))
SPIN_HALL = SpinHall(angle=0.3)
PURDUE = SpinTransfer(
    pinned_polarisation=0.8, free_polarisation=0.3, pinned_asymmetry=2.0, free_asymmetry=2.0
)
ONE_SIDED = replace(PURDUE, free_polarisation=0.8)


def tilted(degrees: float) -> np.ndarray:
    """A direction near z, tilted to x."""
    return np.array([np.sin(np.radians(degrees)), 0.0, np.cos(np.radians(degrees))])


@pytest.mark.parametrize(
    ("layer", "current", "degrees", "time_ns"),
    [
        (PMA, -100e-6, 0.1, 2.0668),
        (PMA, 100e-6, 179.9, 1.2465),
        (IMA, -275e-6, 0.1, 1.3265),
        (IMA, 275e-6, 179.9, 0.5812),
    ],
)
def test_purdues_switching_times(layer: FreeLayer, current: float, degrees: float, time_ns: float) -> None:
    path = simulate(layer, PURDUE, current / AREA, 1.3 * time_ns * 1e-9, tilted(degrees))
    assert path.crossing_s == pytest.approx(time_ns * 1e-9, rel=5e-3)
    assert path.magnetisation[-1, 2] * path.magnetisation[0, 2] < 0


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("ratio", "time_ns"), [(1.5, 7.295), (2.0, 3.560), (3.0, 1.765), (5.0, 0.932), (8.0, 0.507)]
)
@pytest.mark.parametrize("from_parallel", [True, False])
def test_in_plane_spin_hall_switching_times(
    solver: str, ratio: float, time_ns: float, from_parallel: bool
) -> None:
    onset = critical_current_density(SOT, SPIN_HALL, from_parallel=from_parallel)
    density = (-1 if from_parallel else 1) * ratio * onset
    start = start_direction(SOT, np.radians(1), from_parallel=from_parallel)
    path = simulate(SOT, SPIN_HALL, density, 1.2 * time_ns * 1e-9, start, solver=solver)
    assert path.crossing_s == pytest.approx(time_ns * 1e-9, rel=1e-2)


def test_just_above_the_onset_nothing_switches_in_30_ns() -> None:
    onset = critical_current_density(SOT, SPIN_HALL, from_parallel=True)
    start = start_direction(SOT, np.radians(1), from_parallel=True)
    # cmtj steps through 30 ns in milliseconds.
    path = simulate(SOT, SPIN_HALL, -1.2 * onset, 30e-9, start, solver="cmtj", step_s=1e-12)
    assert path.crossing_s is None


@pytest.mark.parametrize(("current", "degrees"), [(-100e-6, 1.0), (100e-6, 179.0)])
def test_solvers_agree_on_one_sided_spin_transfer(current: float, degrees: float) -> None:
    paths = [
        simulate(PMA, ONE_SIDED, current / AREA, 4e-9, tilted(degrees), solver=solver) for solver in SOLVERS
    ]
    crossings = [path.crossing_s for path in paths]
    assert crossings[1] == pytest.approx(crossings[0], rel=5e-3)


def test_magnetisation_keeps_its_length_and_precesses_at_the_layers_frequency() -> None:
    free = replace(SOT, damping=1e-5)
    path = simulate(free, SPIN_HALL, 0.0, 2e-9, start_direction(free, 0.01, from_parallel=True))
    assert np.linalg.norm(path.magnetisation, axis=1) == pytest.approx(1.0, abs=1e-6)
    crossings = np.flatnonzero(np.diff(np.sign(path.magnetisation[:, 1])))
    period = 2 * np.mean(np.diff(path.time_s[crossings]))
    kittel = 1.76e11 * mu_0 * np.sqrt(np.prod(free.stiffness))
    assert 2 * np.pi / period == pytest.approx(kittel, rel=5e-3)


def test_damping_brings_it_back() -> None:
    path = simulate(PMA, PURDUE, 0.0, 5e-9, tilted(30))
    easy = path.magnetisation[:, 2]
    assert np.all(np.diff(easy) > -1e-6)
    assert easy[-1] > 0.99


def test_the_softer_axis_is_tilted() -> None:
    assert start_direction(SOT, 0.1, from_parallel=False) == pytest.approx([-np.cos(0.1), np.sin(0.1), 0.0])


def test_cmtj_repeats_a_thermal_path_and_says_nothing(capfd: pytest.CaptureFixture) -> None:
    start = start_direction(SOT, 0.1, from_parallel=True)
    paths = [
        simulate(SOT, SPIN_HALL, 0.0, 1e-10, start, solver="cmtj", temperature=300.0, seed=seed)
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(paths[0].magnetisation, paths[1].magnetisation)
    assert not np.array_equal(paths[0].magnetisation, paths[2].magnetisation)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("solver", "torque", "temperature", "text"),
    [
        ("euler", SPIN_HALL, 0.0, "solver 'euler': must be one of scipy, cmtj"),
        (
            "scipy",
            SPIN_HALL,
            300.0,
            "solver 'scipy' has no thermal field: use solver 'cmtj', or an ensemble",
        ),
        (
            "cmtj",
            PURDUE,
            0.0,
            "solver 'cmtj' has one term of the spin-transfer efficiency, the polarisations need both: use "
            "solver 'scipy'",
        ),
    ],
)
def test_refuses_what_a_solver_does_not_have(
    solver: str, torque: Torque, temperature: float, text: str
) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        simulate(PMA, torque, 1e11, 1e-10, tilted(1), solver=solver, temperature=temperature)


def test_names_the_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cmtj", None)
    text = "cmtj is not installed: run 'pip install \"spinplane[device]\"'"
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        simulate(SOT, SPIN_HALL, 1e11, 1e-10, tilted(1), solver="cmtj")
