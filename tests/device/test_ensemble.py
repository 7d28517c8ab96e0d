"""The thermal ensemble: the solvers' path at 0 K, Boltzmann's distribution, cmtj's switching times."""

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.ensemble import equilibrium, run_ensemble
from spinplane.device.free_layer import critical_current_density, free_layer, write_torque
from spinplane.device.magnetisation import simulate, start_direction


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
@pytest.mark.parametrize("from_parallel", [True, False])
def test_at_0_k_it_is_the_solvers_path(name: str, from_parallel: bool) -> None:
    technology = load_technology(name)
    layer, torque = free_layer(technology), write_torque(technology)
    onset = critical_current_density(layer, torque, from_parallel=from_parallel)
    density = (-4 if from_parallel else 4) * onset
    start = start_direction(layer, 0.1, from_parallel=from_parallel)
    path = simulate(layer, torque, density, 1e-9, start)
    run = run_ensemble(layer, torque, density, 1e-9, start[:, None], temperature=0.0, samples=50)
    expected = np.interp(run.time_s, path.time_s, path.magnetisation[:, layer.easy_axis])
    assert run.easy[:, 0] == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_it_keeps_boltzmanns_distribution(name: str) -> None:
    """From rest, with strong damping so that a few nanoseconds suffice: variances are k_B·T over the stiffness."""
    technology = load_technology(name).with_values({"free_layer.damping": 0.2})
    layer, torque = free_layer(technology), write_torque(technology)
    count = 3000
    start = np.zeros((3, count))
    start[layer.easy_axis] = 1.0
    run = run_ensemble(layer, torque, 0.0, 3e-9, start, temperature=100.0, seed=1)
    for transverse, variance in zip((1, 2), layer.thermal_variances(100.0), strict=True):
        found = np.mean(run.magnetisation[(layer.easy_axis + transverse) % 3] ** 2)
        # The deviation of a variance of 3000 is 2.6 %; its expansion beyond stiff axes, 1/(2Δ), is below 1 %.
        assert found == pytest.approx(variance, rel=0.09)


def test_equilibrium_is_what_the_equation_keeps() -> None:
    layer = free_layer(load_technology("sot-mram"))
    for side in (True, False):
        m = equilibrium(layer, 300.0, 20_000, 3, from_parallel=side)
        assert np.linalg.norm(m, axis=0) == pytest.approx(1.0)
        assert np.all((m[0] > 0) == side)
        assert np.var(m[1]) == pytest.approx(layer.thermal_variances(300.0)[0], rel=0.04)
        assert np.var(m[2]) == pytest.approx(layer.thermal_variances(300.0)[1], rel=0.04)


def test_switching_times_are_cmtjs() -> None:
    technology = load_technology("sot-mram")
    layer, torque = free_layer(technology), write_torque(technology)
    density = -4 * critical_current_density(layer, torque, from_parallel=True)
    count, duration = 200, 2e-9
    start = start_direction(layer, 0.1, from_parallel=True)
    run = run_ensemble(
        layer,
        torque,
        density,
        duration,
        np.repeat(start[:, None], count, axis=1),
        temperature=300.0,
        samples=400,
    )
    switched = run.easy < 0
    assert switched[-1].all()
    own = run.time_s[np.argmax(switched, axis=0)]
    paths = [
        simulate(
            layer, torque, density, duration, start, solver="cmtj", temperature=300.0, seed=seed, step_s=5e-13
        )
        for seed in range(count)
    ]
    other = np.array([path.crossing_s for path in paths])
    deviation = np.hypot(own.std(), other.std()) / np.sqrt(count)
    assert abs(own.mean() - other.mean()) < 4 * deviation
    assert own.std() == pytest.approx(other.std(), rel=0.25)


def test_the_same_seed_gives_the_same_paths() -> None:
    technology = load_technology("stt-mram")
    layer, torque = free_layer(technology), write_torque(technology)
    start = equilibrium(layer, 300.0, 5, 1, from_parallel=True)
    runs = [
        run_ensemble(layer, torque, 0.0, 1e-10, start, temperature=300.0, seed=seed).easy
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_the_error_falls_at_least_with_the_square_of_the_step() -> None:
    technology = load_technology("stt-mram")
    layer, torque = free_layer(technology), write_torque(technology)
    density = -4 * critical_current_density(layer, torque, from_parallel=True)
    start = start_direction(layer, 0.1, from_parallel=True)
    exact = simulate(layer, torque, density, 8e-10, start).magnetisation[-1]
    errors = [
        np.linalg.norm(
            run_ensemble(
                layer, torque, density, 8e-10, start[:, None], temperature=0.0, samples=1, step_s=step
            ).magnetisation[:, 0]
            - exact
        )
        for step in (4e-12, 2e-12, 1e-12)
    ]
    # At least: where the terms of second order cancel, it falls faster.
    assert errors[0] > 3.5 * errors[1] > 3.5**2 * errors[2]
    assert errors[2] < 2e-2
