"""The chip's report: every block is in the total, sub-arrays count, and what is added is told beside a plain memory."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from made_up_area import area_of

import spinplane
from spinplane.device import load_technology
from spinplane.evaluation import ChipArea, chip_area
from spinplane.evaluation.memory.machine_banks import machine_banks
from spinplane.machine import Machine
from spinplane.machine.memory_map import MemoryMap
from spinplane.physical import AreaReport, Figures, read_library

SOT = load_technology("sot-mram")
MACHINE = Machine(
    name="small", sub_arrays=3, rows=8, columns=16, segments=1, accumulator_bits=16, memory_operations=True
)
SUB_ARRAY = {"row_decoder": 1, "multi_line_row_decoder": 1, "sum": 1, "sot_mram_array": 1, "AND2X1": 1}


def logic(machine: Machine) -> AreaReport:
    """A made-up netlist of a machine."""
    cells = {
        "accelerator": Counter({"engine": 1, "bank": 2, "INVX1": 7}),
        "engine": Counter({"sub_array": machine.sub_arrays, "NAND2X1": 2}),
        "sub_array": Counter(SUB_ARRAY),
        "row_decoder": Counter({"NOR2X1": machine.rows}),
        "multi_line_row_decoder": Counter({"NOR2X1": 2 * machine.rows}),
        "sum": Counter({"FAX1": 8}),
    }
    return area_of(machine, cells)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def chip(kept: Path) -> ChipArea:
    return chip_area(MACHINE, SOT, logic(MACHINE), kept)


def test_blocks_are_the_total(chip: ChipArea) -> None:
    assert chip.total is not None
    assert chip.total.value is not None
    values = [line.count * (line.area.value or 0.0) for line in chip.lines]
    assert all(values)
    area = sum(block.area_um2 or 0.0 for block in chip.logic.blocks)
    assert sum(values) + area * 1e-12 == pytest.approx(chip.total.value)
    assert chip.array is not None
    assert {line.count for line in chip.lines if line.name.startswith("arrays")} == {3}


def test_a_total_that_lacks_a_sub_array_is_an_error(kept: Path) -> None:
    with pytest.raises(RuntimeError, match="do not add up"):
        chip_area(MACHINE, SOT, logic(replace(MACHINE, sub_arrays=2)), kept)


def test_a_plain_memory_has_one_decoder(chip: ChipArea) -> None:
    library = {name: float(read_library().cells[name].area) for name in ("NOR2X1", "FAX1", "AND2X1")}
    assert chip.added is not None
    assert chip.added.plain_decoder_um2 == pytest.approx(8 * library["NOR2X1"])
    assert chip.added.decoder_um2 == pytest.approx(16 * library["NOR2X1"])
    assert chip.added.sum_um2 == pytest.approx(8 * library["FAX1"])
    assert chip.added.area_um2 == pytest.approx(
        chip.added.decoder_um2 + chip.added.sum_um2 + library["AND2X1"]
    )
    voltage, current = chip.add_ons
    assert (voltage.sensing, current.sensing) == ("voltage", "current")
    for add_on in chip.add_ons:
        assert add_on.plain.value
        assert add_on.share.value == pytest.approx(chip.added.area_um2 * 1e-12 / add_on.plain.value)
        assert add_on.share.low == pytest.approx(chip.added.area_um2 * 1e-12 / (add_on.plain.high or 0))
    assert chip.array is not None
    assert voltage.plain.value == pytest.approx(
        (chip.array.total.value or 0) + chip.added.plain_decoder_um2 * 1e-12
    )


def test_every_bank_of_the_design_is_there(kept: Path) -> None:
    banks = {name: (shape, count) for (name, shape), count in machine_banks(MACHINE, kept).items()}
    of_map = MemoryMap.of(MACHINE).banks
    kernels, count = banks["kernel_bank"]
    assert (kernels.words, kernels.width, count) == (of_map["kernel"].words, of_map["kernel"].width, 1)
    image, count = banks["image_bank"]
    assert (count * image.bits, image.reads, count) == (of_map["image"].bits, 2, 2)
    lane, count = banks["thresholds_bank/lane_0_bank"]
    assert (count, lane.bits) == (1, of_map["thresholds"].bits)


def test_lanes_have_a_bank_each(kept: Path) -> None:
    machine = replace(MACHINE, sub_arrays=4, results_per_cycle=4)
    banks = {name: (shape.bits, count) for (name, shape), count in machine_banks(machine, kept).items()}
    bits, count = banks["thresholds_bank"]
    assert (count, count * bits) == (4, MemoryMap.of(machine).thresholds.bits)


def test_it_is_told_and_read_back(chip: ChipArea, tmp_path: Path) -> None:
    text = str(chip)
    assert "arrays: write drivers" in text
    assert "plain memory's sensing" in text
    assert "kernel_bank, " in text
    path = tmp_path / "area.json"
    spinplane.write_result(chip, path)
    assert spinplane.read_result(path) == chip
    assert spinplane.read_provenance(path).versions["Yosys"] == "Yosys 0"


def test_an_fpga_has_look_up_tables_an_operation(chip: ChipArea) -> None:
    on_fpga = replace(
        chip.logic,
        total=Figures(cells=9, flip_flops=1, luts=96),
        sub_array=Figures(cells=3, flip_flops=0, luts=32),
        blocks=(),
    )
    report = chip_area(MACHINE, SOT, on_fpga)
    assert report.lut_per_operation == 32 / (2 * MACHINE.columns)
    assert (report.array, report.banks, report.total) == (None, (), None)
    assert "1 LUT a binary operation" in str(report)
