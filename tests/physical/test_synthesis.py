# amaranth: UnusedElaboratable=no
"""Synthesis of whole machines."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spinplane.hdl.array.sub_array import SubArray
from spinplane.hdl.common.clock_gate import CLOCK_GATE
from spinplane.hdl.common.row_set import row_sum_bits
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, stubs
from spinplane.machine import Machine, Name, SpinplaneError, load_machine
from spinplane.machine.output_stage import POOLED_BITS
from spinplane.physical import AreaReport, synthesis, synthesize
from spinplane.physical.asic import AsicTarget
from spinplane.physical.blocks import area_report
from spinplane.physical.liberty import library_text
from spinplane.physical.library import read_library
from spinplane.physical.synthesis import map_modules
from spinplane.physical.yosys import find_yosys, run_script

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"
BLOCKS = ["decoder", "reference select", "controller", "bit-counter", "shifter", "sum", "sub-array, rest"]
SUB_ARRAY = Name("sub_array")
OUTSIDE = [
    *("counters", "engine, rest", "input streamer", "window sum", "sequencer", "layer controller"),
    *(
        "lanes: correction",
        "lanes: batch-norm",
        "lanes: quantizer",
        "lanes: pooling",
        "lanes: activation",
        "lanes, rest",
        "output stage",
    ),
    *("image bank, turning words", "AXI4", "AXI4-Lite, registers", "top, rest"),
]


@pytest.fixture(scope="module")
def tiny() -> Machine:
    return load_machine("tiny")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What machines have in common is mapped once."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def report(tiny: Machine, kept: Path) -> AreaReport:
    return synthesize(tiny, timing=False, kept_in=kept)


@pytest.mark.thorough
def test_every_block_is_listed(report: AreaReport) -> None:
    assert [block.name for block in report.blocks] == BLOCKS + OUTSIDE
    assert [block.name for block in report.blocks if block.sub_array] == BLOCKS
    for block in report.blocks:
        assert block.cells > 0
    assert report.library == "spinplane45"
    assert report.library_source == "spinplane"
    assert report.yosys == str(find_yosys())


def test_every_module_is_in_one_block(report: AreaReport, tiny: Machine) -> None:
    listed = [module for block in report.blocks for module in block.modules]
    assert sorted(listed) == sorted(machine_verilog(tiny))
    assert report.black_boxes == ("sot_mram_array", "bank")


def test_memories_are_black_boxes(report: AreaReport, tiny: Machine) -> None:
    """A memory that is none would be a flip-flop for each of its bits."""
    flip_flops = {block.name: block.flip_flops for block in report.blocks}
    assert flip_flops["window sum"] < tiny.rows * tiny.row_buses * row_sum_bits(tiny)
    assert flip_flops["lanes: pooling"] < tiny.pool_beats * tiny.results_per_cycle * POOLED_BITS


def test_totals_add_up(report: AreaReport) -> None:
    total, one = report.total, report.sub_array
    in_one = [block.sub_array for block in report.blocks if block.sub_array]
    assert total.cells == sum(block.cells for block in report.blocks)
    assert total.flip_flops == sum(block.flip_flops for block in report.blocks)
    assert total.area_um2 == pytest.approx(math.fsum(b.area_um2 or 0 for b in report.blocks))
    assert one.cells == sum(figures.cells for figures in in_one)
    assert one.area_um2 == pytest.approx(math.fsum(figures.area_um2 or 0 for figures in in_one))
    assert math.fsum(block.share for block in report.blocks) == pytest.approx(1)
    assert math.fsum(figures.share for figures in in_one) == pytest.approx(1)


@pytest.mark.thorough
def test_n_sub_arrays_cost_n_times_one(report: AreaReport, tiny: Machine, kept: Path) -> None:
    double = synthesize(replace(tiny, sub_arrays=2 * tiny.sub_arrays), timing=False, kept_in=kept)
    for number, of in ((tiny.sub_arrays, report), (2 * tiny.sub_arrays, double)):
        assert of.sub_arrays.count == number
        assert of.sub_arrays.cells == number * of.sub_array.cells
        assert of.sub_arrays.flip_flops == number * of.sub_array.flip_flops
        assert of.sub_arrays.area_um2 == number * (of.sub_array.area_um2 or 0)
        for block in of.blocks:
            if block.sub_array:
                assert block.area_um2 == number * (block.sub_array.area_um2 or 0)
    for block, doubled in zip(report.blocks, double.blocks, strict=True):
        # The controller takes commands, which are wider where more sub-arrays can be addressed.
        if block.sub_array and block.name != "controller":
            # Its share is of a sub-array with that controller in it.
            assert doubled.sub_array is not None
            assert replace(doubled.sub_array, share=block.sub_array.share) == block.sub_array
            assert doubled.count == 2 * block.count
    assert double.sub_array.area_um2 == pytest.approx(report.sub_array.area_um2, rel=0.01)


def test_rows_and_columns_move_the_blocks_that_have_them(tiny: Machine, kept: Path) -> None:
    """A decoder has a gate a row; counter and shifter have bits by the columns, the sum has neither."""
    areas = []
    for machine in (tiny, replace(tiny, rows=2 * tiny.rows), replace(tiny, columns=2 * tiny.columns)):
        target, yosys = AsicTarget(library=read_library()), find_yosys()
        modules, black_boxes = verilog_modules(SubArray(machine), SUB_ARRAY), stubs(machine)
        cells = map_modules(modules, black_boxes, target, yosys, kept_in=kept)
        report = area_report(
            cells, target, top=SUB_ARRAY, machine="", library="", library_source="", yosys="",
            black_boxes=tuple(black_boxes),
        )  # fmt: skip
        assert report.total.area_um2 == pytest.approx(
            math.fsum(block.area_um2 or 0 for block in report.blocks)
        )
        areas.append({block.name: block.area_um2 or 0 for block in report.blocks})
    before, rows, columns = areas
    assert list(before) == BLOCKS
    assert rows["decoder"] == pytest.approx(2 * before["decoder"], rel=0.15)
    assert columns["bit-counter"] == pytest.approx(2 * before["bit-counter"], rel=0.15)
    assert columns["shifter"] > before["shifter"]
    assert [name for name in BLOCKS if rows[name] != before[name]] == ["decoder", "controller"]
    same = [name for name in BLOCKS if columns[name] == before[name]]
    assert same == ["decoder", "reference select", "controller", "sum"]


@pytest.mark.thorough
def test_total_is_what_yosys_says_of_the_flat_netlist(
    report: AreaReport, tiny: Machine, tmp_path: Path
) -> None:
    """Yosys' own statistics of the same netlist, flattened: another way to the same sum."""
    target = AsicTarget(library=read_library())
    modules, stub = machine_verilog(tiny), "".join(stubs(tiny).values())
    for name, text in {**target.files(), "design.v": "".join(modules.values()), "stub.v": stub}.items():
        (tmp_path / name).write_text(text)
    script = f"""\
read_verilog -lib stub.v
read_verilog design.v
hierarchy -top {ACCELERATOR}
{target.script(ACCELERATOR)}flatten
delete t:$scopeinfo
stat -liberty library.lib -top {ACCELERATOR}
"""
    [area] = re.findall(r"Chip area for module '\\accelerator': ([\d.]+)", run_script(script, tmp_path))
    # All modules are mapped in one run here, which changes a gate now and then.
    assert float(area) == pytest.approx(report.total.area_um2, rel=0.01)


