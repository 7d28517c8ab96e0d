"""The cost of a machine in silicon: synthesis and area."""

from .area import AreaReport, Block, Figures, Part, SubArrays
from .fpga import FPGA_FAMILIES
from .liberty import library_cells, library_text
from .library import Library, read_library
from .synthesis import synthesize
from .yosys import ENGINES, Yosys, find_yosys, run_script

__all__ = [
    "ENGINES",
    "FPGA_FAMILIES",
    "AreaReport",
    "Block",
    "Figures",
    "Library",
    "Part",
    "SubArrays",
    "Yosys",
    "find_yosys",
    "library_cells",
    "library_text",
    "read_library",
    "run_script",
    "synthesize",
]
