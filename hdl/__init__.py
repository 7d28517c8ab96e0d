"""Amaranth components, one per file: the accelerator, its units and their connections."""

from .accelerator import Accelerator
from .array.bit_counter import BitCounter
from .array.counters import COUNTERS, Counters
from .array.engine import Engine
from .array.multi_line_row_decoder import MultiLineRowDecoder
from .array.reference_select import ReferenceSelect, Sense
from .array.row_decoder import RowDecoder
from .array.shifter import Shifter
from .array.sot_mram_array import SotMramArray
from .array.sub_array import SubArray
from .array.sub_array_controller import SubArrayController
from .array.sum import Sum
from .array.write_controller import WriteController
from .common.bank import Bank, WideBank
from .common.channel_bank import ChannelBank
from .common.command import STEP, command_layout, row_layout
from .common.serial_multiplier import SerialMultiplier
from .control.layer_controller import LayerController
from .control.row_pair_generator import RowPairGenerator
from .control.sequencer import Sequencer
from .host.axi_bank import AxiBank
from .host.axi_registers import AxiRegisters
from .input.input_address_generator import InputAddressGenerator
from .input.input_streamer import InputStreamer
from .input.row_sum import RowSum
from .input.window_sum import WindowSum
from .output.activation import LANE_CONFIGURATION, LANE_STEP, Activation
from .output.batch_norm import BatchNorm
from .output.beat_walk import BeatWalk
from .output.cluster_steps import ClusterSteps
from .output.dpu import Dpu, lane_beat_layout
from .output.lane_phases import LanePhases
from .output.limiter import Limiter
from .output.lookup_walk import LookupWalk
from .output.multiplier import Multiplier
from .output.output_address_generator import OutputAddressGenerator
from .output.output_packer import OutputPacker
from .output.output_stage import OutputStage
from .output.pool_lane import PoolLane
from .output.pooling import Pooling
from .output.quantizer import Quantizer
from .output.residual_loader import ResidualLoader
from .output.scale_reader import ScaleReader
from .output.scaler import Scaler
from .output.window_correction import WindowCorrection

__all__ = [
    "COUNTERS",
    "LANE_CONFIGURATION",
    "LANE_STEP",
    "STEP",
    "Accelerator",
    "Activation",
    "AxiBank",
    "AxiRegisters",
    "Bank",
    "BatchNorm",
    "BeatWalk",
    "BitCounter",
    "ChannelBank",
    "ClusterSteps",
    "Counters",
    "Dpu",
    "Engine",
    "InputAddressGenerator",
    "InputStreamer",
    "LanePhases",
    "LayerController",
    "Limiter",
    "LookupWalk",
    "MultiLineRowDecoder",
    "Multiplier",
    "OutputAddressGenerator",
    "OutputPacker",
    "OutputStage",
    "PoolLane",
    "Pooling",
    "Quantizer",
    "ReferenceSelect",
    "ResidualLoader",
    "RowDecoder",
    "RowPairGenerator",
    "RowSum",
    "ScaleReader",
    "Scaler",
    "Sense",
    "Sequencer",
    "SerialMultiplier",
    "Shifter",
    "SotMramArray",
    "SubArray",
    "SubArrayController",
    "Sum",
    "WideBank",
    "WindowCorrection",
    "WindowSum",
    "WriteController",
    "command_layout",
    "lane_beat_layout",
    "row_layout",
]
