"""Amaranth components, one a file: the accelerator, its units and what joins them."""

from .accelerator import Accelerator
from .activation import ACTIVATION_CONFIGURATION, Activation
from .axi_bank import AxiBank
from .axi_registers import AxiRegisters
from .bank import Bank, WideBank
from .batch_norm import BatchNorm
from .bit_counter import BitCounter
from .command import STEP, command_layout, row_layout
from .counters import COUNTERS, Counters
from .dpu import Dpu, lane_beat_layout
from .engine import Engine
from .layer_controller import LayerController
from .multi_line_row_decoder import MultiLineRowDecoder
from .output_former import OutputFormer, beat_layout, write_layout
from .pooling import Pooling
from .quantizer import Quantizer
from .reference_select import ReferenceSelect, Sense
from .residual_reader import ResidualReader
from .result_walk import ResultWalk
from .row_decoder import RowDecoder
from .row_former import RowFormer
from .row_sum import RowSum
from .row_walk import RowWalk
from .run_walk import RunWalk
from .sequencer import Sequencer
from .serial_product import SerialProduct
from .shifter import RoundingShifter, Shifter
from .sot_mram_array import SotMramArray
from .sub_array import SubArray
from .sub_array_controller import SubArrayController
from .sum import Sum
from .way_out import WayOut
from .window_correction import WindowCorrection
from .window_sum import WindowSum
from .write_controller import WriteController

__all__ = [
    "ACTIVATION_CONFIGURATION",
    "COUNTERS",
    "STEP",
    "Accelerator",
    "Activation",
    "AxiBank",
    "AxiRegisters",
    "Bank",
    "BatchNorm",
    "BitCounter",
    "Counters",
    "Dpu",
    "Engine",
    "LayerController",
    "MultiLineRowDecoder",
    "OutputFormer",
    "Pooling",
    "Quantizer",
    "ReferenceSelect",
    "ResidualReader",
    "ResultWalk",
    "RoundingShifter",
    "RowDecoder",
    "RowFormer",
    "RowSum",
    "RowWalk",
    "RunWalk",
    "Sense",
    "Sequencer",
    "SerialProduct",
    "Shifter",
    "SotMramArray",
    "SubArray",
    "SubArrayController",
    "Sum",
    "WayOut",
    "WideBank",
    "WindowCorrection",
    "WindowSum",
    "WriteController",
    "beat_layout",
    "command_layout",
    "lane_beat_layout",
    "row_layout",
    "write_layout",
]
