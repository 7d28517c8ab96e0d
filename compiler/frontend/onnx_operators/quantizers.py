"""QONNX's quantizers, of activations and of constants."""

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value, Weights
from ..onnx_file.domains import BIPOLAR_QUANT, INT_QUANT, QUANT
from ..onnx_file.names import quoted
from ..onnx_file.node import Node
from ..operands import operand_of_weights
from ..quantizers import Levels, bipolar, levels_of_quant
from .operator import Context, Operator
from .weights import exact


def quantize(context: Context, node: Node) -> Value:
    """Quant, IntQuant and BipolarQuant of activations."""
    return context.builder.quantize(node.label, context.value(node), _levels(context, node))


def quantized_weights(context: Context, node: Node) -> Weights:
    """The same of constants, in float32, as QONNX folds them."""
    levels = _levels(context, node)
    real = context.model.constant(node.inputs[0], node.label)
    if real.dtype.kind != "f" or not np.isfinite(real).all():
        raise SpinplaneError(f"{node.label}: its weights are not all finite")
    try:
        shapes = np.shape(levels.scale), np.shape(levels.offset)
        fits = np.broadcast_shapes(real.shape, *shapes) == real.shape
    except ValueError:
        fits = False
    if not fits:
        raise SpinplaneError(
            f"{node.label}: weights of shape {real.shape} with scales of shape {np.shape(levels.scale)}: expected one "
            "scale, or one for each kernel"
        )
    values = levels.quantize(real)
    operand = operand_of_weights(values, node.label) if np.any(levels.offset) else levels.operand
    return Weights(values=values, scale=exact(np.asarray(levels.scale)), operand=operand)


def _levels(context: Context, node: Node) -> Levels:
    label, attributes = node.label, node.attributes
    parameters = [_parameter(context, name, label) for name in node.inputs[1:]]
    if node.operator == BIPOLAR_QUANT:
        return bipolar(parameters[0], label)
    return levels_of_quant(
        scale=parameters[0],
        zero_point=parameters[1],
        bits=parameters[2],
        signed=attributes.flag("signed"),
        narrow=attributes.flag("narrow"),
        rounding=attributes.text("rounding_mode", "ROUND").upper(),
        name=label,
    )


def _parameter(context: Context, tensor: str, label: str) -> np.ndarray:
    """Scale, zero point or bits of a quantizer: numbers that float32 holds."""
    value = context.model.constant(tensor, label)
    with np.errstate(over="ignore"):
        if not value.size or not np.isfinite(value.astype(np.float32)).all():
            raise SpinplaneError(f"{label}: its input {quoted(tensor)} is empty, or not all finite numbers")
    return value


_QUANT = Operator(
    handler=quantize,
    weights=quantized_weights,
    takes="1 to 8 bits, every rounding mode, scales and whole zero points one or one a channel",
    refuses=("more than 8 bits: the engine has 8 bit-planes",),
)
OPERATORS = {
    QUANT: _QUANT,
    INT_QUANT: _QUANT,
    BIPOLAR_QUANT: Operator(
        handler=quantize, weights=quantized_weights, takes="with one scale, or one a channel"
    ),
}
