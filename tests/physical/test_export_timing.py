"""OpenSTA reads what an export has for static timing, with the mapped netlist of the same machine."""

import re
from pathlib import Path

import pytest

from spinplane.device import load_technology, machine_clock
from spinplane.evaluation import memory_times
from spinplane.hdl.export.files import export
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, stubs
from spinplane.hdl.export.memories import machine_memories
from spinplane.machine import Machine
from spinplane.machine.external.process import run
from spinplane.physical.asic import AsicTarget
from spinplane.physical.library import read_library
from spinplane.physical.synthesis import map_modules
from spinplane.physical.timing import Netlists, find_sta, placed_modules, worst_paths
from spinplane.physical.yosys import find_yosys

GSCL45NM = Path(__file__).parents[3] / "shared" / "pdk" / "gscl45nm.lib"
MACHINE = Machine(
    name="small", sub_arrays=1, rows=8, columns=16, segments=1, accumulator_bits=16, memory_operations=True
)
TOLD = """
foreach line {wwl rwl} {
  set pins [get_pins -of_objects [get_cells -hierarchical -filter "ref_name == sot_mram_array_8x16" *] \
    -filter "lib_pin_name =~ $line*"]
  set path [find_timing_paths -from [all_registers -clock_pins] -to $pins]
  puts "$line [get_property $path slack]"
}
puts "from reset [llength [find_timing_paths -from [get_ports rst]]]"
"""


@pytest.mark.thorough
def test_opensta_reads_an_export(tmp_path: Path) -> None:
    """Cells, and lines that are held, are those of the design; the asynchronous reset is no path."""
    technology = load_technology("sot-mram")
    times, clock = memory_times(MACHINE, technology).middle, machine_clock(MACHINE, technology)
    folder, work = tmp_path / "export", tmp_path / "work"
    work.mkdir()
    export(MACHINE, folder, clock=clock, times=times, asynchronous_reset=True)
    modules = machine_verilog(MACHINE, asynchronous_reset=True)
    netlists = Netlists(folder=work, memories=machine_memories(MACHINE, modules, times))
    target, sta = AsicTarget(library=read_library(GSCL45NM)), find_sta()
    cells = map_modules(modules, stubs(MACHINE), target, find_yosys(), netlists=netlists)
    found = worst_paths(ACCELERATOR, cells, netlists, sta)
    assert found.write is not None
    assert found.sense is not None

    lines = ["set link_make_black_boxes 0", "read_liberty library.lib", f"read_liberty {folder}/memories.lib"]
    lines += [f"read_verilog {name}.netlist.v" for name in placed_modules(ACCELERATOR, cells)]
    lines += [f"link_design {ACCELERATOR}", f"read_sdc {folder}/accelerator.sdc", TOLD]
    (work / "export.tcl").write_text("\n".join(lines), encoding="utf-8")
    ended = run([sta.program, "-no_init", "-no_splash", "-exit", "export.tcl"], folder=work, together=True)
    told = re.fullmatch(r"wwl (\S+)\nrwl (\S+)\nfrom reset 0", ended.output.strip())
    assert told is not None, ended.output
    period_ns = 1e9 / clock.clock_hz
    write, sense = (float(slack) for slack in told.groups())
    assert write >= MACHINE.write_cycles * period_ns - found.write.delay_ns - 1e-3
    assert sense == pytest.approx(MACHINE.sense_cycles * period_ns - found.sense.delay_ns, abs=1e-3)


@pytest.mark.thorough
def test_files_of_an_export_without_a_clock(tmp_path: Path) -> None:
    """Nothing is known of its memories."""
    found = export(MACHINE, tmp_path)
    assert not {"memories.lib", "memory_cells.v", "timing.f", "accelerator.sdc"} & set(found.files)
