"""The macrospin's fields, barrier, torques and critical current."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import k, mu_0

from spinplane.device import load_technology
from spinplane.device.free_layer import (
    FreeLayer,
    SpinHall,
    SpinTransfer,
    critical_current_density,
    free_layer,
    write_section,
    write_torque,
)
from spinplane.device.magnetisation import right_hand_side

IN_PLANE = FreeLayer(
    saturation_magnetisation=1e6,
    thickness_m=1.5e-9,
    area_m2=1.8e-15,
    damping=0.0122,
    gyromagnetic_ratio=1.76e11,
    demagnetisation=(0.0237, 0.0467, 0.9296),
    anisotropy=0.0,
    easy_axis=0,
)
TWO_SIDED = SpinTransfer(
    pinned_polarisation=0.8, free_polarisation=0.3, pinned_asymmetry=2.0, free_asymmetry=2.0
)


def test_critical_current_density_of_the_in_plane_layer() -> None:
    torque = SpinHall(angle=0.3)
    for from_parallel in (True, False):
        density = critical_current_density(IN_PLANE, torque, from_parallel=from_parallel)
        assert density == pytest.approx(1.0818e11, rel=1e-4)
    half = critical_current_density(IN_PLANE, SpinHall(angle=0.6), from_parallel=True)
    assert half == pytest.approx(1.0818e11 / 2, rel=1e-4)


def test_stiffness_barrier_and_stability() -> None:
    first, second = IN_PLANE.stiffness
    assert (first, second) == pytest.approx((0.023e6, 0.9059e6))
    assert IN_PLANE.barrier_j == pytest.approx(mu_0 * 1e6 * 1.8e-15 * 1.5e-9 * first / 2)
    assert IN_PLANE.thermal_variances(300)[0] == pytest.approx(1 / (2 * IN_PLANE.stability(300)))


def test_perpendicular_technology_has_the_published_barrier() -> None:
    stt = free_layer(load_technology("stt-mram"))
    assert stt.barrier_j == pytest.approx(56 * k * 300, rel=1e-5)
    assert stt.area_m2 == pytest.approx(np.pi * 25e-9**2)
    assert stt.stiffness[0] == stt.stiffness[1]


def test_one_sided_efficiency_is_slonczewskis() -> None:
    torque = SpinTransfer(
        pinned_polarisation=0.6, free_polarisation=0.6, pinned_asymmetry=1.5, free_asymmetry=1.5
    )
    cosine = np.linspace(-1, 1, 9)
    square = 1.5**2
    expected = 0.6 * square / (square + 1 + (square - 1) * cosine)
    assert torque.efficiency(cosine) == pytest.approx(expected)


def test_two_sided_efficiency_at_both_ends() -> None:
    assert TWO_SIDED.efficiency(1.0) == pytest.approx(0.5 * (4.4 / 8 + 2.0 / 2))
    assert TWO_SIDED.efficiency(-1.0) == pytest.approx(0.5 * (4.4 / 2 + 2.0 / 8))
    flat = SpinTransfer(
        pinned_polarisation=0.8, free_polarisation=0.0, pinned_asymmetry=1.0, free_asymmetry=1.0
    )
    assert flat.efficiency(np.array([-1.0, 1.0])) == pytest.approx([0.4, 0.4])


def test_leaving_the_parallel_state_needs_more_current() -> None:
    stt = free_layer(load_technology("stt-mram"))
    densities = [critical_current_density(stt, TWO_SIDED, from_parallel=p) for p in (True, False)]
    assert densities[0] / densities[1] == pytest.approx(1.225 / 0.775)


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
@pytest.mark.parametrize("from_parallel", [True, False])
def test_the_formula_is_where_a_small_deviation_begins_to_grow(name: str, from_parallel: bool) -> None:
    """Eigenvalues of the equation itself, linearised numerically about the easy axis."""
    technology = load_technology(name)
    layer, torque = free_layer(technology), write_torque(technology)
    onset = critical_current_density(layer, torque, from_parallel=from_parallel)
    side = 1.0 if from_parallel else -1.0
    rates = []
    for share in (0.98, 1.02):
        equation = right_hand_side(layer, torque, -side * share * onset)
        columns = []
        for transverse in (1, 2):
            m = np.zeros(3)
            m[layer.easy_axis] = side
            m[(layer.easy_axis + transverse) % 3] = 1e-6
            slope = equation(0.0, m)
            columns.append([slope[(layer.easy_axis + i) % 3] / 1e-6 for i in (1, 2)])
        eigenvalues = np.linalg.eigvals(np.array(columns).T)
        rates.append(float(np.max(eigenvalues.real)))
        force = abs(float(torque.field(layer, share * onset, side)))
        assert rates[-1] == pytest.approx(layer.growth_rate(force), rel=0.02)
    assert rates[0] < 0 < rates[1]


def test_signs_and_slopes() -> None:
    sot = load_technology("sot-mram")

    def onset(**values: float) -> float:
        changed = sot.with_values({key.replace("__", "."): value for key, value in values.items()})
        density = critical_current_density(free_layer(changed), write_torque(changed), from_parallel=True)
        return density * write_section(changed)

    nominal = onset()
    assert onset(free_layer__damping=0.0244) == pytest.approx(2 * nominal)
    assert onset(heavy_metal__spin_hall_angle=0.15) == pytest.approx(2 * nominal)
    assert onset(heavy_metal__thickness=6) == pytest.approx(2 * nominal)
    assert onset(free_layer__saturation_magnetisation=1.1e6) == pytest.approx(1.21 * nominal)
    assert free_layer(sot.with_values({"mtj.length": 100})).stability(300) > free_layer(sot).stability(300)
    assert free_layer(sot).stability(400) == pytest.approx(0.75 * free_layer(sot).stability(300))
    assert replace(IN_PLANE, thickness_m=3e-9).barrier_j == pytest.approx(2 * IN_PLANE.barrier_j)
