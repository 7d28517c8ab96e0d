// A clock that stops: for simulation, and for synthesis with a library that has a latch; else a clock-gate cell takes
// its place.
//
// The latch lets an enable pass while the clock is low, so that no change of it meets a high clock. The enable is to
// be there before the rising edge, as data of a flip-flop is.
module clock_gate (
  input  wire clk,
  input  wire enable,
  output wire gated
);
  reg passes;

  always @*
    if (!clk) passes = enable;

  assign gated = clk & passes;
endmodule
