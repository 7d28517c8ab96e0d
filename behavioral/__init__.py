"""Golden models in plain numpy: the bit-plane equation, the array and every digital unit."""

from .bitplane import bit_planes, bitplane_dot, decode, encode, from_bit_planes
from .convolution import convolve, windows
from .pooling import pool, pool2d
from .quantizer import quantize_unit, requantize

__all__ = [
    "bit_planes",
    "bitplane_dot",
    "convolve",
    "decode",
    "encode",
    "from_bit_planes",
    "pool",
    "pool2d",
    "quantize_unit",
    "requantize",
    "windows",
]
