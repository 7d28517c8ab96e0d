// Behavioral model of a SOT-MRAM array: for simulation only, synthesis sees a black box.
//
// Write: one write word line (wwl) is held for WRITE_CYCLES clock edges with stable data; the columns in
// wbl_enable take wbl at the last edge. Sense: one (en_m) or two (en_and, en_or) read word lines (rwl) are held
// for SENSE_CYCLES edges; sense shows the result after the last edge and keeps it until the next one, 0 in
// columns that rbl_enable leaves out. What would break a real array, or shows a cell that was never written,
// stops the simulation with a message. With WRITE_OVERLAP other rows than the one under write may be sensed; without
// it none.
//
// Standby: no word line and no reference is high, and sense becomes 0. A write pulse that it cuts leaves the columns of
// its row unknown. The model waits for the first standby: before it, at power-up, lines may be unknown.
//
// Faults: +faults=FILE gives a fault map, one fault a line: kind, sub-array, row, column, value. Kind 0 is a cell
// that no write changes; kinds 1, 2 and 3 are sense amplifiers whose reference for EN_M, EN_AND or EN_OR has
// drifted: the sense shows 1 when at least `value` of the connected cells hold 1. The sub-array is the number
// in the instance sub_array_<n> around this one, 0 without.
//
// Variation: +variation=PREFIX gives the conductances of single cells, from PREFIX and the number of the
// sub-array, as $readmemh takes them. A word of 20 bits for each column: conductances of each row's cells that
// hold 0, then of each row's that hold 1, then the references of EN_M, EN_AND and EN_OR. The sense shows 1 when
// the conductances of the connected cells sum up to less than the reference, in place of kinds 1, 2 and 3 above.

