"""Shapes of tensors, from their operators' definitions.

What a file declares between its input and its output is not read: it follows from the operators, or is wrong.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from spinplane.machine import SpinplaneError

from .domains import CHANNELS_LAST, MICROSOFT, ONNX, PULP, QONNX, Operator
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
        "Selu",
        "LogSoftmax",
        "Mish",
        "Gelu",
    ),
    *("Abs", "Neg", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Floor", "Ceil", "Round", "Not", "Erf"),
    *("Identity", "Dropout", "Cast", "BatchNormalization", "QuantizeLinear", "DequantizeLinear"),
)
#: Inputs of an operator that are its image and its weights, where zero points and scales come between.
_PARTS = {"QLinearConv": (0, 3), "QLinearMatMul": (0, 3), "QGemm": (0, 3), "QLinearAdd": (0, 3)}
#: Operators whose further outputs have the shape of the first.
_TWINS = ("TopK", "MaxPool", "Dropout")
_BROADCAST = (
    "Sum",
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
    rule = _RULES.get(node.operator)
    if rule is None or not inputs or inputs[0].shape is None:
        return None
    shape = rule(node, inputs)
    if shape is not None and (len(shape) > MOST_AXES or prod(shape) > MOST_ELEMENTS):
        raise SpinplaneError(
            f"{node.label}: its output has {len(shape)} axes and {prod(shape):.3g} elements, more than "
            f"{MOST_AXES} or {MOST_ELEMENTS}"
        )
    return shape


def has_twins(node: Node) -> bool:
    """Whether all outputs of a node have the shape of the first one."""
    return node.operator[0] in (ONNX, CHANNELS_LAST) and node.op_type in _TWINS


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


def _parts(node: Node, inputs: Operands) -> tuple[Shape | None, Shape | None]:
    """Shapes of image and weights, or of two addends."""
    image, weights = _PARTS.get(node.op_type, (0, 1))
    return inputs[image].shape, inputs[weights].shape if len(inputs) > weights else None


def _conv(node: Node, inputs: Operands) -> Shape | None:
    shape, weights = _parts(node, inputs)
    if shape is None or weights is None:
        return None
    if not 3 <= len(shape) == len(weights):
        raise SpinplaneError(f"{node.label}: weights of shape {weights}, an input of {len(shape)} axes")
    if min(weights) < 1 or weights[0] > MOST_KERNELS:
        raise SpinplaneError(
            f"{node.label}: weights of shape {weights}: expected 1 to {MOST_KERNELS} kernels"
        )
    groups = node.attributes.integer("group", 1, least=1, most=MOST_KERNELS)
    last = node.operator[0] == CHANNELS_LAST
    first, by_kernel = (channels_first(shape), channels_first(weights)) if last else (shape, weights)
    if first[1] != by_kernel[1] * groups or weights[0] % groups:
        raise SpinplaneError(
            f"{node.label}: weights of {by_kernel[1]} channels in {groups} groups, an input of {first[1]} channels"
        )
    window = read_window(node.attributes, by_kernel[2:], len(shape) - 2, node.label)
    found = (shape[0], weights[0], *window.output(first[2:], node.label))
    return channels_last(found) if last else found


def channels_first(shape: Shape) -> Shape:
    """The shape of a tensor whose channels, its last axis, become its second one."""
    return (shape[0], shape[-1], *shape[1:-1])


def channels_last(shape: Shape) -> Shape:
    """The shape of a tensor whose channels, its second axis, become its last one."""
    return (shape[0], *shape[2:], shape[1])


def _pool(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    if len(shape) < 3:
        raise SpinplaneError(f"{node.label}: an input of {len(shape)} axes, expected 3 or more")
    last = node.operator[0] == CHANNELS_LAST or (
        node.operator[0] == MICROSOFT and node.attributes.flag("channels_last", False)
    )
    first = channels_first(shape) if last else shape
    if "Global" in node.op_type:
        found = (*first[:2], *(1,) * (len(shape) - 2))
    else:
        window = read_window(node.attributes, None, len(shape) - 2, node.label)
        found = (*first[:2], *window.output(first[2:], node.label))
    return channels_last(found) if last else found


def _matmul(node: Node, inputs: Operands) -> Shape | None:
    left, right = _parts(node, inputs)
    if left is None or right is None:
        return None
    transposed = node.op_type in ("Gemm", "QGemm") and node.attributes.flag("transB", False)
    if node.op_type in ("Gemm", "QGemm") and node.attributes.flag("transA", False):
        left = left[::-1]
    if not left or not right:
        raise SpinplaneError(f"{node.label}: a matrix product of a number without axes")
    if len(right) == 1:
        right = (*right, 1)
        return _matrix(node, left, right)[:-1]
    return _matrix(node, left, (*right[:-2], *right[:-3:-1]) if transposed else right)


def _matrix(node: Node, left: Shape, right: Shape) -> Shape:
    depth, kernels = right[-2:]
    if left[-1] != depth:
        raise SpinplaneError(f"{node.label}: a matrix of {depth} inputs times a tensor of shape {left}")
    if not depth or not 0 < kernels <= MOST_KERNELS:
        raise SpinplaneError(
            f"{node.label}: a matrix of shape {right[-2:]}: expected 1 to {MOST_KERNELS} kernels"
        )
    try:
        stack = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise SpinplaneError(f"{node.label}: shapes {left} and {right} do not fit") from None
    return (*stack, *left[-2:-1], kernels)


def _add_codes(node: Node, inputs: Operands) -> Shape | None:
    return _broadcast(node, [inputs[0], inputs[3]])


def _concat_codes(node: Node, inputs: Operands) -> Shape | None:
    if len(inputs) % 3 != 2:
        raise SpinplaneError(
            f"{node.label}: has {len(inputs)} inputs: expected two and three for each tensor"
        )
    return _concat(node, inputs[2::3]) if inputs[2].shape is not None else None


def _pad(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    pads = pads_of(node, inputs, len(shape))
    if pads is None:
        return None
    sides = tuple(side + sum(pad) for side, pad in zip(shape, pads, strict=True))
    if min(sides, default=0) < 0:
        raise SpinplaneError(f"{node.label}: its pads leave nothing of a tensor of shape {shape}")
    return sides


def pads_of(node: Node, inputs: Operands, rank: int) -> tuple[tuple[int, int], ...] | None:
    """Positions before and after each axis of a Pad's input, negative where it is cut; None if not constant."""
    if "pads" in node.attributes:
        given: Shape | None = node.attributes.integers("pads", least=-MOST_ELEMENTS, most=MOST_ELEMENTS)
    else:
        given = _integers(node, inputs, 1, most=2 * MOST_AXES)
    if given is None:
        return None
    axes: Shape | None = tuple(range(rank))
    if len(inputs) > 3 and inputs[3].name:
        axes = _axes(node, [inputs[0], inputs[3]], rank, None)
    if axes is None:
        return None
    if len(given) != 2 * len(axes):
        raise SpinplaneError(f"{node.label}: {len(given)} pads of {len(axes)} axes: expected two for each")
    found = [(0, 0)] * rank
    for at, axis in enumerate(axes):
        found[axis] = given[at], given[at + len(axes)]
    return tuple(found)


