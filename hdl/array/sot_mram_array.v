// Behavioral model of a SOT-MRAM array: for simulation only, synthesis sees a black box.
//
// Write: one write word line (wwl) is held for WRITE_CYCLES clock edges with stable data; the columns in
// wbl_enable take wbl at the last edge. Sense: one (en_m) or two (en_and, en_or) read word lines (rwl) are held
// for SENSE_CYCLES edges; sense shows the result after the last edge and keeps it until the next one, 0 in
// columns that rbl_enable leaves out. What would break a real array, or shows a cell that was never written,
// stops the simulation with a message. With WRITE_OVERLAP other rows than the one under write may be sensed; without
// it none. With XOR_SENSING en_and and en_or together sense the XOR of two rows: what en_or shows and en_and does not.
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
//
// Transient faults: +transient=FILE gives a seed and rates, as $readmemh takes them. Writes and senses of an array are
// counted from 0, apart; a hash of seed, cause, sub-array, this count and the column says which cells go wrong. A write
// that fails leaves a cell as it was. A sense turns cells over that it disturbs, after it has shown them. Decay turns
// cells over from one sense of the array to the next, and shows when their row is sensed.

`ifndef SYNTHESIS
module sot_mram_array #(
  parameter ROWS = 512,
  parameter COLUMNS = 256,
  parameter SENSE_CYCLES = 1,
  parameter WRITE_CYCLES = 2,
  parameter WRITE_OVERLAP = 0,
  parameter XOR_SENSING = 0
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

  integer row, column, bit_index;

  // Rows that are sensed, and their cells; a read has no b.
  reg [INDEX_BITS-1:0] row_a, row_b;
  reg [COLUMNS-1:0] cells_a, cells_b;

  // Columns by the number of cells holding 1 from which they show 1: bit COLUMNS·t + c for t = 0, 1, 2.
  reg faulty;
  reg [COLUMNS-1:0] stuck [0:ROWS-1];
  reg [COLUMNS-1:0] stuck_at [0:ROWS-1];
  reg [3*COLUMNS-1:0] read_from, and_from, or_from;

  // In 2^-63: the seed; shares of hits that turn a cell over, of writes of 0 and 1, then of read, AND and OR by the
  // cell and the one beside it; and of each of these, of decay, and each k, the probability that one of the next k + 1
  // columns is hit. Of AND and OR, the columns of the second row follow those of the first.
  localparam WRITES_TURN = 1, SENSES_TURN = 3, WRITES = 15, READS = WRITES + COLUMNS, ANDS = READS + COLUMNS;
  localparam ORS = ANDS + 2*COLUMNS, DECAYS = ORS + 2*COLUMNS, RATES = DECAYS + COLUMNS;
  reg transient;
  reg [63:0] rates [0:RATES-1];
  reg [63:0] seeds [0:4];
  reg [COLUMNS-1:0] decayed [0:ROWS-1];
  integer senses;

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

  string transient_name;

  task read_transient;
    begin
      file = $fopen(transient_name, "r");
      if (file == 0) $fatal(1, "sot_mram_array %m: the transient faults cannot be read");
      $fclose(file);
      $readmemh(transient_name, rates);
      for (column = 0; column < 5; column = column + 1)
        seeds[column] = word(word(rates[0], column), sub_array_of_path(0));
      for (row = 0; row < ROWS; row = row + 1) decayed[row] = 0;
      senses = 0;
    end
  endtask

  // Of the generator SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  reg [63:0] z;

  function [63:0] word(input [63:0] seed, input [31:0] number);
    begin
      z = seed + ({32'd0, number} + 64'd1) * 64'h9E3779B97F4A7C15;
      z = (z ^ (z >> 30)) * 64'hBF58476D1CE4E5B9;
      z = (z ^ (z >> 27)) * 64'h94D049BB133111EB;
      word = z ^ (z >> 31);
    end
  endfunction

  // What event `number` hits, of positions that have their rates from `base` on. The first hit at or after a position
  // is at the first rate that the position's word does not reach.
  reg [2*COLUMNS-1:0] hit;
  reg [63:0] event_seed, drawn;
  integer position, rate;

  task draw(input [63:0] seed, input integer number, input integer base, input integer positions);
    begin
      event_seed = word(seed, number);
      hit = 0;
      position = 0;
      while (position < positions) begin
        drawn = word(event_seed, 2*position) >> 1;
        if (drawn >= rates[base + positions - 1]) position = positions;
        else begin
          rate = base;
          while (drawn >= rates[rate]) rate = rate + 1;
          position = position + rate - base;
          if (position < positions) hit[position] = 1;
          position = position + 1;
        end
      end
    end
  endtask

  // The second word of a position that was hit.
  function [63:0] second(input integer at);
    second = word(event_seed, 2*at + 1) >> 1;
  endfunction

  reg [COLUMNS-1:0] turned_a, turned_b;
  reg [INDEX_BITS-1:0] decayed_row;

  // Columns of a write that do not take their bits, in turned_a.
  task draw_write;
    begin
      turned_a = 0;
      draw(seeds[0], writes, WRITES, COLUMNS);
      if (hit != 0)
        for (column = 0; column < COLUMNS; column = column + 1)
          if (hit[column]) turned_a[column] = second(column) < rates[WRITES_TURN + (wbl[column] ? 1 : 0)];
    end
  endtask

  task draw_decay;
    begin
      draw(seeds[4], senses, DECAYS, COLUMNS);
      if (hit != 0)
        for (column = 0; column < COLUMNS; column = column + 1)
          if (hit[column]) begin
            decayed_row = INDEX_BITS'(((second(column) >> 31) * ROWS) >> 32);
            decayed[decayed_row][column] = ~decayed[decayed_row][column];
          end
    end
  endtask

  // Cells that a sense of cells_a and cells_b turns over.
  task draw_disturb;
    begin
      turned_a = 0;
      turned_b = 0;
      if (en_m) draw(seeds[1], senses, READS, COLUMNS);
      else if (en_and) draw(seeds[2], senses, ANDS, 2*COLUMNS);
      else draw(seeds[3], senses, ORS, 2*COLUMNS);
      rate = SENSES_TURN + (en_m ? 0 : en_and ? 4 : 8);
      if (hit != 0)
        for (column = 0; column < COLUMNS; column = column + 1) begin
          if (hit[column] && rbl_enable[column])
            turned_a[column] = second(column)
              < rates[rate + (cells_a[column] ? 2 : 0) + (!en_m && cells_b[column] ? 1 : 0)];
          if (hit[COLUMNS + column] && rbl_enable[column])
            turned_b[column] = second(COLUMNS + column)
              < rates[rate + (cells_b[column] ? 2 : 0) + (cells_a[column] ? 1 : 0)];
        end
      if (faulty) begin
        turned_a = turned_a & ~stuck[row_a];
        turned_b = turned_b & ~stuck[row_b];
      end
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

  localparam [1:0] EN_M = 0, EN_AND = 1, EN_OR = 2;

  // What the amplifiers show of cells a and b in rows row_a and row_b. Column by column: operations
  // on whole rows of conductances are long code, which a simulator repeats for every array.
  reg [CONDUCTANCE_BITS-1:0] conductance;
  reg [PLACE_BITS-1:0] place_of_a, place_of_b, place_of_reference;

  function [COLUMNS-1:0] shown_by_conductance(
    input [1:0] reference, input [COLUMNS-1:0] a, input [COLUMNS-1:0] b
  );
    for (column = 0; column < COLUMNS; column = column + 1) begin
      place_of_a = PLACE_BITS'(({{32-INDEX_BITS{1'b0}}, row_a} + (a[column] ? ROWS : 0)) * COLUMNS + column);
      place_of_b = PLACE_BITS'(({{32-INDEX_BITS{1'b0}}, row_b} + (b[column] ? ROWS : 0)) * COLUMNS + column);
      place_of_reference = PLACE_BITS'((2*ROWS + {{30{1'b0}}, reference}) * COLUMNS + column);
      conductance = conductances[place_of_a];
      if (reference != EN_M) conductance = conductance + conductances[place_of_b];
      shown_by_conductance[column] = conductance < conductances[place_of_reference];
    end
  endfunction

  initial begin
    varied = $value$plusargs("variation=%s", variation_prefix);
    if (varied) read_variation;
    faulty = $value$plusargs("faults=%s", file_name);
    if (faulty) read_faults;
    transient = $value$plusargs("transient=%s", transient_name);
    if (transient) read_transient;
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
  wire exclusive = XOR_SENSING != 0 && references == 3'b110;
  reg [INDEX_BITS-1:0] row_d;
  reg [COLUMNS-1:0] taken;

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
          taken = wbl_enable;
          if (transient) begin
            draw_write;
            taken = wbl_enable & ~turned_a;
          end
          if (faulty)
            cells[row_d] <= (((cells[row_d] & ~taken) | (wbl & taken)) & ~stuck[row_d])
                            | (stuck_at[row_d] & stuck[row_d] & (written[row_d] | wbl_enable));
          else cells[row_d] <= (cells[row_d] & ~taken) | (wbl & taken);
          written[row_d] <= written[row_d] | wbl_enable;
          writes <= writes + 1;
          write_edges <= 0;
        end else write_edges <= write_edges + 1;
      end
    end
  endtask

  reg [COLUMNS-1:0] sensed, unknown, other, other_written, known_a, known_b;
  reg [3*COLUMNS-1:0] thresholds;
  reg [1:0] reference;

  task sense_rules;
    begin
      if (rwl == 0) begin
        if (references != 0) $fatal(1, "sot_mram_array %m: a reference is enabled without a read word line");
        if (sense_edges != 0)
          $fatal(1, "sot_mram_array %m: sense of %0d cycles, the amplifier needs %0d", sense_edges, SENSE_CYCLES);
      end else begin
        if ((rwl_rest & (rwl_rest - 1'b1)) != 0) $fatal(1, "sot_mram_array %m: more than two read word lines");
        if (references == 0) $fatal(1, "sot_mram_array %m: no reference is enabled");
        if ((references & (references - 3'd1)) != 0 && !exclusive)
          $fatal(1, "sot_mram_array %m: several references are enabled");
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

  // Both amplifiers decide, with 0 and with 1 in unknown cells. One that is undecided leaves the XOR unknown, unless the
  // other one holds it at 0.
  reg [COLUMNS-1:0] and_with_0, and_with_1, or_with_0, or_with_1;

  function [COLUMNS-1:0] decided(input [1:0] by, input [COLUMNS-1:0] a, input [COLUMNS-1:0] b);
    if (varied) decided = shown_by_conductance(by, a, b);
    else if (faulty) decided = shown(by == EN_AND ? and_from : or_from, a, b);
    else decided = by == EN_AND ? a & b : a | b;
  endfunction

  task decide_exclusive;
    begin
      and_with_0 = decided(EN_AND, known_a, known_b);
      and_with_1 = decided(EN_AND, cells_a | ~written[row_a], cells_b | ~written[row_b]);
      or_with_0 = decided(EN_OR, known_a, known_b);
      or_with_1 = decided(EN_OR, cells_a | ~written[row_a], cells_b | ~written[row_b]);
      sensed = or_with_0 & ~and_with_1;
      unknown = or_with_1 & ~and_with_0 & (~or_with_0 | and_with_1);
    end
  endtask

  task finish_sense;
    begin
      row_a = index_of(rwl & ~rwl_rest);
      row_b = en_m ? row_a : index_of(rwl_rest);
      cells_a = cells[row_a];
      cells_b = cells[row_b];
      if (transient) meet_decay;
      // A cell that is unknown may hold anything, what it held before its write was cut included.
      known_a = cells_a & written[row_a];
      known_b = cells_b & written[row_b];
      if (en_m) begin
        sensed = known_a;
        unknown = ~written[row_a];
        reads <= reads + 1;
      end else if (en_and) begin
        sensed = known_a & known_b;
        unknown = (cells_a | ~written[row_a]) & (cells_b | ~written[row_b]) & ~sensed;
        ands <= ands + 1;
        if (exclusive) ors <= ors + 1;
      end else begin
        sensed = known_a | known_b;
        unknown = ~sensed & ~(written[row_a] & written[row_b]);
        ors <= ors + 1;
      end
      if (faulty) begin
        thresholds = en_m ? read_from : en_and ? and_from : or_from;
        // A read connects one cell: the other operand never reaches its threshold of 2.
        other = en_m ? {COLUMNS{1'b0}} : known_b;
        other_written = en_m ? {COLUMNS{1'b1}} : written[row_b];
        sensed = shown(thresholds, known_a, other);
        unknown = shown(thresholds, cells_a | ~written[row_a], other | ~other_written) & ~sensed;
      end
      if (varied) begin
        reference = en_m ? EN_M : en_and ? EN_AND : EN_OR;
        sensed = shown_by_conductance(reference, known_a, known_b);
        unknown = (~written[row_a] | (en_m ? {COLUMNS{1'b0}} : ~written[row_b])) & rbl_enable;
        if (unknown != 0)
          unknown = shown_by_conductance(
            reference, cells_a | ~written[row_a], cells_b | ~written[row_b]) & ~sensed;
      end
      if (XOR_SENSING != 0 && exclusive) decide_exclusive;
      if ((unknown & rbl_enable) != 0)
        $fatal(1, "sot_mram_array %m: senses an unknown cell in row %0d or %0d, columns %h",
               row_a, row_b, unknown & rbl_enable);
      sense <= sensed & rbl_enable;
      if (transient) begin
        draw_disturb;
        senses <= senses + 1;
        cells[row_a] <= cells_a ^ turned_a;
        if (!en_m) cells[row_b] <= cells_b ^ turned_b;
      end
    end
  endtask

  task meet_decay;
    begin
      draw_decay;
      cells_a = cells_a ^ (decayed[row_a] & ~(faulty ? stuck[row_a] : {COLUMNS{1'b0}}));
      cells_b = cells_b ^ (decayed[row_b] & ~(faulty ? stuck[row_b] : {COLUMNS{1'b0}}));
      decayed[row_a] = 0;
      decayed[row_b] = 0;
    end
  endtask
endmodule
`endif
