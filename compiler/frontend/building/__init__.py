"""From a file's operators to an integer graph: values in symbols, a builder that takes operators, what it gives.

Nothing here knows a file format: handlers of ONNX and of TFLite call the same `Builder`.
"""

from .builder import Builder
from .imported import ImportedNetwork, TensorView
from .layout import Layout
from .thresholds import Thresholds
from .value import CodesCarrier, InputCarrier, PairCarrier, SumsCarrier, Value
from .weights import Weights

__all__ = [
    "Builder",
    "CodesCarrier",
    "ImportedNetwork",
    "InputCarrier",
    "Layout",
    "PairCarrier",
    "SumsCarrier",
    "TensorView",
    "Thresholds",
    "Value",
    "Weights",
]
