"""Flip-flops of a machine: bits of the registers of its Verilog, as often as they are placed."""

from dataclasses import replace

from spinplane.evaluation.flip_flops import flip_flops, instances, placed_flip_flops
from spinplane.machine import load_machine
from spinplane.machine.external.cache_folder import default_build_root

MODULES = {
    "leaf": """module leaf(clk, q);
  output reg [6:0] q = 7'h00;
  reg [2:0] combinational;
  always @(posedge clk)
    q <= q_next;
  always @*
    combinational = q[2:0];
endmodule
""",
    "top": """module top(clk);
  reg \\one$1  = 1'h0;
  always @(posedge clk)
    \\one$1  <= two;
  leaf leaf_0 (
    .clk(clk)
  );
  leaf \\leaf[1]  (
    .clk(clk)
  );
  array #(
    .rows(32'd4)
  ) array (
    .clk(clk)
  );
endmodule
""",
}


def test_registers_count_as_often_as_they_are_placed() -> None:
    assert placed_flip_flops(MODULES, "leaf") == 7
    assert placed_flip_flops(MODULES, "top") == 15
    assert instances(MODULES, "top") == {"top": 1, "leaf": 2}


def test_a_machine_has_more_with_more_sub_arrays() -> None:
    tiny = load_machine("tiny")
    kept = default_build_root()
    assert 8_000 < flip_flops(tiny, kept) < 10_000
    assert flip_flops(replace(tiny, accumulator_bits=tiny.accumulator_bits + 1), kept) > flip_flops(
        tiny, kept
    )
