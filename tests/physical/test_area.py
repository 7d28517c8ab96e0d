"""The report as data and as a table."""

from dataclasses import replace

from result_files import written

from spinplane.machine import load_machine
from spinplane.physical.area import AreaReport, Block, Figures, Part, SubArrays
from spinplane.physical.clock import ClockLimits
from spinplane.physical.paths import Timing, TimingPath

ONE = Figures(cells=10, flip_flops=2, area_um2=25.5, leakage_nw=1500.0)
TWO = Figures(cells=20, flip_flops=4, area_um2=51.0, leakage_nw=3000.0)
REST = Figures(cells=5, flip_flops=0, area_um2=17.0, leakage_nw=250.0)
ALL = Figures(cells=25, flip_flops=4, area_um2=68.0, leakage_nw=3250.0)
#: What an area has no figures of.
NO_FPGA = dict.fromkeys(("luts", "carries", "memories", "multipliers"))

REPORT = AreaReport(
    machine="two",
    library="spinplane45",
    library_source="spinplane",
    yosys="pyosys 0.70",
    black_boxes=("sot_mram_array",),
    blocks=(
        Block(
            name="sum",
            modules=("sum", "adder"),
            count=2,
            sub_array=Part.of(ONE, ONE),
            **vars(Part.of(ALL, TWO)),
        ),
        Block(name="engine, rest", modules=("engine",), count=1, sub_array=None, **vars(Part.of(ALL, REST))),
    ),
    sub_array=ONE,
    sub_arrays=SubArrays(**vars(TWO), count=2),
    total=ALL,
)


def test_the_file() -> None:
    one = {"cells": 10, "flip_flops": 2, "area_um2": 25.5, "leakage_nw": 1500.0, **NO_FPGA}
    two = {"cells": 20, "flip_flops": 4, "area_um2": 51.0, "leakage_nw": 3000.0, **NO_FPGA}
    rest = {"cells": 5, "flip_flops": 0, "area_um2": 17.0, "leakage_nw": 250.0, **NO_FPGA, "share": 0.25}
    figures = written(REPORT)
    del figures["spinplane"]
    assert figures == {
        "machine": "two",
        "library": "spinplane45",
        "library_source": "spinplane",
        "yosys": "pyosys 0.70",
        "black_boxes": ["sot_mram_array"],
        "blocks": [
            {
                "name": "sum",
                "modules": ["sum", "adder"],
                "module": "sum, adder",
                "count": 2,
                **two,
                "share": 0.75,
                "timing": None,
            }
            | {"sub_array": {**one, "share": 1.0}},
            {
                "name": "engine, rest",
                "modules": ["engine"],
                "module": "engine",
                "count": 1,
                **rest,
                "share": 0.25,
                "sub_array": None,
                "timing": None,
            },
        ],
        "sub_array": one,
        "sub_arrays": {"count": 2, **two},
        "total": {"cells": 25, "flip_flops": 4, "area_um2": 68.0, "leakage_nw": 3250.0, **NO_FPGA},
        "adders": None,
        "period_ns": None,
        "sta": None,
        "clock_limits": None,
        "clock_gating": "none",
        "plain_decoder": None,
    }


def _rows(report: AreaReport) -> list[list[str]]:
    lines = str(report).splitlines()
    return [[cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in lines]


def test_table() -> None:
    rows = _rows(REPORT)
    figures = ["cells", "FF", "µm²", "leak µW", "share"]
    assert ["block", *figures, "instances", *figures] in rows
    assert ["sum", "10", "2", "25.5", "1.50", "100.0%", "2", "20", "4", "51.0", "3.00", "75.0%"] in rows
    assert ["engine, rest", *[""] * 5, "1", "5", "0", "17.0", "0.25", "25.0%"] in rows
    assert ["total", "10", "2", "25.5", "1.50", "100.0%", "", "25", "4", "68.0", "3.25", "100.0%"] in rows
    assert "two: spinplane45 (spinplane), pyosys 0.70" in str(REPORT)
    assert "left: one sub-array; right: the machine with 2. Not included: sot_mram_array, wiring." in str(
        REPORT
    )


SLOW = TimingPath(delay_ns=2.346, start="a/Q", end="b/D")
FAST = TimingPath(delay_ns=0.5, start="in", end="b/D")
WITH_PATHS = replace(
    REPORT,
    blocks=(
        replace(REPORT.blocks[0], timing=Timing(between_registers=None, with_ports=FAST)),
        replace(REPORT.blocks[1], timing=Timing(between_registers=SLOW, with_ports=SLOW)),
    ),
    adders="fast",
    period_ns=2.5,
    sta="OpenSTA 2.0.17",
)


def test_paths_in_the_file_and_in_the_table() -> None:
    first, second = (block["timing"] for block in written(WITH_PATHS)["blocks"])
    none = dict.fromkeys(("sense", "write", "banks"))
    assert first == {"between_registers": None, "with_ports": vars(FAST), **none}
    assert second == {"between_registers": vars(SLOW), "with_ports": vars(SLOW), **none}
    assert WITH_PATHS.timing == Timing(between_registers=SLOW, with_ports=SLOW)
    rows = _rows(WITH_PATHS)
    assert ["FF→FF ns", "ports ns"] in [row[-2:] for row in rows]
    assert {row[0]: row[-2:] for row in rows if row[0] in ("sum", "engine, rest", "total")} == {
        "sum": ["", "0.50"],
        "engine, rest": ["2.35", "2.35"],
        "total": ["2.35", "2.35"],
    }
    assert str(WITH_PATHS).splitlines()[-1] == "Worst path, by OpenSTA 2.0.17: 2.35 ns, from a/Q to b/D"
    assert WITH_PATHS.heading == (
        "Area of two: spinplane45 (spinplane), pyosys 0.70, for 2.5 ns, fast adders, OpenSTA 2.0.17"
    )


def test_shares_on_an_fpga_are_of_luts() -> None:
    figures = Figures(cells=9, flip_flops=1, luts=8, carries=0, memories=0, multipliers=0)
    assert figures.size == 8
    part = Part.of(figures, Figures(cells=2, flip_flops=0, luts=2, carries=0, memories=0, multipliers=0))
    assert part.share == 0.25


def test_limits_of_the_clock_in_the_file_and_in_a_table() -> None:
    machine = replace(load_machine("tiny"), sense_cycles=2)
    timing = Timing(between_registers=SLOW, with_ports=SLOW, sense=replace(SLOW, delay_ns=5.0))
    report = replace(WITH_PATHS, clock_limits=ClockLimits.of(machine, "sot-mram", [timing]))
    assert report.notes() == ()
    limits = written(report)["clock_limits"]
    assert (limits["limit"], limits["period_ns"], limits["senses_per_s"]) == ("sense", 2.5, 2e8)
    assert [limit["period_ns"] for limit in limits["limits"]] == [SLOW.delay_ns, 2.5]
    _, table = report.tables()
    assert table.row_count == 2
    assert "up to 400.0 MHz, limited by sense" in str(table.title)
