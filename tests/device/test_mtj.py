"""The junction's resistance: golden values of the published fit, the direct model, signs and slopes."""

from collections.abc import Callable

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.mtj import (
    DirectJunction,
    NegfJunction,
    conductance_at,
    heavy_metal_resistance,
    junction,
    junction_area,
    resistance,
    tmr,
    voltage_at,
)
from spinplane.device.technology import Technology

UM2 = 1e-12
DIRECT = DirectJunction(area_m2=3e-15, resistance_area=10 * UM2, tmr=1.5, half_voltage=0.5)


@pytest.fixture
def sot() -> Technology:
    return load_technology("sot-mram")


def test_resistance_area_products_of_the_fit_at_1_2_nm(sot: Technology) -> None:
    mtj, area = junction(sot), junction_area(sot)
    assert float(resistance(mtj, False)) * area / UM2 == pytest.approx(10.585, rel=1e-3)
    assert float(resistance(mtj, True)) * area / UM2 == pytest.approx(28.771, rel=1e-3)


@pytest.mark.parametrize(
    ("voltage", "percent"),
    [(0.0, 171.8), (0.05, 171.2), (0.1, 169.3), (0.2, 162.2), (0.3, 151.2), (0.5, 122.7), (0.116, 168.5)],
)
def test_tmr_of_the_fit_at_1_2_nm(voltage: float, percent: float, sot: Technology) -> None:
    assert 100 * tmr(junction(sot), voltage) == pytest.approx(percent, rel=1e-3)


def test_a_thicker_oxide_and_a_smaller_junction_have_more_resistance(sot: Technology) -> None:
    def ohms(**values: float) -> float:
        keys = {key.replace("__", "."): value for key, value in values.items()}
        return float(resistance(junction(sot.with_values(keys)), True))

    assert ohms(oxide__thickness=1.3) > 1.5 * ohms(oxide__thickness=1.2) > 0
    assert ohms(mtj__length=45.0) == pytest.approx(2 * ohms(mtj__length=90.0))


def test_the_direct_model_gives_what_it_is_given() -> None:
    assert float(resistance(DIRECT, False)) == pytest.approx(10 / 3e-3)
    assert float(resistance(DIRECT, True)) == pytest.approx(25 / 3e-3)
    assert tmr(DIRECT, 0.5) == pytest.approx(0.75)
    assert DIRECT.conductance_p(0.3) == DIRECT.conductance_p(0.0)


def test_conductance_goes_with_the_cosine() -> None:
    g = conductance_at(DIRECT, np.array([1.0, 0.0, -1.0]))
    assert g[0] == pytest.approx(DIRECT.conductance_p(0.0))
    assert g[2] == pytest.approx(DIRECT.conductance_ap(0.0))
    assert g[1] == pytest.approx((g[0] + g[2]) / 2)


def test_cells_that_differ(sot: Technology) -> None:
    mtj = junction(sot)
    states = np.array([False, True])
    nominal = resistance(mtj, states)
    assert resistance(mtj, states, resistance_factor=1.1) == pytest.approx(1.1 * nominal)
    other = resistance(mtj, states, tmr_factor=0.9)
    assert other[0] == pytest.approx(nominal[0])
    assert other[1] / other[0] - 1 == pytest.approx(0.9 * (nominal[1] / nominal[0] - 1))


@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("make", [lambda sot: junction(sot), lambda sot: DIRECT])
@pytest.mark.parametrize("current", [0.0, 1e-6, 30e-6, 120e-6])
def test_voltage_at_a_current(
    make: Callable[[Technology], NegfJunction | DirectJunction], state: bool, current: float, sot: Technology
) -> None:
    mtj = make(sot)
    voltage = voltage_at(mtj, state, current)
    conductance = mtj.conductance_ap(voltage) if state else mtj.conductance_p(voltage)
    assert voltage * conductance == pytest.approx(current, rel=1e-9)


def test_heavy_metal_of_60_by_45_by_5_nm(sot: Technology) -> None:
    sizes = {"heavy_metal.length": 60, "heavy_metal.width": 45, "heavy_metal.thickness": 5}
    assert heavy_metal_resistance(sot.with_values(sizes)) == pytest.approx(533.3, rel=1e-3)
    sizes = {"heavy_metal.length": 100, "heavy_metal.width": 60, "heavy_metal.thickness": 3}
    assert heavy_metal_resistance(sot.with_values(sizes)) == pytest.approx(1111.1, rel=1e-3)