@pytest.mark.skipif(not GSCL45NM.is_file(), reason="gscl45nm.lib is not beside the repository (shared/pdk)")
@pytest.mark.thorough
def test_real_library(report: AreaReport, tiny: Machine) -> None:
    real = synthesize(tiny, liberty=GSCL45NM, timing=False)
    assert (real.library, real.library_source) == ("gscl45nm", str(GSCL45NM))
    assert real.total.flip_flops == report.total.flip_flops
    assert real.total.area_um2 == pytest.approx(report.total.area_um2, rel=0.1)


@pytest.mark.thorough
@pytest.mark.parametrize("family", ["ice40"])
def test_fpga(family: str) -> None:
    small = Machine(
        name="small",
        sub_arrays=3,
        rows=8,
        columns=16,
        segments=1,
        accumulator_bits=16,
        memory_operations=True,
    )
    report = synthesize(small, fpga=family)
    assert [block.name for block in report.blocks] == BLOCKS + OUTSIDE
    assert (report.library, report.library_source) == (family, "Yosys")
    assert report.total.luts == sum(block.luts or 0 for block in report.blocks)
    assert report.sub_arrays.luts == 3 * (report.sub_array.luts or 0)
    assert report.total.area_um2 is None


def test_cells_are_kept(
    report: AreaReport, tiny: Machine, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "run_script", None)
    assert synthesize(tiny, timing=False, kept_in=kept) == report
    with pytest.raises(TypeError):
        synthesize(tiny, timing=False, adders="fast", kept_in=kept)
    for text in (kept / "synthesis").glob("shifter-*/text"):
        text.write_text("{", encoding="utf-8")
    with pytest.raises(TypeError):
        synthesize(tiny, timing=False, kept_in=kept)


