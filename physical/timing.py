"""Worst paths of mapped modules, by OpenSTA."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import SpinplaneError, check_name

from .area import Timing, TimingPath

# What stands for each bit of a black box's ports: a flip-flop that takes no time.
_MEMORY_LIBRARY = """\
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
_NETLIST = """\
read_liberty -lib memories.lib
techmap -map memories.v
hierarchy -top {top}
rename -wire
write_verilog -noattr -simple-lhs {top}.netlist.v
"""
_MODULE = re.compile(r"module (\w+) #\(\n(.*?)\n\) \(\n(.*?)\n\);\nendmodule", re.DOTALL)
_PORT = re.compile(r"^ *(input|output) .*?(\w+),?$", re.MULTILINE)

# Delays are told as the slack to a period of one nanosecond. What OpenSTA cannot read it drops and goes on, so that
# every line of error counts, and an answer is complete only with its last line.
_SCRIPT = """\
set link_make_black_boxes 0
read_liberty ./library.lib
read_liberty ./memories.lib
set_cmd_units -time ns
{netlists}link_design {top}
set inputs {{}}
set clock {{}}
foreach port [all_inputs] {{
  if {{[get_full_name $port] eq "clk"}} {{ lappend clock $port }} else {{ lappend inputs $port }}
}}
if {{[llength $clock]}} {{ create_clock -name clock -period 1 $clock }} else {{ create_clock -name clock -period 1 }}
if {{[llength $inputs]}} {{ set_input_delay 0 -clock clock $inputs }}
set outputs [all_outputs]
if {{[llength $outputs]}} {{ set_output_delay 0 -clock clock $outputs }}
proc tell {{kind ends}} {{
  foreach end $ends {{
    puts "$kind [get_property $end slack]"
    puts "start [get_full_name [get_property $end startpoint]]"
    puts "end [get_full_name [get_property $end endpoint]]"
  }}
}}
set from [all_registers -clock_pins]
set to [all_registers -data_pins]
if {{[llength $from] && [llength $to]}} {{ tell between_registers [find_timing_paths -from $from -to $to] }}
tell with_ports [find_timing_paths]
puts "complete"
"""
_PATH = re.compile(r"^(between_registers|with_ports) (\S+)\nstart (.*)\nend (.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class OpenSta:
    """An OpenSTA that can be run: its ``program`` and its ``version``."""

    program: str
    version: str

    def __str__(self) -> str:
        return f"OpenSTA {self.version}"


def find_sta() -> OpenSta:
    """The ``sta`` on PATH.

    Raises
    ------
    SpinplaneError
        If there is none.
    """
    program = shutil.which("sta")
    if program is None:
        raise SpinplaneError("no OpenSTA (program sta) is installed: `apt-get install opensta`")
    run = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", run.stdout + run.stderr)
    if found is None:
        raise SpinplaneError(f"{program}: is not OpenSTA")
    return OpenSta(program=program, version=found[0])


def netlist_files(stubs: Mapping[str, str]) -> dict[str, str]:
    """Files that `netlist_script` and `worst_paths` read, by name.

    Parameters
    ----------
    stubs : mapping of str to str
        Verilog of the ports of each black box.
    """
    return {"memories.lib": _MEMORY_LIBRARY, "memories.v": _memory_map("".join(stubs.values()))}


def netlist_script(top: str) -> str:
    """Yosys commands that write the mapped module in memory as OpenSTA can read it, to ``TOP.netlist.v``.

    The black boxes in it become bits at which paths end and begin. Instances get the names of what they drive.
    """
    return _NETLIST.format(top=check_name("module", top))


def worst_paths(modules: Sequence[str], top: str, workdir: Path, sta: OpenSta) -> Timing:
    """Worst paths of a module and of all that it places.

    The clock is ideal, wires have no delay and no capacitance; inputs change at the clock's edge, at once and however
    many cells they drive; outputs have no load and are due at the edge.

    Parameters
    ----------
    modules : sequence of str
        `top` and what it places, at any depth.
    top : str
    workdir : Path
        Holds ``library.lib``, `netlist_files`, and the netlist of each module.
    sta : OpenSta

    Raises
    ------
    SpinplaneError
        If OpenSTA reports an error or does not finish.
    """
    netlists = "".join(f"read_verilog ./{check_name('module', name)}.netlist.v\n" for name in modules)
    script = f"{top}.tcl"
    text = _SCRIPT.format(netlists=netlists, top=check_name("module", top))
    (workdir / script).write_text(text, encoding="utf-8")
    run = subprocess.run(
        [sta.program, "-no_init", "-no_splash", "-exit", script],
        cwd=workdir,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if error := re.search(r"^Error: (.*)$", run.stdout, re.MULTILINE):
        raise SpinplaneError(f"{sta}: {error[1]}")
    if not run.stdout.rstrip().endswith("complete"):
        raise SpinplaneError(f"{sta}: did not finish with {top}")
    paths: dict[str, TimingPath] = {}
    for kind, slack, start, end in _PATH.findall(run.stdout):
        path = TimingPath(delay_ns=round(1 - float(slack), 4), start=_plain(start), end=_plain(end))
        paths[kind] = max(paths.get(kind, path), path, key=lambda path: path.delay_ns)
    return Timing(between_registers=paths.get("between_registers"), with_ports=paths.get("with_ports"))


def _plain(pin: str) -> str:
    """Name of a pin without escapes and without the cell's type, which follows on what the instance drives."""
    return re.sub(r"\\+(?:\w+(?=/|$))?", "", pin)


def _memory_map(stubs: str) -> str:
    """Verilog of each black box as one `memory_bit` for each bit of its ports."""
    text = ""
    for name, parameters, ports in _MODULE.findall(stubs):
        bits = "".join(
            f"  memory_bit {port}_bit [$bits({port})-1:0] (.C(clk), .{'D' if flow == 'input' else 'Q'}({port}));\n"
            for flow, port in _PORT.findall(ports)
            if port != "clk"
        )
        text += f'(* techmap_celltype = "{name}" *)\n'
        text += f"module {name}_bits #(\n{parameters}\n) (\n{ports}\n);\n{bits}endmodule\n"
    return text