def _reduce(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    axes = reduced_axes(node, inputs, len(shape))
    if axes is None:
        return None
    keep = node.attributes.flag("keepdims", True)
    sides = (1 if axis in axes else side for axis, side in enumerate(shape) if keep or axis not in axes)
    return tuple(sides)


def reduced_axes(node: Node, inputs: Operands, rank: int) -> Shape | None:
    """Axes over which a reduction goes; None if they are not constant."""
    if node.op_type.startswith("Arg"):
        return (axis_of(node, 0, rank),)
    everywhere = () if node.attributes.flag("noop_with_empty_axes", False) else tuple(range(rank))
    axes = _axes(node, inputs, rank, everywhere)
    return everywhere if axes == () else axes


def _topk(node: Node, inputs: Operands) -> Shape | None:
    shape = inputs[0].shape
    assert shape is not None
    count = (node.attributes.integer("k"),) if len(inputs) < 2 else _integers(node, inputs, 1)
    if count is None:
        return None
    axis = axis_of(node, -1, len(shape))
    if len(count) != 1 or not shape or not 0 <= count[0] <= shape[axis]:
        raise SpinplaneError(f"{node.label}: the first {list(count)} of a tensor of shape {shape}")
    return (*shape[:axis], count[0], *shape[axis + 1 :])


def _tile(node: Node, inputs: Operands) -> Shape | None:
    shape, repeats = inputs[0].shape, _integers(node, inputs, 1)
    assert shape is not None
    if repeats is None:
        return None
    if len(repeats) != len(shape) or min(repeats, default=0) < 0:
        raise SpinplaneError(f"{node.label}: repeats {list(repeats)} of a tensor of shape {shape}")
    return tuple(side * repeat for side, repeat in zip(shape, repeats, strict=True))


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


def _integers(node: Node, inputs: Operands, number: int, most: int = MOST_AXES) -> Shape | None:
    """A short constant list of whole numbers that an input is, if it is constant."""
    value = inputs[number].value if len(inputs) > number else None
    if value is None:
        return None
    if value.dtype.kind != "i" or value.size > most:
        raise SpinplaneError(
            f"{node.label}: its input {number + 1} is not a list of up to {most} whole numbers"
        )
    return tuple(int(side) for side in value.ravel())


Rule = Callable[[Node, Operands], Shape | None]

_STANDARD: dict[str, Rule] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_BROADCAST, _broadcast),
    **dict.fromkeys(("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"), _pool),
    **dict.fromkeys(("MatMul", "Gemm", "MatMulInteger", "QLinearMatMul"), _matmul),
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), _conv),
    **dict.fromkeys((f"Reduce{way}" for way in ("Sum", "Mean", "Max", "Min", "Prod")), _reduce),
    **dict.fromkeys(("ArgMax", "ArgMin"), _reduce),
    "TopK": _topk,
    "Pad": _pad,
    "Tile": _tile,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
}
_RULES: dict[Operator, Rule] = {
    **{(ONNX, name): rule for name, rule in _STANDARD.items()},
    **{(QONNX, name): _same for name in ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold")},
    (PULP, "RequantShift"): _same,
    (CHANNELS_LAST, "Conv"): _conv,
    (CHANNELS_LAST, "MaxPool"): _pool,
    (CHANNELS_LAST, "BatchNormalization"): _same,
    (MICROSOFT, "QuantizeLinear"): _same,
    (MICROSOFT, "DequantizeLinear"): _same,
    (MICROSOFT, "QLinearAdd"): _add_codes,
    (MICROSOFT, "QLinearConcat"): _concat_codes,
    (MICROSOFT, "QLinearAveragePool"): _pool,
    (MICROSOFT, "QLinearGlobalAveragePool"): _pool,
    (MICROSOFT, "QGemm"): _matmul,
}
