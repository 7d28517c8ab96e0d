"""Conductances of single cells, drawn from a technology's variations."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.device import decisions, draw_fault_map, load_technology, monte_carlo
from spinplane.device.faults import cell_conductance, reference_conductance
from spinplane.device.sensing import bit_line_voltage, contents, level, reference_voltage
from spinplane.device.technology import Technology
from spinplane.machine import FaultMap, Parameter, load_machine
from spinplane.machine.variation import ALWAYS, NOMINAL_CONDUCTANCE

MACHINE = load_machine("paper8")
TECHNOLOGIES = ["sot-mram", "stt-mram"]


@pytest.fixture(params=TECHNOLOGIES, scope="module")
def technology(request: pytest.FixtureRequest) -> Technology:
    return load_technology(request.param)


def errors(faults: FaultMap, operation: str, ones: int, pairs: int = 200) -> tuple[int, int]:
    """Wrong senses with so many connected cells at 1, and senses, over random rows and all columns."""
    decision = {d.operation: d for d in decisions()}[operation]
    rng = np.random.default_rng(7)
    rows = np.stack([rng.choice(MACHINE.rows, decision.cells, replace=False) for _ in range(pairs)], axis=1)
    shape = (MACHINE.sub_arrays, pairs, MACHINE.columns)
    operands = [np.full(shape, bit, dtype=np.uint8) for bit in contents(decision.cells, ones)]
    shown = faults.sense(operation, *operands, rows=list(rows))
    return int((shown != (ones >= decision.threshold)).sum()), shown.size


def test_error_rates_are_those_of_the_monte_carlo_run(technology: Technology) -> None:
    drawn = [draw_fault_map(MACHINE, technology, seed) for seed in range(2)]
    sampled = monte_carlo(technology, trials=200_000, seed=3)
    compared = 0
    for decision in decisions():
        for ones, rate in enumerate(sampled.errors[decision.operation].levels):
            wrong, senses = np.sum([errors(f, decision.operation, ones) for f in drawn], axis=0)
            if rate.failures < 30:
                assert wrong / senses < 2 * rate.high
                continue
            # An amplifier's offset counts once for all rows that meet at it: the spread is wider than a binomial's.
            assert wrong / senses == pytest.approx(rate.rate, rel=0.4)
            compared += 1
    assert compared >= 2


def test_a_wider_variation_fails_more_and_a_greater_tmr_less() -> None:
    sot = load_technology("sot-mram")

    def wrong(technology: Technology = sot, **sigmas: float) -> int:
        given = {"sigma_ra": 0.1, "sigma_tmr": 0.1, "offset_sigma": 0.003} | sigmas
        drawn = draw_fault_map(MACHINE, technology, 5, weak_cells=0.0, **given)
        return sum(errors(drawn, "and", ones)[0] for ones in range(3))

    usual = wrong()
    assert 0 < wrong(sigma_ra=0.05) < usual < wrong(sigma_ra=0.15)
    assert wrong(sigma_tmr=0.02) < usual < wrong(sigma_tmr=0.3)
    assert wrong(offset_sigma=0.0) < usual < wrong(offset_sigma=0.01)
    by_tmr = [wrong(_with_tmr(sot, tmr)) for tmr in (1.4, 1.7, 2.0)]
    assert by_tmr[0] > by_tmr[1] > by_tmr[2] > 0


def _with_tmr(technology: Technology, tmr: float) -> Technology:
    """The technology with a junction given by its TMR, at the resistance-area product that it has."""
    keys = {"mtj.resistance_area": (10.6, "Ω·µm²"), "mtj.tmr": (tmr, "1"), "mtj.tmr_half_voltage": (0.5, "V")}
    own = {
        key: Parameter(value=value, unit=unit, mark="assumed", source="a test")
        for key, (value, unit) in keys.items()
    }
    return replace(technology, resistance="direct", parameters={**technology.parameters, **own})


def test_references_lie_between_the_nominal_cells(technology: Technology) -> None:
    state = [float(cell_conductance(technology, antiparallel)) for antiparallel in (False, True)]
    assert 0 < state[1] < state[0] < NOMINAL_CONDUCTANCE
    assert cell_conductance(technology, False, position=0.0) == pytest.approx(NOMINAL_CONDUCTANCE)
    for decision in decisions():
        sums = [(decision.cells - n) * state[0] + n * state[1] for n in range(decision.cells + 1)]
        reference = reference_conductance(technology, decision, reference_voltage(technology, decision))
        assert sums[decision.threshold] < reference < sums[decision.threshold - 1]
        for ones in (decision.threshold - 1, decision.threshold):
            voltage = np.array(level(technology, decision.cells, ones))
            assert reference_conductance(technology, decision, voltage) == pytest.approx(sums[ones], abs=1)
        assert reference_conductance(technology, decision, np.array(-1.0)) == ALWAYS


def test_a_sum_decides_as_the_voltage_does(technology: Technology) -> None:
    """Pairs of an AND, of cells that differ: the whole numbers against the bit line solved as a circuit."""
    decision = decisions()[1]
    rng = np.random.default_rng(9)
    factors = 1 + np.array([[0.05], [0.1]])[:, np.newaxis] * rng.standard_normal((2, 2, 20_000))
    position = rng.random((2, 20_000))
    given = {"resistance_factor": factors[0], "tmr_factor": factors[1], "position": position}
    reference = reference_voltage(technology, decision)
    limit = reference_conductance(technology, decision, np.array(reference))
    for ones in range(3):
        states = contents(2, ones)
        cells = [
            cell_conductance(technology, bool(s), **{k: v[i] for k, v in given.items()})
            for i, s in enumerate(states)
        ]
        shown = sum(np.rint(c).astype(int) for c in cells) < limit
        volts = bit_line_voltage(technology, np.broadcast_to(states[:, np.newaxis], position.shape), **given)
        margin = np.abs(volts - reference)
        differ = shown != (volts > reference)
        assert not differ[margin > 1e-3].any()
        assert differ.mean() < 1e-3


def test_a_map_keeps_offsets_and_weak_cells_of_its_seed() -> None:
    sot = load_technology("sot-mram")
    plain, varied, wider = (
        draw_fault_map(MACHINE, sot, 3, offset_sigma=0.02, weak_cells=1e-3, sigma_ra=ra, sigma_tmr=tmr)
        for ra, tmr in ((0.0, 0.0), (0.05, 0.1), (0.1, 0.2))
    )
    assert plain.variation is None
    for drawn in (varied, wider):
        assert np.array_equal(drawn.stuck, plain.stuck)
        assert np.array_equal(drawn.and_thresholds, plain.and_thresholds)
    assert varied.variation is not None
    assert wider.variation is not None
    assert np.array_equal(varied.variation.and_references, wider.variation.and_references)
    # RA moves both states of a cell alike, and one seed moves it in the same direction.
    moved = [v.parallel.astype(int) - int(np.median(v.parallel)) for v in (varied.variation, wider.variation)]
    assert np.corrcoef(moved[0].ravel(), moved[1].ravel())[0, 1] > 0.95
