"""From a layer to a program: the mapping onto rows and sub-arrays, and the counters that it predicts."""

from .convolution import Convolution
from .faulty_convolution import FaultyConvolution
from .layout import Layout

__all__ = ["Convolution", "FaultyConvolution", "Layout"]
