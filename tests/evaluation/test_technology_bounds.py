"""Bounds of technologies: an end at which arrays do not work is cut, told, and nothing else changes."""

from dataclasses import replace

import pytest

from spinplane.device import Technology, load_technology
from spinplane.device.biasing import write_overlap
from spinplane.device.electrical import electrical, with_lines_of
from spinplane.device.technology import technology_names
from spinplane.evaluation.events import event_energies
from spinplane.evaluation.technology_bounds import STEPS, technology_bounds
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.machine import machine_names

STT = load_technology("stt-mram")


def bounded(technology: Technology, **bounds: tuple[float, float]) -> Technology:
    """With other bounds; a double underscore stands for the dot of a key."""
    parameters = dict(technology.parameters)
    for key, ends in bounds.items():
        key = key.replace("__", ".")
        parameters[key] = replace(parameters[key], bounds=ends)
    return replace(technology, parameters=parameters)


def test_an_end_that_cannot_be_sensed_is_cut_to_the_last_step_that_can() -> None:
    found, (cut,) = technology_bounds(STT)
    assert (cut.key, cut.unit, cut.value, cut.end) == ("read.current", "µA", 10, 8)
    assert cut.reason == (
        "stt-mram: EN_OR with 2 cells cannot be sensed: the lowest 1 is 38.6 mV, reference and differential of the "
        "amplifier are 38.8 mV"
    )
    assert str(cut) == f"read.current: bound cut from 8 to 8.4 µA: {cut.reason}"
    assert found["read.current"].bounds == (cut.cut, 12)
    electrical(STT.with_values({"read.current": cut.cut}))
    with pytest.raises(SpinplaneError, match="cannot be sensed"):
        electrical(STT.with_values({"read.current": cut.cut - (cut.value - cut.end) / STEPS}))


def test_a_write_beyond_the_supply_is_cut() -> None:
    sot = load_technology("sot-mram")
    needs = bounded(sot, write__current_1=(100.0, 1000.0), heavy_metal__resistivity=(170.0, 200.0))
    found, (cut,) = technology_bounds(needs)
    assert (cut.key, cut.end) == ("write.current_1", 1000)
    assert ": the cell needs " in cut.reason
    assert found["write.current_1"].bounds == (100, cut.cut)
    electrical(needs.with_values({"write.current_1": cut.cut}))


def test_ends_that_work_alone_and_not_at_once_move_back_together() -> None:
    differential = STT.parameters["sense_amplifier.differential"].value
    assert not isinstance(differential, tuple)
    both = {
        "read__current": (8.6, 12.0),
        "sense_amplifier__differential": (differential, 1.03 * differential),
    }
    for key, ends in both.items():
        assert technology_bounds(bounded(STT, **{"read__current": (10.0, 12.0), key: ends}))[1] == ()
    found, cuts = technology_bounds(bounded(STT, **both))
    assert {cut.key for cut in cuts} >= {key.replace("__", ".") for key in both}
    assert all(cut.reason.startswith("with others at their worse ends ") for cut in cuts)
    corner = {cut.key: cut.cut for cut in cuts}
    electrical(STT.with_values(corner))
    assert found["read.current"].bounds == (corner["read.current"], 12)


def test_bounds_within_which_arrays_work_stay() -> None:
    technology = load_technology("sot-mram")
    found, cuts = technology_bounds(technology)
    assert cuts == ()
    for key, parameter in technology.parameters.items():
        assert not parameter.bounds or found[key] == parameter


def test_a_technology_that_does_not_work_is_refused() -> None:
    with pytest.raises(SpinplaneError, match=r"^stt-mram: EN_OR with 2 cells cannot be sensed: "):
        technology_bounds(STT.with_values({"read.current": 8}))


@pytest.mark.parametrize("technology", technology_names())
@pytest.mark.parametrize("machine", machine_names())
def test_all_machines_have_energies_with_all_technologies(machine: str, technology: str) -> None:
    of, chosen = load_machine(machine), load_technology(technology)
    if of.overlaps_writes and write_overlap(chosen) == "none":
        with pytest.raises(
            SpinplaneError, match=f"^machine {machine}: write_overlap = 'same_array', technology "
        ):
            event_energies(of, chosen)
        return
    report = event_energies(of, chosen)
    for event in report.events:
        low, value, high = event.energy.low, event.energy.value, event.energy.high
        assert low is not None, event.name
        assert value is not None, event.name
        assert high is not None, event.name
        assert 0 < low <= value <= high, event.name
    assert report.cuts == technology_bounds(with_lines_of(chosen, of))[1]
    assert all(str(cut) in str(report) for cut in report.cuts)
