"""The cost of a machine in silicon: synthesis, area and worst paths."""

from .area import AreaReport, Block, Figures, Part, SubArrays, Timing, TimingPath
from .asic import ADDERS
from .fpga import FPGA_FAMILIES
from .gate_report import GateReport
from .gates import check_gates
from .liberty import library_cells, library_text
from .library import Library, read_library
from .synthesis import synthesize
from .timing import OpenSta, find_sta
from .yosys import ENGINES, Yosys, find_yosys, run_script

__all__ = [
    "ADDERS",
    "ENGINES",
    "FPGA_FAMILIES",
    "AreaReport",
    "Block",
    "Figures",
    "GateReport",
    "Library",
    "OpenSta",
    "Part",
    "SubArrays",
    "Timing",
    "TimingPath",
    "Yosys",
    "check_gates",
    "find_sta",
    "find_yosys",
    "library_cells",
    "library_text",
    "read_library",
    "run_script",
    "synthesize",
]
