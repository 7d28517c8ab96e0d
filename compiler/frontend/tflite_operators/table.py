"""All operators, by the format's names of them."""

from .ends import dequantize, host, quantize
from .joining import add, concatenation, sub
from .linear import conv_2d, depthwise_conv_2d, fully_connected
from .operator import Operator
from .pointwise import hard_swish, leaky_relu, logistic, mul, prelu, relu, relu6, relu_n1_to_1, tanh
from .pooling import average_pool_2d, max_pool_2d, mean, reduce_max
from .shapes import expand_dims, pad, reshape, squeeze, transpose

_CODES = "int8 or uint8, each tensor with one scale and zero point"
_ONE_CODE = (
    "an input and an output of different scales: TFLite's kernels copy codes, so no converter writes this"
)

_TWO = f"{_CODES}; two tensors of one shape, or a tensor and a constant of one number or one a channel"
_TWO_REFUSED = (
    "tensors of different shapes: one would be read at the other's positions",
    "a constant that differs from position to position: it would be a map of its own",
)

#: Operators that the host computes.
AT_THE_END = ("SOFTMAX", "LOG_SOFTMAX", "ARG_MAX", "TOPK_V2")

OPERATORS: dict[str, Operator] = {
    "CONV_2D": Operator(
        conv_2d,
        f"{_CODES}; weights int8 or int4 with a scale for each kernel or one for all, or uint8 with any zero point; "
        "every stride, padding, dilation and group (a dilation also as SPACE_TO_BATCH_ND, convolution and "
        "BATCH_TO_SPACE_ND); RELU, RELU6 and RELU_N1_TO_1 in it",
    ),
    "DEPTHWISE_CONV_2D": Operator(depthwise_conv_2d, "as CONV_2D, with every depth multiplier"),
    "FULLY_CONNECTED": Operator(
        fully_connected,
        f"{_CODES}; weights and activations as those of CONV_2D; several rows of one matrix too; sums are scaled as "
        "ai-edge-litert 2.3 does it: one float64 product, rounded to nearest and from the middle away from 0 "
        "(before, TFLite rounded twice)",
        ("weights in a shuffled order: a layout of some mobile processors",),
    ),
    "ADD": Operator(add, _TWO, _TWO_REFUSED),
    "SUB": Operator(sub, _TWO, _TWO_REFUSED),
    "MUL": Operator(
        mul,
        f"{_CODES}; a tensor and a constant of one number or one a channel",
        ("two tensors: kernels come from a bank that the host writes, and no pass does",),
    ),
    "CONCATENATION": Operator(
        concatenation,
        "along channels, lines or columns; uint8 with different scales is requantized",
        ("int8 of different scales: TFLite's kernels refuse it, too",),
    ),
    "AVERAGE_POOL_2D": Operator(
        average_pool_2d,
        f"{_CODES}; every padding; RELU, RELU6 and RELU_N1_TO_1 in it",
        (_ONE_CODE,),
    ),
    "MAX_POOL_2D": Operator(max_pool_2d, f"{_CODES}; RELU, RELU6 and RELU_N1_TO_1 in it", (_ONE_CODE,)),
    "MEAN": Operator(
        mean,
        "over lines and columns, or one of them; the output may have another scale",
        ("over channels or the batch: a window has lines and columns",),
    ),
    "REDUCE_MAX": Operator(
        reduce_max,
        "over lines and columns, or one of them",
        (_ONE_CODE, "over channels or the batch: a window has lines and columns"),
    ),
    "PAD": Operator(pad, "by the number 0, of lines, columns and channels", (_ONE_CODE,)),
    "PADV2": Operator(pad, "by one constant number", (_ONE_CODE,)),
    "RESHAPE": Operator(
        reshape,
        "to a constant shape, or to the one that the file declares",
        (_ONE_CODE, "shapes that cut the axis of lines, columns or channels in two"),
    ),
    "SQUEEZE": Operator(squeeze, "of every axis", (_ONE_CODE,)),
    "EXPAND_DIMS": Operator(expand_dims, "at every axis", (_ONE_CODE,)),
    "TRANSPOSE": Operator(transpose, "by a constant order", (_ONE_CODE,)),
    "RELU": Operator(relu, _CODES),
    "RELU6": Operator(relu6, _CODES),
    "RELU_N1_TO_1": Operator(relu_n1_to_1, _CODES),
    "LEAKY_RELU": Operator(leaky_relu, _CODES),
    "PRELU": Operator(
        prelu,
        f"{_CODES}; one slope, or one a channel",
        ("slopes that differ from position to position: a channel has one",),
    ),
    "LOGISTIC": Operator(logistic, _CODES),
    "TANH": Operator(tanh, _CODES),
    "HARD_SWISH": Operator(
        hard_swish, _CODES, ("an output's scale below 1/128 of the input's: TFLite's kernels refuse it, too",)
    ),
    "QUANTIZE": Operator(
        quantize,
        "the network's float32 input, or codes to other codes",
        ("float32 elsewhere: layers of floats do not run",),
    ),
    "DEQUANTIZE": Operator(
        dequantize, "at the end of the network", ("elsewhere: layers of floats do not run",)
    ),
    **{code: Operator(host, "at the end, where the host computes it") for code in AT_THE_END},
}
