"""Operators that take numbers one by one."""

from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value, Weights
from ..building.elementwise import Arithmetic
from ..onnx_file.domains import ONNX
from ..onnx_file.node import Node
from .operator import Context, Operator
from .weights import exact

_KINDS: dict[str, Arithmetic] = {"Mul": "multiply", "Div": "divide", "Add": "add", "Sub": "subtract"}


def arithmetic(context: Context, node: Node) -> Value:
    """Mul, Div, Add and Sub: of a constant, or Add and Sub of two values."""
    builder, label = context.builder, node.label
    if context.is_value(node, 0) and context.is_value(node, 1):
        if node.op_type in ("Mul", "Div"):
            raise SpinplaneError(f"{label}: {node.op_type} of two activations is not supported")
        sign = 1 if node.op_type == "Add" else -1
        return builder.add(label, context.value(node, 0), context.value(node, 1), sign)
    if context.is_value(node, 0):
        return builder.arithmetic(label, context.value(node, 0), _KINDS[node.op_type], context.reals(node, 1))
    x, constant = context.value(node, 1), context.reals(node, 0)
    if node.op_type == "Div":
        raise SpinplaneError(f"{label}: a constant divided by activations is not supported")
    if node.op_type == "Sub":
        x = builder.arithmetic(label, x, "multiply", np.float32(-1))
        return builder.arithmetic(label, x, "add", constant)
    return builder.arithmetic(label, x, _KINDS[node.op_type], constant)


def scaled_weights(context: Context, node: Node) -> Weights:
    """Mul or Div of quantized constants."""
    model = context.model
    first = 0 if model.producer(node.inputs[0]) is not None else 1
    if node.op_type not in ("Mul", "Div") or (node.op_type == "Div" and first):
        raise SpinplaneError(f"{node.label}: {node.op_type} of quantized weights is not supported")
    weights = context.weights(node, first)
    factor = exact(model.constant(node.inputs[1 - first], node.label))
    if (factor == 0).any():
        raise SpinplaneError(f"{node.label}: its weights are times or over 0")
    scale = weights.scale * factor if node.op_type == "Mul" else weights.scale / factor
    return Weights(values=weights.values, scale=np.asarray(scale, dtype=object), operand=weights.operand)


def normalization(context: Context, node: Node) -> Value:
    """BatchNormalization in its form of inference."""
    return normalize(context, node, context.value(node))


def normalize(context: Context, node: Node, x: Value) -> Value:
    """A BatchNormalization whose tensors have their channels first."""
    attributes = node.attributes
    if attributes.flag("training_mode", False):
        raise SpinplaneError(f"{node.label}: a BatchNormalization that is being trained is not supported")
    gamma, beta, mean, variance = (context.reals(node, number) for number in range(1, 5))
    for constant in (gamma, beta, mean, variance):
        if constant.dtype.kind == "f" and not np.isfinite(constant).all():
            raise SpinplaneError(f"{node.label}: its constants are not all finite")
    epsilon = exact(np.asarray(attributes.number("epsilon", 1e-5)))
    return context.builder.normalize(
        node.label,
        x,
        gamma=gamma,
        beta=beta,
        mean=mean,
        variance=np.asarray(exact(variance) + epsilon, dtype=object),
    )


def relu(context: Context, node: Node) -> Value:
    """Relu."""
    return context.builder.clip(node.label, context.value(node), 0.0, np.inf)


def clip(context: Context, node: Node) -> Value:
    """Clip, whose bounds were attributes once."""
    attributes = node.attributes
    bounds = [attributes.number("min", -np.inf), attributes.number("max", np.inf)]
    for at in (0, 1):
        if context.has(node, 1 + at):
            value = context.constant(node, 1 + at)
            if value.size != 1:
                raise SpinplaneError(f"{node.label}: its bounds are not numbers")
            bounds[at] = float(value.reshape(()))
    return context.builder.clip(node.label, context.value(node), *bounds)


def leaky_relu(context: Context, node: Node) -> Value:
    """LeakyRelu."""
    alpha = np.float32(node.attributes.number("alpha", 0.01))
    return context.builder.leaky(node.label, context.value(node), alpha)


def prelu(context: Context, node: Node) -> Value:
    """PRelu with one slope, or one a channel."""
    return context.builder.leaky(node.label, context.value(node), context.reals(node, 1))


def hard_sigmoid(context: Context, node: Node) -> Value:
    """HardSigmoid: max(0, min(1, alpha · x + beta))."""
    x, builder = context.value(node), context.builder
    alpha, beta = node.attributes.number("alpha", 0.2), node.attributes.number("beta", 0.5)
    x = builder.arithmetic(node.label, x, "multiply", np.float32(alpha))
    x = builder.arithmetic(node.label, x, "add", np.float32(beta))
    return builder.clip(node.label, x, 0.0, 1.0)


def function(context: Context, node: Node) -> Value:
    """Sigmoid, Tanh, Sign and HardSwish."""
    name = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Sign": "sign", "HardSwish": "hard_swish"}[node.op_type]
    return context.builder.function(node.label, context.value(node), name)


def identity(context: Context, node: Node) -> Value:
    """Identity and Dropout, which does nothing outside of training."""
    return context.value(node)


def identity_weights(context: Context, node: Node) -> Weights:
    """The same of constants."""
    return context.weights(node, 0)


_PRODUCT = Operator(
    handler=arithmetic,
    weights=scaled_weights,
    takes="by a constant, one or one a channel",
    refuses=("of two activations: kernels come from a bank that the host writes, and no pass does",),
)
_SUM = Operator(
    handler=arithmetic,
    takes="of a constant, one or one a channel, and of two values before a quantizer",
    refuses=(
        "of two sums that are not quantized: behind a Relu, a function or a maximum; of scales in no ratio of small "
        "integers; over maps of two sizes, unless kernels of 1×1 take the larger one",
        "of sums and codes where no integers have the ratio of their scales exactly enough for every step",
    ),
)
_FUNCTION = Operator(
    handler=function, takes="before a quantizer, or of codes; at the end it is left to the host"
)
_TURNS = ("behind three others that fall and rise, without a quantizer between: each doubles its steps",)
_AS_IT_IS = Operator(handler=identity, weights=identity_weights, takes="everywhere, at no cost")
OPERATORS = {
    (ONNX, "Mul"): _PRODUCT,
    (ONNX, "Div"): _PRODUCT,
    (ONNX, "Add"): _SUM,
    (ONNX, "Sub"): _SUM,
    (ONNX, "BatchNormalization"): Operator(handler=normalization, takes="anywhere, with constants"),
    (ONNX, "Relu"): Operator(handler=relu, takes="anywhere"),
    (ONNX, "Clip"): Operator(handler=clip, takes="anywhere, with constant bounds"),
    (ONNX, "LeakyRelu"): Operator(
        handler=leaky_relu, takes="before a quantizer, or of codes, with any slope", refuses=_TURNS
    ),
    (ONNX, "PRelu"): Operator(
        handler=prelu, takes="before a quantizer, or of codes; a slope a channel, any", refuses=_TURNS
    ),
    (ONNX, "HardSigmoid"): Operator(handler=hard_sigmoid, takes="anywhere"),
    (ONNX, "Sigmoid"): _FUNCTION,
    (ONNX, "Tanh"): _FUNCTION,
    (ONNX, "Sign"): _FUNCTION,
    (ONNX, "HardSwish"): replace(_FUNCTION, refuses=_TURNS),
    (ONNX, "Identity"): _AS_IT_IS,
    (ONNX, "Dropout"): _AS_IT_IS,
}
