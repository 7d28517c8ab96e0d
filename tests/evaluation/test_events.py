"""Energies of events: what they rest on, how they follow a machine, and that no default replaces a source."""

from dataclasses import replace

import pytest

from spinplane.device import load_technology, machine_clock
from spinplane.evaluation import logic_energy
from spinplane.evaluation.array_energy import PERIOD
from spinplane.evaluation.energy_report import EnergyReport
from spinplane.evaluation.events import energy_sources, event_energies
from spinplane.evaluation.logic_energy import EVENTS
from spinplane.evaluation.memory.parameters import BANKS
from spinplane.hdl.export.machine_verilog import machine_verilog
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES

TINY, SOT = load_machine("tiny"), load_technology("sot-mram")
FULL = event_energies(TINY, SOT)
#: Numbers that say how often something happens and are no counter.
NUMBERS = {
    *("row_operations", "row_pairs", "results", "values", "residuals", "products", "descriptors", ""),
    *("pool_reads", "pool_writes", "parameter_words", "scale_words", "threshold_words", "program_words"),
}


def of(report: EnergyReport, name: str) -> float:
    value = report.event(name).energy.value
    assert value is not None
    return value


def test_every_figure_has_bounds_around_it_and_a_source() -> None:
    assert len(FULL.events) > 30
    for event in FULL.events:
        figure = event.energy
        assert figure.low is not None, event.name
        assert figure.value is not None, event.name
        assert figure.high is not None, event.name
        assert 0 < figure.low <= figure.value <= figure.high, event.name
        assert figure.low < figure.high, event.name
        assert figure.source
        assert figure.mark == "derived"
        assert figure.parameters
        assert not figure.missing


def test_counters_are_those_of_the_machine() -> None:
    assert {event.counter for event in FULL.events} <= {*ACCELERATOR_COUNTER_NAMES, *NUMBERS}
    assert len({event.name for event in FULL.events}) == len(FULL.events)


def test_every_parameter_of_logic_and_banks_is_the_source_of_a_figure() -> None:
    read = {key for event in FULL.events for key in event.energy.parameters}
    assert {*logic_energy.ASSUMED, *logic_energy.KNOWN, *BANKS} <= read


@pytest.mark.parametrize("step", [20, pytest.param(3, marks=pytest.mark.thorough)])
def test_without_a_source_its_figures_are_gone_and_all_others_unchanged(step: int) -> None:
    sources = energy_sources(TINY, SOT)
    keys = {key for event in FULL.events for key in event.energy.parameters}
    for key in sorted(keys)[::step]:
        report = event_energies(TINY, SOT, sources=sources.without([key]))
        for before, after in zip(FULL.events, report.events, strict=True):
            for whole, lacking in ((before.energy, after.energy), (before.held, after.held)):
                if whole is not None and lacking is not None and key in whole.parameters:
                    assert (lacking.value, lacking.low, lacking.missing) == (None, None, key)
                else:
                    assert lacking == whole, (key, before.name)


@pytest.mark.parametrize(
    ("changed", "moves"),
    [
        ({"columns": 128}, {"count", "row_reads", "ands", "row_writes", "image bank, read", "input"}),
        ({"rows": 128}, {"decode", "row_reads", "ands", "array"}),
        ({"pool_beats": 128}, {"pool bank, read", "pool bank, write"}),
        ({"accumulator_bits": 40}, {"add"}),
        ({"sub_arrays": 4, "row_buses": 2, "results_per_cycle": 2, "multipliers": 1}, {"engine"}),
        ({"kernel_words": 1 << 18}, {"kernel bank, read", "kernel bank, write"}),
    ],
)
def test_a_machine_s_sizes_move_the_events_that_depend_on_them(
    changed: dict[str, int], moves: set[str]
) -> None:
    other = event_energies(replace(TINY, **changed), SOT)
    for name in moves:
        assert of(other, name) > of(FULL, name), name
    unmoved = {"shift", "flip-flop, clock on", "logic, with each flip-flop"}
    unmoved |= {"count"} if "columns" not in changed else set()
    for name in unmoved:
        assert of(other, name) == of(FULL, name), name


def test_a_held_current_takes_more_the_slower_the_clock() -> None:
    fast, slow = (event_energies(TINY, SOT, clock_hz=hertz) for hertz in (4e8, 1e8))
    for name in ("ands", "row_reads", "row_writes"):
        at_once, held = slow.event(name).energy.value, slow.event(name).held
        assert held is not None
        assert held.value is not None
        assert at_once is not None
        assert held.value > 2 * at_once
        assert of(fast, name) == at_once
    assert slow.period.value == pytest.approx(1e-8)


def test_the_clock_is_the_arrays_own_if_none_is_given() -> None:
    assert FULL.clock == machine_clock(TINY, SOT)
    assert FULL.period.value == pytest.approx(1 / FULL.clock.clock_hz, rel=1e-12)
    assert {"write.pulse", "decoder.delay", "decoder.clock_to_q"} <= set(FULL.period.parameters)
    assert PERIOD not in FULL.period.parameters
    with pytest.raises(SpinplaneError, match=r"^machine tiny at 1 GHz: a sense of sot-mram takes "):
        event_energies(TINY, SOT, clock_hz=1e9)


def test_every_module_belongs_to_one_event(tiny_verilog: dict[str, str]) -> None:
    named = [module for event in EVENTS for module in event.modules]
    assert len(named) == len(set(named))
    assert set(tiny_verilog) <= set(named)


@pytest.fixture(scope="module")
def tiny_verilog() -> dict[str, str]:
    return {str(name): text for name, text in machine_verilog(TINY).items()}


def test_published_figures_stand_beside_and_are_no_source() -> None:
    report = event_energies(load_machine("paper"), SOT)
    beside = [(event, other) for event in report.events for other in event.published]
    assert len(beside) >= 8
    for event, other in beside:
        assert event.energy.value is not None
        assert other.ratio == pytest.approx(event.energy.value / other.value)
        assert other.source
        assert other.reason
        assert "NVSim" not in event.energy.source
        assert "NeuroSim" not in event.energy.source


def test_table_and_csv_have_every_event() -> None:
    shown, rows = str(FULL), FULL.csv().splitlines()
    assert len(rows) == len(FULL.events) + 1
    assert rows[0].startswith("group,name,counter,energy,low,high,unit,held,mark,source")
    for event in FULL.events:
        assert event.name in shown
    missing = event_energies(TINY, SOT, sources=energy_sources(TINY, SOT).without(["logic.wire"]))
    assert "no logic.wire" in str(missing)


def test_two_amplifiers_have_an_xor() -> None:
    two = replace(SOT, sensing=replace(SOT.sensing, amplifiers=2))
    report = event_energies(replace(TINY, xor_sensing=True), two)
    assert of(report, "xors") > of(report, "ands")
