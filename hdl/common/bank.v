// Behavioral model of a bank, an SRAM macro with one write port and READS read ports: for simulation only,
// synthesis sees a black box.
//
// A write changes the bits of a word that write__mask selects. What is read is there in the next cycle, and stays
// while read__enable is low; a read of the word that is written in the same cycle gives the old bits. Port r of
// several is bit r of read__enable and the r-th field of read__address and read__data. Enables may be unknown until a
// reset of what drives them. Beyond the last word a write does nothing and a read gives 0.
//
// All words are 0 at first, so that a simulation can show words that nobody wrote; no design is to rely on it.
`ifndef SYNTHESIS
module bank #(
  parameter WORDS = 16,
  parameter WIDTH = 32,
  parameter READS = 1,
  parameter ADDRESS_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
  input  wire                          clk,
  input  wire                          write__enable,
  input  wire [ADDRESS_BITS-1:0]       write__address,
  input  wire [WIDTH-1:0]              write__data,
  input  wire [WIDTH-1:0]              write__mask,
  input  wire [READS-1:0]              read__enable,
  input  wire [READS*ADDRESS_BITS-1:0] read__address,
  output reg  [READS*WIDTH-1:0]        read__data
);
  reg [WIDTH-1:0] words [0:WORDS-1];

  integer word, port;

  wire driven = (write__enable ^ ^read__enable) !== 1'bx;
  reg  powered;

  initial begin
    powered = 0;
    read__data = 0;
    for (word = 0; word < WORDS; word = word + 1) words[word] = 0;
  end

  always @(posedge clk) begin
    powered <= powered | driven;
    if (powered && !driven) $fatal(1, "bank %m: an enable is not driven");
    for (port = 0; port < READS; port = port + 1)
      if (read__enable[port])
        read__data[WIDTH*port +: WIDTH] <= word_at(read__address[ADDRESS_BITS*port +: ADDRESS_BITS]);
    if (write__enable && is_inside(write__address))
      words[write__address] <= (words[write__address] & ~write__mask) | (write__data & write__mask);
  end

  function is_inside(input [ADDRESS_BITS-1:0] address);
    is_inside = {1'b0, address} < WORDS[ADDRESS_BITS:0];
  endfunction

  function [WIDTH-1:0] word_at(input [ADDRESS_BITS-1:0] address);
    word_at = is_inside(address) ? words[address] : {WIDTH{1'b0}};
  endfunction
endmodule
`endif
