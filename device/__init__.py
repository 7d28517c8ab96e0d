"""The memory device: junction, magnetisation, bit cell, sensing, and the contract that they offer a machine."""

from .biasing import BiasCheck, check_biasing, check_overlap, write_overlap
from .electrical import check_machine, electrical
from .faults import draw_fault_map
from .monte_carlo import MonteCarlo, monte_carlo
from .parameters import Parameter
from .sensing import Margin, decisions, margin
from .technology import Technology, load_technology, technology_names
from .write import WriteErrors, WritePulse, write_error_rates, write_pulse

__all__ = [
    "BiasCheck",
    "Margin",
    "MonteCarlo",
    "Parameter",
    "Technology",
    "WriteErrors",
    "WritePulse",
    "check_biasing",
    "check_machine",
    "check_overlap",
    "decisions",
    "draw_fault_map",
    "electrical",
    "load_technology",
    "margin",
    "monte_carlo",
    "technology_names",
    "write_error_rates",
    "write_overlap",
    "write_pulse",
]
