"""Static cells in the arrays: energies by hand, how they follow a machine, clock, what is null without a source."""

from dataclasses import replace

import pytest
from hand_counted_layers import network

from spinplane.evaluation import Interval, static_array
from spinplane.evaluation.baselines import static_arrays
from spinplane.evaluation.events import energy_sources, machine_events
from spinplane.evaluation.run_energy import RunEnergy
from spinplane.evaluation.static_array import static_clock, static_sources
from spinplane.machine import Machine, SpinplaneError, load_machine

TINY = load_machine("tiny")
SOURCES = energy_sources(TINY, None, clock_hz=1e8)


def si(key: str) -> float:
    value = SOURCES[key].si
    assert isinstance(value, float)
    return value


def energies(machine: Machine) -> dict[str, float]:
    sources = energy_sources(machine, None, clock_hz=1e8)
    of = {}
    for event in machine_events(machine, None, sources):
        if event.group == "array" or event.name == "array":
            figure = event.energy().energy
            assert None not in (figure.low, figure.value, figure.high)
            assert figure.low < figure.value < figure.high  # type: ignore[operator]
            of[event.name] = figure.value
    return of  # type: ignore[return-value]


def test_row_operations_by_hand() -> None:
    of = energies(TINY)
    line, supply = 64 * si("sram.bit_line_capacitance"), si("bank.supply_voltage")
    word_line = 64 * si("sram.word_line_capacitance") * supply**2
    fall, amplifier = line * si("sram.read_swing") * supply, si("sram.amplifier_energy")
    assert of["row_reads"] == pytest.approx(64 * (fall + amplifier) + word_line)
    # Two lines of a pair fall with three quarters each, twice as far.
    assert of["ands"] == pytest.approx(64 * (1.5 * 2 * fall + amplifier) + 2 * word_line)
    assert of["ors"] == of["ands"]
    assert of["row_writes"] == pytest.approx(64 * line * supply**2 + word_line)
    assert of["array"] == pytest.approx(64 * 64 * si("sram.leakage"))


def test_they_follow_rows_and_columns() -> None:
    once, wide = energies(TINY), energies(replace(TINY, name="wider", columns=128))
    tall = energies(replace(TINY, name="taller", rows=128))
    for name in ("row_reads", "ands", "row_writes"):
        assert wide[name] == pytest.approx(2 * once[name])
        assert once[name] < tall[name] < 2 * once[name]


def test_the_clock_is_that_of_the_access() -> None:
    found = static_array.access(static_sources(), TINY)
    assert found.value is not None
    clock = static_clock(TINY)
    assert clock.clock_hz == clock.fastest_hz == pytest.approx(1 / found.value)
    assert static_clock(TINY, 1e6).clock_hz == 1e6
    larger = static_clock(replace(TINY, name="taller", rows=128))
    assert larger.fastest_hz < clock.fastest_hz
    two = static_clock(replace(TINY, name="patient", sense_cycles=2))
    assert two.fastest_hz > clock.fastest_hz
    with pytest.raises(SpinplaneError, match="arrays of static cells hold up to") as refused:
        static_clock(TINY, 1e11)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["static.slowdown", "memory_timing.bank_access", "memory_timing.setup"])
def test_without_a_source_there_is_no_access(key: str) -> None:
    found = static_array.access(static_sources().without([key]), TINY)
    assert (found.value, found.low, found.high, found.missing) == (None, None, None, key)


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("static.lines", {"AND"}),
        ("static.swing", {"AND"}),
        ("sram.leakage", {"leakage"}),
        ("sram.amplifier_energy", {"AND", "row write and read", "banks", "host"}),
    ],
)
def test_without_a_source_its_categories_are_null(key: str, gone: set[str]) -> None:
    numbers = {name: 7 for name, _ in RunEnergy(TINY, None, clock_hz=1e8, flip_flops=9).events.values()}
    whole = RunEnergy(TINY, None, clock_hz=1e8, flip_flops=9).by_category(numbers)
    lacking = RunEnergy(TINY, None, clock_hz=1e8, flip_flops=9, without=(key,)).by_category(numbers)
    for category, energy in lacking.items():
        assert energy.missing == key if category in gone else energy == whole[category]


def test_cells_of_the_arrays_leak_too() -> None:
    energy = RunEnergy(TINY, None, clock_hz=1e8, flip_flops=9)
    numbers = {name: 0 for name, _ in energy.events.values()}
    numbers["cycles"] = 1000
    leaks = {
        event.name: event.energy().energy.value or 0.0
        for event in machine_events(TINY, None, SOURCES)
        if event.group == "leakage"
    }
    arrays, logic = 2 * leaks.pop("array"), 9 * leaks.pop("logic, with each flip-flop")
    power = sum(leaks.values()) + arrays + logic
    assert energy.total(numbers, ("leakage",)).value == pytest.approx(power * 1000 / 1e8)
    assert arrays > 0


def test_the_baseline_is_the_sum_of_its_layers() -> None:
    keys = {name for name, _ in RunEnergy(TINY, None, clock_hz=1e8, flip_flops=9).events.values()}
    numbers = [dict.fromkeys(keys, 10 * (number + 1)) for number in range(5)]
    area = Interval(value=1e-6, low=1e-6, high=1e-6)
    found = static_arrays(TINY, network(), numbers, clock=static_clock(TINY, 1e8), flip_flops=9000, area=area)
    assert [one.layer for one in found.layers] == ["first", "split", "whole", "last", ""]
    assert found.energy.value == pytest.approx(sum(one.energy.value or 0 for one in found.layers))
    assert found.quantized is not None
    assert found.quantized.value == pytest.approx(sum(one.energy.value or 0 for one in found.layers[1:3]))
    assert found.latency is not None
    assert found.latency.value == pytest.approx(150 / 1e8)
    assert found.area == area
