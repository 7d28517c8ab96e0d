"""Shapes of tensors, from their operators' definitions.

What a file declares between its input and its output is not read: it follows from the operators, or is wrong.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from spinplane.machine import SpinplaneError

from .node import Node, Operands, Shape
from .windows import read_window

#: Elements of a tensor, kernels of a layer, and axes.
MOST_ELEMENTS, MOST_KERNELS, MOST_AXES = 1 << 31, 1 << 15, 8

_SAME = (
    *(
        "Relu",
        "Clip",
        "LeakyRelu",
        "Sigmoid",
        "Tanh",
        "HardSigmoid",
        "HardSwish",
        "Softmax",
        "Softplus",
        "Elu",
    ),
    *("Abs", "Neg", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Floor", "Ceil", "Round", "Not", "Erf"),
    *("Identity", "Dropout", "Cast", "BatchNormalization", "Quant", "BipolarQuant"),
    *("QuantizeLinear", "DequantizeLinear"),
)
_BROADCAST = (
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Min",
    "Max",
    "PRelu",
    "Where",
    "Equal",
    "Greater",
    "Less",
    "And",
    "Or",
)


def output_shape(node: Node, inputs: Operands) -> Shape | None:
    """Shape of a node's first output.

    Parameters
    ----------
    node : Node
    inputs : sequence of Operand
        One for each of its inputs.

    Returns
    -------
    tuple of int, or None if it cannot be known: the operator is not among those here, or an input's shape is not known

    Raises
    ------
    SpinplaneError
        If the inputs do not fit the operator, or the output is too large.
    """
    rule = _RULES.get(node.op_type)
    if rule is None or not inputs or inputs[0].shape is None:
        return None
    shape = rule(node, inputs)
    if shape is not None and (len(shape) > MOST_AXES or prod(shape) > MOST_ELEMENTS):
        raise SpinplaneError(
            f"{node.label}: its output has {len(shape)} axes and {prod(shape):.3g} elements, more than "
            f"{MOST_AXES} or {MOST_ELEMENTS}"
        )
    return shape


def axis_of(node: Node, default: int, rank: int) -> int:
    """Attribute ``axis``, counted from the first one."""
    return node.attributes.integer("axis", default, least=-rank, most=max(rank - 1, 0)) % max(rank, 1)


def _same(node: Node, inputs: Operands) -> Shape | None:
    return inputs[0].shape


def _broadcast(node: Node, inputs: Operands) -> Shape | None:
    known = [i.shape for i in inputs if i.shape is not None]
    if len(known) < len(inputs):
        return None
    try:
        return np.broadcast_shapes(*known)
    except ValueError:
        raise SpinplaneError(f"{node.label}: shapes {' and '.join(map(str, known))} do not fit") from None


def _conv(node: Node, inputs: Operands) -> Shape | None:
    shape, weights = inputs[0].shape, inputs[1].shape if len(inputs) > 1 else None
    if shape is None or weights is None:
        return None
    if not 3 <= len(shape) == len(weights):
        raise SpinplaneError(f"{node.label}: weights of shape {weights}, an input of {len(shape)} axes")
    if min(weights) < 1 or weights[0] > MOST_KERNELS:
        raise SpinplaneError(
            f"{node.label}: weights of shape {weights}: expected 1 to {MOST_KERNELS} kernels"
        )
    groups = node.attributes.integer("group", 1, least=1, most=MOST_KERNELS)
    if shape[1] != weights[1] * groups or weights[0] % groups:
        raise SpinplaneError(
            f"{node.label}: weights of {weights[1]} channels in {groups} groups, an input of {shape[1]} channels"
        )
    window = read_window(node.attributes, weights[2:], len(shape) - 2, node.label)
    return (shape[0], weights[0], *window.output(shape[2:], node.label))


def _pool(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    if len(shape) < 3:
        raise SpinplaneError(f"{node.label}: an input of {len(shape)} axes, expected 3 or more")
    if node.op_type.startswith("Global"):
        return (*shape[:2], *(1,) * (len(shape) - 2))
    window = read_window(node.attributes, None, len(shape) - 2, node.label)
    return (*shape[:2], *window.output(shape[2:], node.label))


def _matmul(node: Node, inputs: Operands) -> Shape | None:
    left, right = inputs[0].shape, inputs[1].shape if len(inputs) > 1 else None
    if left is None or right is None:
        return None
    transposed = node.op_type == "Gemm" and node.attributes.flag("transB", False)
    if node.op_type == "Gemm" and node.attributes.flag("transA", False):
        left = left[::-1]
    # Weights of other ranks than two have no place in a layer: the importer names them.
    if not left or len(right) != 2:
        return None
    depth, kernels = right[::-1] if transposed else right
    if left[-1] != depth:
        raise SpinplaneError(f"{node.label}: a matrix of {depth} inputs times a tensor of shape {left}")
    if not depth or not 0 < kernels <= MOST_KERNELS:
        raise SpinplaneError(f"{node.label}: a matrix of shape {right}: expected 1 to {MOST_KERNELS} kernels")
    return (*left[:-1], kernels)


def _flatten(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    axis = node.attributes.integer("axis", 1, least=-len(shape), most=len(shape))
    axis += len(shape) if axis < 0 else 0
    return (prod(shape[:axis]), prod(shape[axis:]))


def _reshape(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    target = _integers(node, inputs, 1)
    if target is None:
        return None
    sides = list(target)
    if not node.attributes.flag("allowzero", False):
        sides = [shape[axis] if not side and axis < len(shape) else side for axis, side in enumerate(sides)]
    rest = prod(side for side in sides if side != -1)
    if sides.count(-1) == 1 and rest:
        sides[sides.index(-1)] = prod(shape) // rest
    if any(side < 0 for side in sides) or prod(sides) != prod(shape):
        raise SpinplaneError(f"{node.label}: a tensor of shape {shape} cannot become {list(target)}")
    return tuple(sides)


def _squeeze(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    everywhere = tuple(axis for axis, side in enumerate(shape) if side == 1)
    axes = _axes(node, inputs, len(shape), everywhere)
    if axes is not None and any(shape[axis] != 1 for axis in axes):
        raise SpinplaneError(f"{node.label}: a tensor of shape {shape} has not side 1 at axes {list(axes)}")
    return None if axes is None else tuple(side for axis, side in enumerate(shape) if axis not in axes)


def _unsqueeze(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    count = _integers(node, inputs, 1) if len(inputs) > 1 else node.attributes.integers("axes")
    axes = None if count is None else _axes(node, inputs, len(shape) + len(count), None)
    if axes is None:
        return None
    sides = iter(shape)
    return tuple(1 if axis in axes else next(sides) for axis in range(len(shape) + len(axes)))


def _transpose(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    return tuple(shape[axis] for axis in permutation(node, len(shape)))


def permutation(node: Node, rank: int) -> tuple[int, ...]:
    """Axes of a Transpose's input in the order of its output."""
    order = node.attributes.integers("perm", range(rank)[::-1], length=rank)
    if sorted(order) != list(range(rank)):
        raise SpinplaneError(
            f"{node.label}: attribute 'perm' is {list(order)}, expected an order of {rank} axes"
        )
    return order


