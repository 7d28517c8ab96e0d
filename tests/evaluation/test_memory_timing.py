"""Times of memories follow from the technology, the lines and named parameters; without one they are unknown."""

import tomllib
from dataclasses import fields, replace
from importlib.resources import files

import pytest

from spinplane.device import electrical, load_technology, technology_names
from spinplane.device.wires import word_line_delay
from spinplane.evaluation import Figure, Sources, bank_access, memory_figures, memory_times, timing_sources
from spinplane.evaluation.memory_timing import KNOWN, timing_parameters
from spinplane.evaluation.parameters import parameters_of
from spinplane.machine import SpinplaneError, load_machine

PAPER, SOT = load_machine("paper"), load_technology("sot-mram")
SOURCES = timing_sources(PAPER, SOT)
KIB = 8 * 1024


def figures(sources: Sources) -> dict[str, Figure]:
    found = memory_figures(sources)
    named = {field.name: getattr(found, field.name) for field in fields(found)}
    return named | {"bank": bank_access(sources, 64 * KIB)}


def test_they_are_those_of_the_device_with_a_driver_and_the_line() -> None:
    found, driver = memory_figures(SOURCES), SOURCES["memory_timing.line_driver"].si
    assert isinstance(driver, float)
    contract = electrical(SOT)
    assert found.sense.value == pytest.approx(driver + word_line_delay(SOT) + contract.sense_s)
    assert found.write.value == pytest.approx(driver + word_line_delay(SOT) + contract.write_s)


@pytest.mark.parametrize("name", technology_names())
def test_every_time_lies_within_its_bounds(name: str) -> None:
    for figure in figures(timing_sources(PAPER, load_technology(name))).values():
        assert figure.low is not None
        assert figure.value is not None
        assert figure.high is not None
        assert 0 <= figure.low <= figure.value <= figure.high


def test_lines_are_as_long_as_the_machines() -> None:
    def sense(rows: int, columns: int) -> float:
        machine = replace(PAPER, rows=rows, columns=columns)
        value = memory_figures(timing_sources(machine, SOT)).sense.value
        assert value is not None
        return value

    assert sense(64, 256) < sense(512, 256) < sense(512, 512)


def test_a_bank_grows_slower_than_its_side() -> None:
    """The two points of CACTI are on the law; a bank of 16 MiB takes four to five ns."""
    eight, sixty_four, large = (bank_access(SOURCES, size * KIB).value for size in (8, 64, 16384))
    assert eight == pytest.approx(1.06e-9)
    assert sixty_four == pytest.approx(1.57e-9, rel=1e-3)
    assert large is not None
    assert 4e-9 < large < 5e-9


def test_without_a_source_its_figures_are_unknown_and_all_others_as_before() -> None:
    before = figures(SOURCES)
    read = {key for figure in before.values() for key in figure.parameters}
    assert set(timing_parameters()) <= read
    for key in sorted(read):
        for name, figure in figures(SOURCES.without([key])).items():
            if key in before[name].parameters:
                assert (figure.value, figure.low, figure.high, figure.missing) == (None, None, None, key), (
                    name
                )
            else:
                assert figure == before[name]


def test_times_for_static_timing() -> None:
    times, found = memory_times(PAPER, SOT), memory_figures(SOURCES)
    assert times.middle.technology == "sot-mram"
    assert (times.low.sense_s, times.middle.sense_s, times.high.sense_s) == (
        found.sense.low,
        found.sense.value,
        found.sense.high,
    )
    assert times.high.bank_access_s(KIB) == bank_access(SOURCES, KIB).high


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("setup =", "set_up =", "unknown key 'memory_timing.set_up'"),
        ("[memory_timing]", "[other]", "unknown key 'other'"),
        ("setup = {", "# {", "missing key 'memory_timing.setup'"),
        ('unit = "ns"', 'unit = "fF"', "memory_timing.bank_access: unit = 'fF': must be one of "),
        (
            'mark = "derived"',
            'mark = "guessed"',
            "memory_timing.bank_exponent: mark = 'guessed': must be one of ",
        ),
    ],
)
def test_a_damaged_file_is_refused(old: str, new: str, message: str) -> None:
    text = (files("spinplane.evaluation") / "memory_timing.toml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(SpinplaneError) as error:
        parameters_of(tomllib.loads(text.replace(old, new)), KNOWN)
    assert str(error.value).startswith(message)
