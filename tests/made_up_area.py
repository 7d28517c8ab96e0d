"""The report of a made-up netlist: cells of a library that no synthesis has placed."""

from collections import Counter
from collections.abc import Mapping

from spinplane.machine import Machine
from spinplane.physical import AreaReport, read_library
from spinplane.physical.asic import AsicTarget
from spinplane.physical.blocks import area_report


def area_of(machine: Machine, cells: Mapping[str, Counter[str]]) -> AreaReport:
    """What a machine's modules take whose cells are these."""
    return area_report(
        cells,
        AsicTarget(library=read_library()),
        top="accelerator",
        machine=machine.name,
        library="spinplane45",
        library_source="spinplane",
        yosys="Yosys 0",
        black_boxes=("sot_mram_array", "bank"),
    )
