"""Where numbers become codes and codes numbers: QUANTIZE and DEQUANTIZE, and what the host does behind the network."""

from fractions import Fraction

import numpy as np

from spinplane.machine import Coding, Operand, Rounding, SpinplaneError

from ..building import Value
from ..quantizers import Levels
from ..tflite_file.model import Operator as FileOperator
from ..tflite_file.tensors import Tensor
from .operator import CODES, Context
from .pointwise import requantized


def quantize(context: Context, operator: FileOperator) -> Value:
    """QUANTIZE of the network's input, or of codes."""
    value = context.value(operator)
    if value.host:
        return value
    given, made = context.input(operator, 0), context.output(operator)
    if given.dtype in CODES:
        return requantized(context, operator)
    if given.dtype != "float32":
        raise SpinplaneError(f"{operator.label}: quantizes {given.dtype}, expected float32, int8 or uint8")
    scale, _ = context.codes(operator, made)
    return context.builder.quantize(operator.label, value, levels_of(made, float(scale)))


def levels_of(tensor: Tensor, step: float) -> Levels:
    """The codes of a tensor less their zero point, which is added after the rounding."""
    _, zero_point = tensor.whole()
    low, high = tensor.bounds
    coding = Coding.UNSIGNED if tensor.dtype == "uint8" else Coding.TWOS_COMPLEMENT
    return Levels(
        name=tensor.name,
        operand=Operand(bits=8, coding=coding, zero_point=zero_point),
        values=np.arange(low, high + 1, dtype=np.int64) - zero_point,
        scale=1.0,
        step=step,
        zero_point=0.0,
        low=low - zero_point,
        rounding=Rounding.HALF_AWAY,
        exact=True,
    )


def dequantize(context: Context, operator: FileOperator) -> Value:
    """DEQUANTIZE at the end of the network."""
    value = context.value(operator)
    if value.host:
        return value
    scale, _ = context.codes(operator, context.input(operator, 0))
    return context.builder.arithmetic(operator.label, value, "multiply", np.array(Fraction(float(scale))))


def host(context: Context, operator: FileOperator) -> Value:
    """SOFTMAX, LOG_SOFTMAX, ARG_MAX and TOPK_V2: the host gets the tensor before them."""
    context.value(operator)
    return context.builder.host(operator.label, context.as_in_file(operator.inputs[0]), operator.code)