def test_names_of_a_library_run_no_command(tiny: Machine, tmp_path: Path) -> None:
    """A line that begins with ! is a shell command of Yosys. (A cell of two names escapes its own check.)"""
    canary, liberty = tmp_path / "canary", tmp_path / "hostile.lib"
    cell = f'  cell ("X\n! touch {canary}\n", rev2) {{ area : 1; dont_use : true; }}\n}}\n'
    liberty.write_text(library_text().removesuffix("}\n") + cell)
    with pytest.raises(SpinplaneError, match=r"^Liberty file .*hostile\.lib: cell = 'X\\n! touch [^\n]*$"):
        synthesize(tiny, liberty=liberty)
    assert not canary.exists()


def test_names_of_modules_run_no_command(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    name = f"top\n! touch {canary}\n"
    with pytest.raises(TypeError, match=r"^name = 'top\\n! touch [^\n]*$"):
        map_modules({name: "module top; endmodule\n"}, {}, AsicTarget(library=read_library()), find_yosys())
    assert not canary.exists()


@pytest.mark.thorough
def test_each_gate_is_the_librarys_cell(tiny: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def placed_alone(modules: Mapping[Name, str], *_: object, **__: object) -> dict[str, Counter[str]]:
        assert CLOCK_GATE not in modules
        placed = re.compile(rf"^  ({'|'.join([*modules, CLOCK_GATE])}) \S+ \($", re.MULTILINE)
        return {name: Counter(placed.findall(text)) for name, text in modules.items()}

    monkeypatch.setattr(synthesis, "map_modules", placed_alone)
    gated = synthesize(tiny, clock_gating="cells")
    (gates,) = (block for block in gated.blocks if block.cells)
    area = read_library().cells["CLKGATEX2"].area
    assert area is not None
    assert (gates.name, gates.cells, gates.area_um2) == ("clock gates", 21, pytest.approx(21 * float(area)))
    assert gated.heading.endswith("clock gating by cells")


@pytest.mark.parametrize("option", [{"timing": True}, {"period_ns": 5.0}, {"fpga": "ice40"}])
def test_gate_cells_are_of_a_library_and_have_no_paths(tiny: Machine, option: dict[str, Any]) -> None:
    with pytest.raises(SpinplaneError) as refused:
        synthesize(tiny, clock_gating="cells", **option)
    assert str(refused.value) == "clock gating by cells: takes no FPGA family, period or timing"


def test_library_and_fpga_exclude_each_other(tiny: Machine) -> None:
    with pytest.raises(SpinplaneError) as error:
        synthesize(tiny, liberty=Path("a.lib"), fpga="xc7")
    assert str(error.value) == "give either a Liberty file or an FPGA family, not both"


def test_wrong_library_and_family(tiny: Machine) -> None:
    with pytest.raises(SpinplaneError) as error:
        synthesize(tiny, liberty=Path("none.lib"))
    assert str(error.value) == "Liberty file none.lib: no such file"
    with pytest.raises(SpinplaneError) as error:
        synthesize(tiny, fpga="max10")
    assert str(error.value) == "fpga = 'max10': must be one of xc7, ecp5, ice40"


def test_a_missing_module_is_named() -> None:
    target = AsicTarget(library=read_library())
    verilog = "module top (input a, output y); lost l (.a(a), .y(y)); endmodule\n"
    with pytest.raises(SpinplaneError) as error:
        map_modules({Name("top"): verilog}, {}, target, find_yosys())
    assert str(error.value) == (
        f"{find_yosys()}: Module `\\lost' referenced in module `\\top' in cell `\\l' "
        "is not part of the design."
    )
