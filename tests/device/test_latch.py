"""The latch of the sense amplifier, whose delay and energy the technologies have."""

import pytest

from spinplane.device import decisions, load_technology
from spinplane.device.latch import decide
from spinplane.device.sensing import reference_voltage


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_delay_and_energy_are_the_latchs_at_the_references(name: str) -> None:
    """At the differential, and EN_AND; the other references are within 0.1 V of it."""
    technology = load_technology(name)
    reference = reference_voltage(technology, decisions()[1])
    line = reference + technology["sense_amplifier.differential"]
    found = decide(line, reference, technology["process.supply_voltage"])
    assert technology["sense_amplifier.delay"] == pytest.approx(found.delay_s, rel=0.1)
    assert technology["sense_amplifier.energy"] == pytest.approx(found.energy_j, rel=0.1)


def test_it_is_faster_with_more_at_its_inputs_and_alike_either_way() -> None:
    above, below, far = (decide(0.125 + shift, 0.125, 1.1) for shift in (0.005, -0.005, 0.1))
    assert above.delay_s == pytest.approx(below.delay_s, rel=0.01)
    assert far.delay_s < 0.8 * above.delay_s


def test_it_is_slower_at_a_lower_supply_and_near_it() -> None:
    nominal = decide(0.13, 0.125, 1.1)
    low, high_lines = decide(0.13, 0.125, 0.9), decide(0.405, 0.4, 1.1)
    assert low.delay_s > nominal.delay_s
    assert low.energy_j < nominal.energy_j
    assert high_lines.delay_s > nominal.delay_s
