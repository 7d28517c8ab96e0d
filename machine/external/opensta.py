"""Scripts for OpenSTA, in Tcl."""

from collections.abc import Iterable, Sequence

from ..names import DottedName, Name
from .text import Text, fill, joined

# Delays are told as the slack to a period of one nanosecond. What OpenSTA cannot read it drops and goes on, so that
# every complaint counts, instances are counted, and an answer is complete only with its last line. Paths to lines that
# are held for several cycles, and those of banks, are told first and then left out.
_SCRIPT = """\
set link_make_black_boxes 0
read_liberty ./library.lib
read_liberty ./@memories@.lib
set_cmd_units -time ns
@netlists@link_design @top@
set arrays {}
set banks {}
foreach cell [get_cells -quiet -hierarchical *] {
  set type [get_property $cell ref_name]
  incr count($type)
  if {$type in {@arrays@}} { lappend arrays $cell }
  if {$type in {@banks@}} { lappend banks $cell }
}
foreach {type number} [array get count] { puts "count $number $type" }
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
proc pins {cells names} {
  set found {}
  foreach pin [get_pins -of_objects $cells] {
    if {[lindex [split [get_property $pin lib_pin_name] "\\["] 0] in $names} { lappend found $pin }
  }
  return $found
}
if {[llength $arrays]} {
  set sense [pins $arrays {@sense@}]
  set write [pins $arrays {@write@}]
  tell sense [find_timing_paths -to $sense]
  tell write [find_timing_paths -to $write]
  set_false_path -to [concat $sense $write]
}
if {[llength $banks]} {
  set clocked [pins $banks clk]
  set taken [pins $banks {write__enable write__address write__data write__mask read__enable read__address}]
  tell banks [find_timing_paths -from $clocked]
  tell banks [find_timing_paths -to $taken]
  set_false_path -from $clocked
  set_false_path -to $taken
}
set from [all_registers -clock_pins]
set to [all_registers -data_pins]
if {[llength $from] && [llength $to]} { tell between_registers [find_timing_paths -from $from -to $to] }
tell with_ports [find_timing_paths]
puts "complete"
"""


def worst_paths_script(
    modules: Sequence[Name],
    top: Name,
    *,
    memories: Name,
    arrays: Iterable[DottedName] = (),
    banks: Iterable[DottedName] = (),
    sense: Iterable[Name] = (),
    write: Iterable[Name] = (),
) -> Text:
    """Commands that tell the worst paths of `top`, and its instances of each type.

    Read are ``library.lib``, that of the memories, and ``NAME.netlist.v`` of all modules. The clock is ideal; inputs
    change and outputs are due at its edge.

    Parameters
    ----------
    modules : sequence of Name
    top : Name
    memories : Name
        Library of the memories.
    arrays, banks : iterable of DottedName
        Cells that are memories.
    sense, write : iterable of Name
        Lines of an array that are held through a sense, and through a write.
    """
    netlists = joined(fill("read_verilog ./@name@.netlist.v\n", name=name) for name in modules)
    listed = {"arrays": arrays, "banks": banks, "sense": sense, "write": write}
    words = {key: joined((fill("@name@", name=name) for name in names), " ") for key, names in listed.items()}
    return fill(_SCRIPT, netlists=netlists, top=top, memories=memories, **words)
