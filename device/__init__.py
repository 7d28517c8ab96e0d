"""The memory device: junction, magnetisation, bit cell, sensing, and the contract that they offer a machine."""

from .biasing import BiasCheck, check_biasing, check_overlap, write_overlap
from .electrical import electrical, machine_clock
from .exclusive import ExclusiveSense, exclusive_sense
from .faults import draw_fault_map
from .monte_carlo import MonteCarlo, monte_carlo
from .references import REFERENCES, place_reference, reference_errors
from .sensing import Margin, decisions, margin
from .technology import Sensing, Technology, load_technology, technology_names
from .transient import transient_faults
from .write import WriteErrors, WritePulse, write_error_rates, write_pulse

__all__ = [
    "REFERENCES",
    "BiasCheck",
    "ExclusiveSense",
    "Margin",
    "MonteCarlo",
    "Sensing",
    "Technology",
    "WriteErrors",
    "WritePulse",
    "check_biasing",
    "check_overlap",
    "decisions",
    "draw_fault_map",
    "electrical",
    "exclusive_sense",
    "load_technology",
    "machine_clock",
    "margin",
    "monte_carlo",
    "place_reference",
    "reference_errors",
    "technology_names",
    "transient_faults",
    "write_error_rates",
    "write_overlap",
    "write_pulse",
]
