"""Amaranth components, one a file: the units of a sub-array and what joins them."""

from .bit_counter import BitCounter
from .multi_line_row_decoder import MultiLineRowDecoder
from .pooling import Pooling
from .quantizer import Quantizer, configuration_layout
from .reference_select import ReferenceSelect, Sense
from .row_decoder import RowDecoder
from .shifter import RoundingShifter, Shifter
from .sum import Sum

__all__ = [
    "BitCounter",
    "MultiLineRowDecoder",
    "Pooling",
    "Quantizer",
    "ReferenceSelect",
    "RoundingShifter",
    "RowDecoder",
    "Sense",
    "Shifter",
    "Sum",
    "configuration_layout",
]
