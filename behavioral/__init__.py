"""Golden models in plain numpy: the bit-plane equation, the array, every digital unit and the accelerator."""

from .accelerator import Accelerator, AcceleratorRun, ImagesRun
from .activation import activate
from .array import ArrayError, SotMramArray
from .axi_banks import AxiBanks
from .batch_norm import batch_normalize
from .bit_counter import count_bits
from .bitplane import bit_planes, bitplane_dot, decode, encode, from_bit_planes
from .convolution import convolve, windows
from .engine import Engine, EngineRun
from .feature_map import map_addresses, map_bits, map_codes
from .layer_controller import DescriptorError, read_descriptor, read_header
from .multi_line_row_decoder import decode_two_rows
from .output_former import WayOutError, Write, plane_writes, raw_writes
from .pooling import pool
from .probe import Place, Probe, SeenWindow, SensedPair
from .quantizer import quantize, quantize_unit
from .reference_select import select_reference
from .row_decoder import decode_row
from .row_former import RowRequest, RowSet, bits_needed, elements_inside, form_row, form_row_sets, walk_rows
from .sequencer import load_writes, walk_regions
from .shifter import shift_left, shift_right_rounded
from .sum import Sum
from .way_out import WayOutRun, run_way_out
from .window_correction import correct_window

__all__ = [
    "Accelerator",
    "AcceleratorRun",
    "ArrayError",
    "AxiBanks",
    "DescriptorError",
    "Engine",
    "EngineRun",
    "ImagesRun",
    "Place",
    "Probe",
    "RowRequest",
    "RowSet",
    "SeenWindow",
    "SensedPair",
    "SotMramArray",
    "Sum",
    "WayOutError",
    "WayOutRun",
    "Write",
    "activate",
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
    "run_way_out",
    "select_reference",
    "shift_left",
    "shift_right_rounded",
    "walk_regions",
    "walk_rows",
    "windows",
]
