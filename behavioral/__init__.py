"""Golden models in plain numpy: the bit-plane equation, the array, every digital unit and the accelerator."""

from .accelerator import Accelerator, AcceleratorRun, ImagesRun
from .array.bit_counter import count_bits
from .array.engine import Engine, EngineRun
from .array.multi_line_row_decoder import decode_two_rows
from .array.reference_select import select_reference
from .array.row_decoder import decode_row
from .array.shifter import shift_left, shift_right_rounded
from .array.sot_mram_array import ArrayError, SotMramArray
from .array.sum import Sum
from .bitplane import bit_planes, bitplane_dot, decode, encode, from_bit_planes
from .control.layer_controller import DescriptorError, read_descriptor, read_header
from .control.sequencer import load_writes, walk_regions
from .convolution import convolve, windows
from .feature_map import map_addresses, map_bits, map_codes
from .host.axi_banks import AxiBanks
from .input.input_address_generator import RowRequest, walk_rows
from .input.input_streamer import RowSet, bits_needed, elements_inside, form_row, form_row_sets
from .output.activation import look_up, search_thresholds
from .output.batch_norm import batch_normalize, sums_before_scaling
from .output.output_packer import BankWrite, OutputStageError, plane_writes, raw_writes
from .output.output_stage import OutputStageRun, run_output_stage
from .output.pooling import pool
from .output.quantizer import quantize, quantize_unit
from .output.window_correction import correct_window
from .probe import Place, Probe, SeenWindow, SensedPair

__all__ = [
    "Accelerator",
    "AcceleratorRun",
    "ArrayError",
    "AxiBanks",
    "BankWrite",
    "DescriptorError",
    "Engine",
    "EngineRun",
    "ImagesRun",
    "OutputStageError",
    "OutputStageRun",
    "Place",
    "Probe",
    "RowRequest",
    "RowSet",
    "SeenWindow",
    "SensedPair",
    "SotMramArray",
    "Sum",
    "batch_normalize",
    "bit_planes",
    "bitplane_dot",
    "bits_needed",
    "convolve",
    "correct_window",
    "count_bits",
    "decode",
    "decode_row",
    "decode_two_rows",
    "elements_inside",
    "encode",
    "form_row",
    "form_row_sets",
    "from_bit_planes",
    "load_writes",
    "look_up",
    "map_addresses",
    "map_bits",
    "map_codes",
    "plane_writes",
    "pool",
    "quantize",
    "quantize_unit",
    "raw_writes",
    "read_descriptor",
    "read_header",
    "run_output_stage",
    "search_thresholds",
    "select_reference",
    "shift_left",
    "shift_right_rounded",
    "sums_before_scaling",
    "walk_regions",
    "walk_rows",
    "windows",
]
