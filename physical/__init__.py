"""The cost of a machine in silicon: synthesis, area and worst paths."""

from .area import AreaReport, Block, Figures, Part, SubArrays
from .asic import ADDERS
from .clock import ClockLimit, ClockLimits
from .fpga import FPGA_FAMILIES
from .gate_report import GateReport
from .gates import check_gates
from .liberty import cell_figures, library_cells, library_text
from .library import Library, read_library
from .paths import Timing, TimingPath
from .synthesis import synthesize
from .timing import OpenSta, find_sta
from .yosys import ENGINES, Yosys, find_yosys, run_script

__all__ = [
    "ADDERS",
    "ENGINES",
    "FPGA_FAMILIES",
    "AreaReport",
    "Block",
    "ClockLimit",
    "ClockLimits",
    "Figures",
    "GateReport",
    "Library",
    "OpenSta",
    "Part",
    "SubArrays",
    "Timing",
    "TimingPath",
    "Yosys",
    "cell_figures",
    "check_gates",
    "find_sta",
    "find_yosys",
    "library_cells",
    "library_text",
    "read_library",
    "run_script",
    "synthesize",
]
