"""Areas of arrays and banks follow their structure, keep within their bounds, and are unknown without a source."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from spinplane.device import load_technology, technology_names
from spinplane.device.latch import latch_deck
from spinplane.evaluation import Figure, Sources
from spinplane.evaluation.memory import (
    SENSINGS,
    ArrayArea,
    BankShape,
    area_sources,
    array_area,
    mram_bank,
    sram_bank,
)
from spinplane.machine import SpinplaneError

SOT, STT = (area_sources(load_technology(name)) for name in ("sot-mram", "stt-mram"))
BANK = BankShape(words=2048, width=64, reads=1)


def areas(array: ArrayArea) -> dict[str, float]:
    found = {part.name: part.area.value for part in array.parts}
    return {name: value for name, value in found.items() if value is not None}


def known(value: float | None) -> float:
    assert value is not None
    return value


@pytest.mark.parametrize("sensing", SENSINGS)
@pytest.mark.parametrize("name", technology_names())
@pytest.mark.parametrize(("rows", "columns"), [(8, 16), (512, 256)])
def test_parts_fill_the_rectangle(name: str, sensing: str, rows: int, columns: int) -> None:
    array = array_area(area_sources(load_technology(name)), rows, columns, sensing)
    assert sum(areas(array).values()) == pytest.approx(known(array.total.value))
    assert len(areas(array)) == 7
    for figure in (array.total, *(part.area for part in array.parts)):
        assert 0 < known(figure.low) <= known(figure.value) <= known(figure.high)


def test_cells_are_those_of_the_technology() -> None:
    cell = 69 * 45e-9**2
    assert areas(array_area(SOT, 64, 32, "voltage"))["cells"] == pytest.approx(64 * 32 * cell)


def test_rows_and_columns_move_what_they_should() -> None:
    small, tall, wide = (
        areas(array_area(SOT, *size, "voltage")) for size in ((64, 64), (128, 64), (64, 128))
    )
    below = ("sense amplifiers", "read-current sources", "write drivers")
    edge, references = 2, 4
    for name in below:
        assert tall[name] == pytest.approx(small[name])
        assert wide[name] == pytest.approx(small[name] * (128 + references) / (64 + references))
    drivers = "word-line drivers"
    assert tall[drivers] == pytest.approx(small[drivers] * (128 + edge) / (64 + edge))
    # Wider drivers for longer lines, but not more of them.
    assert small[drivers] < wide[drivers] < 2 * small[drivers]
    assert tall["cells"] == wide["cells"] == 2 * small["cells"]


def test_sensing_moves_what_reads_alone() -> None:
    voltage, current = (areas(array_area(SOT, 512, 256, sensing)) for sensing in ("voltage", "current"))
    assert {name for name in voltage if voltage[name] != current[name]} == {"read-current sources", "corner"}
    assert current["read-current sources"] > voltage["read-current sources"]


def test_two_amplifiers_a_line_take_more() -> None:
    technology = load_technology("sot-mram")
    double = replace(technology, sensing=replace(technology.sensing, amplifiers=2))
    one, two = (areas(array_area(area_sources(each), 64, 64, "voltage")) for each in (technology, double))
    assert 1.5 < two["sense amplifiers"] / one["sense amplifiers"] < 2


def test_lines_of_the_cell_are_driven() -> None:
    """SOT has two word lines and writes through one bit line, STT has one and writes through two."""
    sot, stt = (areas(array_area(sources, 512, 256, "voltage")) for sources in (SOT, STT))
    assert sot["word-line drivers"] > 2 * stt["word-line drivers"]
    assert stt["write drivers"] > 1.5 * sot["write drivers"]


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("write.current_1", 240, "write drivers"),
        ("read.current", 60, "read-current sources"),
        ("sense_amplifier.offset_sigma", 1, "sense amplifiers"),
        ("word_line.capacitance_per_cell", 1, "word-line drivers"),
    ],
)
def test_circuits_are_sized_by_the_device(key: str, value: float, part: str) -> None:
    changed = area_sources(load_technology("sot-mram").with_values({key: value}))
    before, after = (areas(array_area(sources, 512, 256, "voltage")) for sources in (SOT, changed))
    assert after[part] > before[part]
    assert {name for name in before if before[name] != after[name]} == {part, "corner"}


def test_no_amplifier_is_without_an_offset() -> None:
    sources = area_sources(load_technology("sot-mram").with_values({"sense_amplifier.offset_sigma": 0}))
    with pytest.raises(SpinplaneError, match=r"^sense_amplifier\.offset_sigma = 0: "):
        array_area(sources, 8, 16, "voltage")


def test_the_latch_is_the_one_that_was_simulated() -> None:
    widths = [float(width) for width in re.findall(r"MOS_VTG W=([\d.]+)u", str(latch_deck(0.1, 0.1, 1.1)))]
    assert SOT["sense.latch_transistors"].value == len(widths)
    assert SOT["sense.latch_width"].value == sum(widths)


def test_a_bank_grows_with_words_width_and_ports() -> None:
    area = known(sram_bank(SOT, BANK).value)
    assert known(sram_bank(SOT, replace(BANK, words=2 * BANK.words)).value) == pytest.approx(2 * area)
    assert known(sram_bank(SOT, replace(BANK, width=2 * BANK.width)).value) == pytest.approx(
        2 * area, rel=0.1
    )
    one_port, two_reads = (known(sram_bank(SOT, replace(BANK, reads=reads)).value) for reads in (0, 2))
    assert one_port < area < two_reads
    assert one_port > BANK.bits * 0.346e-12


def test_few_words_need_circuits_all_the_same() -> None:
    few = replace(BANK, words=16)
    assert known(sram_bank(SOT, few).value) / few.bits > 2 * known(sram_bank(SOT, BANK).value) / BANK.bits


def test_mram_cells_are_smaller_than_static_ones() -> None:
    large = replace(BANK, words=65536, width=256)
    assert known(mram_bank(STT, large).value) < known(sram_bank(STT, large).value)


@pytest.mark.parametrize(
    "area",
    [
        lambda sources: array_area(sources, 64, 32, "current").total,
        lambda sources: sram_bank(sources, BANK),
        lambda sources: mram_bank(sources, BANK),
    ],
    ids=["array", "sram", "mram"],
)
def test_without_any_source_there_is_no_figure(area: Callable[[Sources], Figure]) -> None:
    whole = area(SOT)
    assert len(whole.parameters) > 10
    for key in whole.parameters:
        without = area(SOT.without([key]))
        assert (without.value, without.low, without.high, without.missing) == (None, None, None, key)
