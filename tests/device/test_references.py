"""References midway and at equal error, against counted decisions."""

import numpy as np
import pytest

from spinplane.device import (
    decisions,
    draw_fault_map,
    load_technology,
    monte_carlo,
    place_reference,
    reference_errors,
)
from spinplane.device.sensing import reference_voltage
from spinplane.machine import SpinplaneError, load_machine


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_both_errors_are_alike(name: str) -> None:
    technology = load_technology(name)
    for decision in decisions():
        midway, alike = (place_reference(technology, decision, word) for word in ("midpoint", "equal_error"))
        assert midway == reference_voltage(technology, decision)
        low, high = reference_errors(technology, decision, alike)
        assert low == pytest.approx(high, rel=1e-6)
        assert low < max(reference_errors(technology, decision, midway))


def test_estimates_are_those_that_trials_count() -> None:
    technology = load_technology("sot-mram")
    for word in ("midpoint", "equal_error"):
        counted = monte_carlo(technology, trials=200_000, seed=1, reference=word).errors
        for decision in decisions()[1:]:
            voltage = place_reference(technology, decision, word)
            estimates = reference_errors(technology, decision, voltage)
            for estimate, level in zip(
                estimates, counted[decision.operation].levels[decision.threshold - 1 :], strict=False
            ):
                if estimate > 1e-4:
                    assert level.low < estimate * 1.25
                    assert level.high > estimate * 0.75


@pytest.mark.parametrize(
    ("operation", "midway", "alike"), [(0, 9.6e-6, 7e-11), (1, 2.3e-4, 2.3e-6), (2, 2.4e-3, 6.4e-4)]
)
def test_what_equal_error_gains(operation: int, midway: float, alike: float) -> None:
    technology, decision = load_technology("sot-mram"), decisions()[operation]
    found = [
        max(reference_errors(technology, decision, place_reference(technology, decision, word)))
        for word in ("midpoint", "equal_error")
    ]
    assert found == pytest.approx([midway, alike], rel=0.3)


def test_maps_of_memories_have_them() -> None:
    machine, technology = load_machine("tiny"), load_technology("sot-mram")
    midway, alike = (
        draw_fault_map(machine, technology, 1, reference=word) for word in ("midpoint", "equal_error")
    )
    assert midway == draw_fault_map(machine, technology, 1)
    assert midway.variation is not None
    assert alike.variation is not None
    # A lower voltage is reached by cells that conduct more.
    assert (alike.variation.and_references > midway.variation.and_references).all()
    never = [
        np.count_nonzero(
            draw_fault_map(
                machine, technology, 1, sigma_ra=0, sigma_tmr=0, offset_sigma=0.02, reference=word
            ).and_thresholds
            > 2
        )
        for word in ("midpoint", "equal_error")
    ]
    assert never[1] < never[0]


def test_other_words_are_refused() -> None:
    with pytest.raises(SpinplaneError, match="reference = 'middle': must be one of midpoint, equal_error"):
        place_reference(load_technology("sot-mram"), decisions()[0], "middle")
