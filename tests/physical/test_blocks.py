"""From modules to blocks: multiplicities, inheritance, and nothing lost."""

from collections import Counter

import pytest

from spinplane.physical.area import AreaReport
from spinplane.physical.asic import AsicTarget
from spinplane.physical.blocks import area_report
from spinplane.physical.library import read_library

TREE = {
    "accelerator": Counter({"engine": 1, "bank": 2, "INVX1": 7}),
    "engine": Counter({"sub_array": 3, "counters": 1, "NAND2X1": 2}),
    "counters": Counter({"DFFPOSX1": 5}),
    "sub_array": Counter(
        {"row_decoder": 1, "multi_line_row_decoder": 1, "sum": 1, "sot_mram_array": 1, "AND2X1": 1}
    ),
    "row_decoder": Counter({"NOR2X1": 4}),
    "multi_line_row_decoder": Counter({"row_decoder": 2, "OR2X1": 4}),
    "sum": Counter({"helper": 2, "FAX1": 8}),
    "helper": Counter({"DFFPOSX1": 1}),
}


def _report(
    tree: dict[str, Counter[str]], black_boxes: tuple[str, ...] = ("sot_mram_array", "bank")
) -> AreaReport:
    return area_report(
        tree,
        AsicTarget(library=read_library()),
        top="accelerator",
        machine="made_up",
        library="spinplane45",
        library_source="spinplane",
        yosys="none",
        black_boxes=black_boxes,
    )


def test_blocks_of_a_tree() -> None:
    report = _report(TREE)
    found = {
        block.name: (block.modules, block.count, block.cells, block.flip_flops) for block in report.blocks
    }
    assert found == {
        "decoder": (("row_decoder", "multi_line_row_decoder"), 6, 3 * 16, 0),
        "sum": (("sum", "helper"), 3, 3 * 10, 3 * 2),
        "sub-array, rest": (("sub_array",), 3, 3, 0),
        "counters": (("counters",), 1, 5, 5),
        "engine, rest": (("engine",), 1, 2, 0),
        "top, rest": (("accelerator",), 1, 7, 0),
    }
    assert report.sub_arrays.count == 3
    assert report.sub_array.cells == 27
    assert report.sub_arrays.cells == 81
    assert report.total.cells == 81 + 5 + 2 + 7
    in_one = {block.name: block.sub_array.cells for block in report.blocks if block.sub_array}
    assert in_one == {"decoder": 16, "sum": 10, "sub-array, rest": 1}


def test_area_of_a_block() -> None:
    decoder = _report(TREE).blocks[0]
    assert decoder.sub_array is not None
    assert decoder.sub_array.area_um2 == pytest.approx(12 * 2.347 + 4 * 2.347)
    assert decoder.area_um2 == pytest.approx(3 * 16 * 2.347)


def test_a_block_within_another_is_its_own() -> None:
    tree = {**TREE, "helper": Counter({"shifter": 1}), "shifter": Counter({"INVX1": 9})}
    report = _report(tree)
    assert {block.name: block.cells for block in report.blocks if block.name in ("sum", "shifter")} == {
        "sum": 3 * 8,
        "shifter": 3 * 2 * 9,
    }


def test_an_undescribed_module_is_no_cell() -> None:
    with pytest.raises(
        ValueError, match=r"library spinplane45: has no cell for Yosys' (sot_mram_array|bank)"
    ):
        _report(TREE, black_boxes=())
