"""Counts of FPGA primitives."""

from collections import Counter

import pytest

from spinplane.machine import Name, SpinplaneError
from spinplane.physical.area import Figures
from spinplane.physical.fpga import FPGA_FAMILIES, FpgaTarget
from spinplane.physical.synthesis import map_modules
from spinplane.physical.yosys import find_yosys

LOGIC = """
module logic_ (input clk, input [3:0] a, input [15:0] x, output reg q, output reg [15:0] count);
  always @(posedge clk) q <= ^a;
  always @(posedge clk) count <= count + x;
endmodule
"""


@pytest.mark.parametrize(
    ("family", "cells", "carries"),
    [("xc7", {"CARRY4": 4}, 4), ("ecp5", {"CCU2C": 8}, 8), ("ice40", {"SB_CARRY": 15}, 15)],
)
def test_logic_and_a_counter(family: str, cells: dict[str, int], carries: int) -> None:
    target = FpgaTarget(family=family)
    mapped = map_modules({Name("logic_"): LOGIC}, {}, target, find_yosys())["logic_"]
    assert cells.items() <= mapped.items()
    figures = target.figures(mapped)
    assert (figures.flip_flops, figures.carries) == (17, carries)
    assert figures.luts is not None
    assert figures.luts >= 1
    assert (figures.memories, figures.multipliers, figures.area_um2) == (0, 0, None)
    assert figures.cells == figures.luts + 17 + carries


@pytest.mark.parametrize(
    ("family", "cells"),
    [
        (
            "xc7",
            {
                "LUT1": 1,
                "LUT6": 2,
                "INV": 1,
                "FDRE": 1,
                "FDSE_1": 1,
                "CARRY4": 1,
                "RAMB18E1": 1,
                "DSP48E1": 1,
            },
        ),
        ("ecp5", {"LUT4": 4, "TRELLIS_FF": 2, "CCU2C": 1, "DP16KD": 1, "MULT18X18D": 1}),
        (
            "ice40",
            {"SB_LUT4": 4, "SB_DFF": 1, "SB_DFFE": 1, "SB_CARRY": 1, "SB_RAM40_4K": 1, "SB_MAC16": 1},
        ),
    ],
)
def test_kinds_of_primitives(family: str, cells: dict[str, int]) -> None:
    assert FpgaTarget(family=family).figures(Counter(cells)) == Figures(
        cells=9, flip_flops=2, luts=4, carries=1, memories=1, multipliers=1
    )


def test_unknown_family() -> None:
    assert FPGA_FAMILIES == ("xc7", "ecp5", "ice40")
    with pytest.raises(SpinplaneError) as error:
        FpgaTarget(family="xc9")
    assert str(error.value) == "fpga = 'xc9': must be one of xc7, ecp5, ice40"
