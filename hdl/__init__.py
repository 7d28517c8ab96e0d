"""Amaranth components, one a file: the units of a sub-array and what joins them."""

from .activation import ACTIVATION_CONFIGURATION, Activation
from .batch_norm import BatchNorm
from .bit_counter import BitCounter
from .command import STEP, command_layout, row_layout
from .counters import COUNTERS, Counters
from .dpu import DPU_CONFIGURATION, Dpu
from .engine import Engine, result_layout
from .imce import Imce
from .multi_line_row_decoder import MultiLineRowDecoder
from .output_former import OutputFormer, beat_layout, write_layout
from .pooling import Pooling
from .quantizer import Quantizer, configuration_layout
from .reference_select import ReferenceSelect, Sense
from .row_decoder import RowDecoder
from .shifter import RoundingShifter, Shifter
from .sot_mram_array import SotMramArray
from .sub_array import SubArray
from .sub_array_controller import SubArrayController
from .sum import Sum
from .window_correction import WindowCorrection

__all__ = [
    "ACTIVATION_CONFIGURATION",
    "COUNTERS",
    "DPU_CONFIGURATION",
    "STEP",
    "Activation",
    "BatchNorm",
    "BitCounter",
    "Counters",
    "Dpu",
    "Engine",
    "Imce",
    "MultiLineRowDecoder",
    "OutputFormer",
    "Pooling",
    "Quantizer",
    "ReferenceSelect",
    "RoundingShifter",
    "RowDecoder",
    "Sense",
    "Shifter",
    "SotMramArray",
    "SubArray",
    "SubArrayController",
    "Sum",
    "WindowCorrection",
    "beat_layout",
    "command_layout",
    "configuration_layout",
    "result_layout",
    "row_layout",
    "write_layout",
]