`ifndef SYNTHESIS
module sot_mram_array #(
  parameter ROWS = 512,
  parameter COLUMNS = 256,
  parameter SENSE_CYCLES = 1,
  parameter WRITE_CYCLES = 2,
  parameter WRITE_OVERLAP = 0
) (
  input  wire               clk,
  input  wire               standby,
  input  wire [ROWS-1:0]    wwl,
  input  wire [COLUMNS-1:0] wbl,
  input  wire [COLUMNS-1:0] wbl_enable,
  input  wire [ROWS-1:0]    rwl,
  input  wire [COLUMNS-1:0] rbl_enable,
  input  wire               en_m,
  input  wire               en_and,
  input  wire               en_or,
  output reg  [COLUMNS-1:0] sense
);
  localparam INDEX_BITS = $clog2(ROWS);

  reg [COLUMNS-1:0] cells   [0:ROWS-1];
  reg [COLUMNS-1:0] written [0:ROWS-1];

  // Events, one for each completed row operation.
  integer writes, reads, ands, ors;

  integer write_edges, sense_edges;
  reg               powered;
  reg [ROWS-1:0]    held_wwl, held_rwl;
  reg [COLUMNS-1:0] held_wbl, held_wbl_enable, held_rbl_enable;
  reg [2:0]         held_references;

  integer row, bit_index;

  // Columns by the number of cells holding 1 from which they show 1: bit COLUMNS·t + c for t = 0, 1, 2.
  reg faulty;
  reg [COLUMNS-1:0] stuck [0:ROWS-1];
  reg [COLUMNS-1:0] stuck_at [0:ROWS-1];
  reg [3*COLUMNS-1:0] read_from, and_from, or_from;

  localparam CONDUCTANCE_BITS = 20;
  localparam PLACE_BITS = $clog2((2*ROWS+3)*COLUMNS);
  reg varied;
  reg [CONDUCTANCE_BITS-1:0] conductances [0:(2*ROWS+3)*COLUMNS-1];

  integer file, fields, kind, fault_sub_array, fault_row, fault_column, fault_value, own_sub_array;
  string file_name;

  task read_faults;
    begin
      own_sub_array = sub_array_of_path(0);
      for (row = 0; row < ROWS; row = row + 1) begin
        stuck[row] = 0;
        stuck_at[row] = 0;
      end
      read_from = {{COLUMNS{1'b0}}, {COLUMNS{1'b1}}, {COLUMNS{1'b0}}};
      and_from = {{COLUMNS{1'b1}}, {COLUMNS{1'b0}}, {COLUMNS{1'b0}}};
      or_from = read_from;
      file = $fopen(file_name, "r");
      if (file == 0) $fatal(1, "sot_mram_array %m: the fault map cannot be read");
      fields = 5;
      while (fields == 5) begin
        fields = $fscanf(file, "%d %d %d %d %d\n", kind, fault_sub_array, fault_row, fault_column, fault_value);
        if (fields == 5 && fault_sub_array == own_sub_array) begin
          if (kind == 0) begin
            if (fault_row >= ROWS) $fatal(1, "sot_mram_array %m: the fault map names row %0d", fault_row);
            stuck[fault_row][fault_column] = 1;
            stuck_at[fault_row][fault_column] = fault_value != 0;
          end
          for (bit_index = 0; bit_index < 3; bit_index = bit_index + 1) begin
            if (kind == 1) read_from[COLUMNS*bit_index + fault_column] = fault_value == bit_index;
            if (kind == 2) and_from[COLUMNS*bit_index + fault_column] = fault_value == bit_index;
            if (kind == 3) or_from[COLUMNS*bit_index + fault_column] = fault_value == bit_index;
          end
        end
      end
      $fclose(file);
    end
  endtask

  string variation_prefix, variation_name;

  task read_variation;
    begin
      variation_name = $sformatf("%s%0d", variation_prefix, sub_array_of_path(0));
      file = $fopen(variation_name, "r");
      if (file == 0) $fatal(1, "sot_mram_array %m: the variation cannot be read");
      $fclose(file);
      $readmemh(variation_name, conductances);
    end
  endtask

  // The number after the last "sub_array_" in the path of this instance.
  reg [8*1024-1:0] path;

  function integer sub_array_of_path(input integer none);
    integer at, digit;
    begin
      $sformat(path, "%m");
      sub_array_of_path = none;
      for (at = 1023 - 10; at >= 0; at = at - 1)
        if (path[8*(at + 1) +: 80] == "sub_array_" && path[8*at +: 8] >= "0" && path[8*at +: 8] <= "9") begin
          sub_array_of_path = 0;
          for (digit = at; digit >= 0 && path[8*digit +: 8] >= "0" && path[8*digit +: 8] <= "9"; digit = digit - 1)
            sub_array_of_path = 10 * sub_array_of_path + ({24'd0, path[8*digit +: 8]} - 48);
        end
    end
  endfunction

  // What the amplifiers show of cells a and b, for thresholds `from`.
  function [COLUMNS-1:0] shown(input [3*COLUMNS-1:0] from, input [COLUMNS-1:0] a, input [COLUMNS-1:0] b);
    shown = from[0 +: COLUMNS] | (from[COLUMNS +: COLUMNS] & (a | b)) | (from[2*COLUMNS +: COLUMNS] & a & b);
  endfunction

  // What the amplifiers show of cells a and b in rows row_a and row_b; a read has no b. Column by column: operations
  // on whole rows of conductances are long code, which a simulator repeats for every array.
  reg [INDEX_BITS-1:0] row_a, row_b;
  reg [CONDUCTANCE_BITS-1:0] conductance;
  reg [PLACE_BITS-1:0] place_of_a, place_of_b, place_of_reference;
  integer column;

  function [COLUMNS-1:0] shown_by_conductance(input [COLUMNS-1:0] a, input [COLUMNS-1:0] b);
    for (column = 0; column < COLUMNS; column = column + 1) begin
      place_of_a = PLACE_BITS'(({{32-INDEX_BITS{1'b0}}, row_a} + (a[column] ? ROWS : 0)) * COLUMNS + column);
      place_of_b = PLACE_BITS'(({{32-INDEX_BITS{1'b0}}, row_b} + (b[column] ? ROWS : 0)) * COLUMNS + column);
      place_of_reference = PLACE_BITS'((2*ROWS + (en_m ? 0 : en_and ? 1 : 2)) * COLUMNS + column);
      conductance = conductances[place_of_a];
      if (!en_m) conductance = conductance + conductances[place_of_b];
      shown_by_conductance[column] = conductance < conductances[place_of_reference];
    end
  endfunction

  initial begin
    varied = $value$plusargs("variation=%s", variation_prefix);
    if (varied) read_variation;
    faulty = $value$plusargs("faults=%s", file_name);
    if (faulty) read_faults;
    powered = 0;
    writes = 0;
    reads = 0;
    ands = 0;
    ors = 0;
    write_edges = 0;
    sense_edges = 0;
    held_wwl = 0;
    held_rwl = 0;
    held_wbl = 0;
    held_wbl_enable = 0;
    held_rbl_enable = 0;
    held_references = 0;
    for (row = 0; row < ROWS; row = row + 1) begin
      cells[row] = 0;
      written[row] = 0;
    end
  end

  // Of a line that is on alone.
  function [INDEX_BITS-1:0] index_of(input [ROWS-1:0] line);
    index_of = INDEX_BITS'($clog2(line));
  endfunction

  // Without their lowest line that is on.
  wire [ROWS-1:0] wwl_rest = wwl & (wwl - 1'b1);
  wire [ROWS-1:0] rwl_rest = rwl & (rwl - 1'b1);
  wire [2:0] references = {en_or, en_and, en_m};
  reg [INDEX_BITS-1:0] row_d;

  always @(posedge clk)
    if (standby === 1'b1) begin
      powered <= 1;
      if (wwl !== 0 || rwl !== 0 || references !== 0)
        $fatal(1, "sot_mram_array %m: a word line or a reference is high in standby");
      forget_cut_row;
      write_edges <= 0;
      sense_edges <= 0;
      sense <= 0;
    end else if (powered) follow_lines;

  task forget_cut_row;
    begin
      row_d = index_of(held_wwl);
      if (write_edges != 0) written[row_d] <= written[row_d] & ~held_wbl_enable;
    end
  endtask

  task follow_lines;
    begin
      if ((^wwl) === 1'bx || (^rwl) === 1'bx || (^references) === 1'bx)
        $fatal(1, "sot_mram_array %m: word lines or references are not driven");
      if (WRITE_OVERLAP != 0 && (wwl & rwl) != 0)
        $fatal(1, "sot_mram_array %m: senses a row during its write pulse");
      if (WRITE_OVERLAP == 0 && wwl != 0 && (rwl != 0 || references != 0))
        $fatal(1, "sot_mram_array %m: sensing during a write pulse");
      write_rules;
      sense_rules;
    end
  endtask

  task write_rules;
    begin
      if (wwl == 0) begin
        if (write_edges != 0)
          $fatal(1, "sot_mram_array %m: write pulse of %0d cycles, the cell needs %0d", write_edges, WRITE_CYCLES);
      end else begin
        if (wwl_rest != 0) $fatal(1, "sot_mram_array %m: more than one write word line");
        if (write_edges != 0
            && (wwl != held_wwl || wbl_enable != held_wbl_enable || ((wbl ^ held_wbl) & wbl_enable) != 0))
          $fatal(1, "sot_mram_array %m: write word line or bit lines changed during a write pulse");
        held_wwl <= wwl;
        held_wbl <= wbl;
        held_wbl_enable <= wbl_enable;
        if (write_edges == WRITE_CYCLES - 1) begin
          row_d = index_of(wwl);
          if (faulty)
            cells[row_d] <= (((cells[row_d] & ~wbl_enable) | (wbl & wbl_enable)) & ~stuck[row_d])
                            | (stuck_at[row_d] & stuck[row_d] & (written[row_d] | wbl_enable));
          else cells[row_d] <= (cells[row_d] & ~wbl_enable) | (wbl & wbl_enable);
          written[row_d] <= written[row_d] | wbl_enable;
          writes <= writes + 1;
          write_edges <= 0;
        end else write_edges <= write_edges + 1;
      end
    end
  endtask

  reg [COLUMNS-1:0] sensed, unknown, other, other_written;
  reg [3*COLUMNS-1:0] thresholds;

  task sense_rules;
    begin
      if (rwl == 0) begin
        if (references != 0) $fatal(1, "sot_mram_array %m: a reference is enabled without a read word line");
        if (sense_edges != 0)
          $fatal(1, "sot_mram_array %m: sense of %0d cycles, the amplifier needs %0d", sense_edges, SENSE_CYCLES);
      end else begin
        if ((rwl_rest & (rwl_rest - 1'b1)) != 0) $fatal(1, "sot_mram_array %m: more than two read word lines");
        if (references == 0) $fatal(1, "sot_mram_array %m: no reference is enabled");
        if ((references & (references - 3'd1)) != 0) $fatal(1, "sot_mram_array %m: several references are enabled");
        if (en_m && rwl_rest != 0) $fatal(1, "sot_mram_array %m: EN_M senses one row, not two");
        if (!en_m && rwl_rest == 0) $fatal(1, "sot_mram_array %m: EN_AND and EN_OR sense two rows, not one");
        if (SENSE_CYCLES > 1 && sense_edges != 0
            && (rwl != held_rwl || rbl_enable != held_rbl_enable || references != held_references))
          $fatal(1, "sot_mram_array %m: read word lines, columns or reference changed during a sense");
        if (SENSE_CYCLES > 1) begin
          held_rwl <= rwl;
          held_rbl_enable <= rbl_enable;
          held_references <= references;
        end
        if (sense_edges == SENSE_CYCLES - 1) begin
          finish_sense;
          sense_edges <= 0;
        end else sense_edges <= sense_edges + 1;
      end
    end
  endtask

  task finish_sense;
    begin
      row_a = index_of(rwl & ~rwl_rest);
      row_b = en_m ? row_a : index_of(rwl_rest);
      if (en_m) begin
        sensed = cells[row_a];
        unknown = ~written[row_a];
        reads <= reads + 1;
      end else if (en_and) begin
        sensed = cells[row_a] & cells[row_b];
        unknown = (cells[row_a] | ~written[row_a]) & (cells[row_b] | ~written[row_b]) & ~sensed;
        ands <= ands + 1;
      end else begin
        sensed = cells[row_a] | cells[row_b];
        unknown = ~sensed & ~(written[row_a] & written[row_b]);
        ors <= ors + 1;
      end
      if (faulty) begin
        thresholds = en_m ? read_from : en_and ? and_from : or_from;
        // A read connects one cell: the other operand never reaches its threshold of 2.
        other = en_m ? {COLUMNS{1'b0}} : cells[row_b];
        other_written = en_m ? {COLUMNS{1'b1}} : written[row_b];
        sensed = shown(thresholds, cells[row_a], other);
        unknown = shown(thresholds, cells[row_a] | ~written[row_a], other | ~other_written) & ~sensed;
      end
      if (varied) begin
        sensed = shown_by_conductance(cells[row_a], cells[row_b]);
        unknown = (~written[row_a] | (en_m ? {COLUMNS{1'b0}} : ~written[row_b])) & rbl_enable;
        if (unknown != 0)
          unknown = shown_by_conductance(cells[row_a] | ~written[row_a], cells[row_b] | ~written[row_b]) & ~sensed;
      end
      if ((unknown & rbl_enable) != 0)
        $fatal(1, "sot_mram_array %m: senses an unknown cell in row %0d or %0d, columns %h",
               row_a, row_b, unknown & rbl_enable);
      sense <= sensed & rbl_enable;
    end
  endtask
endmodule
`endif
