"""Area without a synthesis: the measured machine's own, how it follows sizes, and no figure without its source."""

from dataclasses import replace

import pytest

from spinplane.device import load_technology
from spinplane.evaluation import area_estimate
from spinplane.evaluation.area_estimate import area_estimate_sources
from spinplane.evaluation.logic_area import SIZES, logic_area
from spinplane.machine import Machine, load_machine
from spinplane.machine.external.cache_folder import default_build_root

SOT = load_technology("sot-mram")
SOURCES = area_estimate_sources(SOT)
PAPER, TINY = load_machine("paper"), load_machine("tiny")


def logic_um2(machine: Machine) -> float:
    figure = SOURCES.figure(lambda values: logic_area(values, machine), unit="m²", source="a test")
    assert figure.value is not None
    return figure.value * 1e12


@pytest.mark.parametrize(
    ("machine", "measured_um2", "off"),
    # docs/area.md: of the state that `paper` was measured in, and of one before.
    [("paper", 1_113_560.7, 1e-5), ("paper8", 512_588, 0.03), ("tiny", 215_915, 0.06)],
)
def test_logic_is_near_what_was_synthesised(machine: str, measured_um2: float, off: float) -> None:
    assert logic_um2(load_machine(machine)) == pytest.approx(measured_um2, rel=off)


@pytest.mark.parametrize(
    "change",
    [{"sub_arrays": 64}, {"rows": 1024}, {"columns": 512}, {"accumulator_bits": 40}, {"multipliers": 8}],
)
def test_logic_grows_with_each_size(change: dict[str, int]) -> None:
    assert logic_um2(replace(PAPER, name="larger", **change)) > logic_um2(PAPER)


def test_twice_the_arrays_are_twice_the_area_of_each() -> None:
    blocks = {block: size(PAPER) for block, size in SIZES.items()}
    more = {block: size(replace(PAPER, name="twice", sub_arrays=64)) for block, size in SIZES.items()}
    grown = {block for block, size in blocks.items() if more[block] == 2 * size}
    assert {"decoder", "bit_counter", "sum", "engine"} <= grown
    assert all(more[block] == blocks[block] for block in set(blocks) - grown)


def test_a_chip_is_its_parts() -> None:
    static = area_estimate(TINY, None, kept_in=default_build_root())
    for found in (area_estimate(TINY, SOT, kept_in=default_build_root()), static):
        parts = [part.value for part in (found.logic, found.arrays, found.banks)]
        assert found.total.value == pytest.approx(sum(value or 0.0 for value in parts))
        assert found.without_banks.value == pytest.approx((parts[0] or 0.0) + (parts[1] or 0.0))
        for one in (found.total, found.logic, found.arrays, found.banks):
            assert 0 < one.low < one.value < one.high  # type: ignore[operator]
    assert found.banks == area_estimate(TINY, SOT, kept_in=default_build_root()).banks


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("logic_area.sum", {"logic"}),
        ("logic_area.scaling", {"logic"}),
        ("cell.area", {"arrays"}),
        ("sram.cell_area", {"banks"}),
        ("layout.width", {"arrays", "banks"}),
    ],
)
def test_without_a_source_its_parts_and_the_total_are_null(key: str, parts: set[str]) -> None:
    found = area_estimate(TINY, SOT, sources=SOURCES.without([key]), kept_in=default_build_root())
    for part in ("logic", "arrays", "banks"):
        assert getattr(found, part).missing == (key if part in parts else "")
    assert (found.total.value, found.total.missing) == (None, key)