def _concat(node: Node, inputs: Operands) -> Shape | None:
    shapes = [i.shape for i in inputs]
    first = inputs[0].shape
    assert first is not None
    if not first:
        raise SpinplaneError(f"{node.label}: its inputs have no axes")
    axis, sides = axis_of(node, 0, len(first)), 0
    for shape in shapes:
        if shape is None:
            return None
        if len(shape) != len(first) or shape[:axis] + shape[axis + 1 :] != first[:axis] + first[axis + 1 :]:
            raise SpinplaneError(
                f"{node.label}: shapes {first} and {shape} differ elsewhere than at axis {axis}"
            )
        sides += shape[axis]
    return (*first[:axis], sides, *first[axis + 1 :])


def _axes(node: Node, inputs: Operands, rank: int, default: Shape | None) -> Shape | None:
    """Axes that an attribute gave once, and an input gives since."""
    given: Shape | None
    if len(inputs) > 1 and inputs[1].name:
        given = _integers(node, inputs, 1)
    else:
        given = node.attributes.integers("axes", default)
    if given is None:
        return None
    axes = tuple(axis % max(rank, 1) for axis in given)
    if rank > MOST_AXES or any(not -rank <= axis < rank for axis in given) or len(set(axes)) < len(axes):
        raise SpinplaneError(f"{node.label}: axes {list(given[:MOST_AXES])} of a tensor of {rank} axes")
    return axes


def _integers(node: Node, inputs: Operands, number: int) -> Shape | None:
    """A short constant list of whole numbers that an input is, if it is constant."""
    value = inputs[number].value if len(inputs) > number else None
    if value is None:
        return None
    if value.dtype.kind != "i" or value.size > MOST_AXES:
        raise SpinplaneError(
            f"{node.label}: its input {number + 1} is not a list of up to {MOST_AXES} whole numbers"
        )
    return tuple(int(side) for side in value.ravel())


_RULES: dict[str, Callable[[Node, Operands], Shape | None]] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_BROADCAST, _broadcast),
    **dict.fromkeys(("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"), _pool),
    **dict.fromkeys(("MatMul", "Gemm"), _matmul),
    "Conv": _conv,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
}
