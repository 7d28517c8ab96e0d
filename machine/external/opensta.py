"""Scripts for OpenSTA, in Tcl, and the library of what is not mapped to cells."""

from collections.abc import Sequence

from ..names import Name
from .text import Text, fill, joined

# What stands for each bit of a black box's ports: a flip-flop that takes no time.
MEMORY_LIBRARY = fill(
    """\
library (memories) {
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1uA";
  capacitive_load_unit (1, ff);
  slew_lower_threshold_pct_rise : 20;
  slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_fall : 80;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
  cell (memory_bit) {
    area : 0;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; }
    pin (C) { direction : input; clock : true; capacitance : 0; }
    pin (D) {
      direction : input;
      capacitance : 0;
      timing () {
        related_pin : "C";
        timing_type : setup_rising;
        rise_constraint (scalar) { values ("0"); }
        fall_constraint (scalar) { values ("0"); }
      }
    }
    pin (Q) {
      direction : output;
      function : "IQ";
      timing () {
        related_pin : "C";
        timing_type : rising_edge;
        cell_rise (scalar) { values ("0"); }
        cell_fall (scalar) { values ("0"); }
        rise_transition (scalar) { values ("0"); }
        fall_transition (scalar) { values ("0"); }
      }
    }
  }
}
"""
)
"""``memories.lib``."""

# Delays are told as the slack to a period of one nanosecond. What OpenSTA cannot read it drops and goes on, so that
# every line of error counts, and an answer is complete only with its last line.
_SCRIPT = """\
set link_make_black_boxes 0
read_liberty ./library.lib
read_liberty ./memories.lib
set_cmd_units -time ns
@netlists@link_design @top@
set inputs {}
set clock {}
foreach port [all_inputs] {
  if {[get_full_name $port] eq "clk"} { lappend clock $port } else { lappend inputs $port }
}
if {[llength $clock]} { create_clock -name clock -period 1 $clock } else { create_clock -name clock -period 1 }
if {[llength $inputs]} { set_input_delay 0 -clock clock $inputs }
set outputs [all_outputs]
if {[llength $outputs]} { set_output_delay 0 -clock clock $outputs }
proc tell {kind ends} {
  foreach end $ends {
    puts "$kind [get_property $end slack]"
    puts "start [get_full_name [get_property $end startpoint]]"
    puts "end [get_full_name [get_property $end endpoint]]"
  }
}
set from [all_registers -clock_pins]
set to [all_registers -data_pins]
if {[llength $from] && [llength $to]} { tell between_registers [find_timing_paths -from $from -to $to] }
tell with_ports [find_timing_paths]
puts "complete"
"""


def worst_paths_script(modules: Sequence[Name], top: Name) -> Text:
    """Commands that tell the worst paths of `top`, of ``library.lib`` and ``NAME.netlist.v`` of all modules.

    The clock is ideal; inputs change and outputs are due at its edge.
    """
    netlists = joined(fill("read_verilog ./@name@.netlist.v\n", name=name) for name in modules)
    return fill(_SCRIPT, netlists=netlists, top=top)
