"""Dilated convolutions, which converters also write as three operators.

SPACE_TO_BATCH_ND makes a batch of the pixels that lie a dilation apart, a convolution takes it, and BATCH_TO_SPACE_ND
puts the pixels back: a convolution with this dilation. In one dimension an EXPAND_DIMS and a RESHAPE come between.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..tflite_file.model import LEFT_OUT, Model, Operator
from ..tflite_file.options import Options
from ..tflite_file.tensors import Quantization, Tensor
from .windows import PADS

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_BETWEEN = {
    _CONVOLUTIONS[:1]: "2-D",
    _CONVOLUTIONS[1:]: "2-D",
    ("EXPAND_DIMS", "CONV_2D", "RESHAPE"): "1-D",
    ("EXPAND_DIMS", "CONV_2D", "SQUEEZE"): "1-D",
}


def with_dilations(model: Model) -> Model:
    """The model with such operators as one convolution; others stay as they are."""
    users: dict[int, list[Operator]] = {}
    for operator in model.operators:
        for number in set(operator.inputs):
            users.setdefault(number, []).append(operator)
    tensors, operators = list(model.tensors), list(model.operators)
    for first in model.operators:
        chain = _chain(first, users, model.outputs) if first.code == "SPACE_TO_BATCH_ND" else []
        found = _as_one(model.tensors, chain) if chain else None
        if found is None:
            continue
        made, shapes = found
        for number, shape in shapes.items():
            # No tensor of the file has these numbers in this order.
            tensors[number] = replace(tensors[number], shape=shape, name="")
        at = operators.index(chain[-1])
        operators[at : at + 1] = made
        for operator in chain[:-1]:
            operators.remove(operator)
    return replace(model, tensors=tuple(tensors), operators=tuple(operators))


def _chain(first: Operator, users: dict[int, list[Operator]], outputs: Sequence[int]) -> list[Operator]:
    """Operators from one to BATCH_TO_SPACE_ND, each the only one that takes what the one before it gives."""
    chain = [first]
    while chain[-1].code != "BATCH_TO_SPACE_ND":
        made = chain[-1].outputs
        following = users.get(made[0], [])
        if len(made) > 1 or made[0] in outputs or len(following) != 1 or len(chain) > 4:
            return []
        if following[0].inputs[0] != made[0]:
            return []
        chain.append(following[0])
    return chain if tuple(operator.code for operator in chain[1:-1]) in _BETWEEN else []


def _as_one(
    tensors: Sequence[Tensor], chain: Sequence[Operator]
) -> tuple[list[Operator], dict[int, tuple[int, ...]]] | None:
    """The operators that stand for a chain, and shapes of tensors between them; None if it is another one."""
    first, *between, last = chain
    convolution = next(operator for operator in between if operator.code in _CONVOLUTIONS)
    if not all(_are_given(operator, 2) for operator in (first, convolution, last, *between[:-1])):
        return None
    blocks, pads = _constants(tensors, first)
    end_blocks, crops = _constants(tensors, last)
    given, weights = tensors[first.inputs[0]], tensors[convolution.inputs[1]]
    spatial = len(given.shape) - 2
    if blocks.shape != (spatial,) or pads.shape != (spatial, 2) or len(weights.shape) != 4:
        return None
    if not np.array_equal(blocks, end_blocks) or crops.shape != pads.shape or crops[:, 0].any():
        return None
    after = pads[:, 1] - crops[:, 1]
    plain = convolution.options.values("StrideH", "StrideW", "DilationHFactor", "DilationWFactor", "Padding")
    alike = [tensors[operator.outputs[0]].quantization for operator in (convolution, last)]
    if (after < 0).any() or (pads < 0).any() or (blocks < 1).any() or plain != (1, 1, 1, 1, 1):
        return None
    if not _are_one(*alike):
        return None
    one_line = (1,) * (2 - spatial)
    dilation = (*one_line, *(int(block) for block in blocks))
    no_pads = (0,) * (2 - spatial)
    before, behind = (*no_pads, *map(int, pads[:, 0])), (*no_pads, *map(int, after))
    options = convolution.options.changed(
        DilationHFactor=dilation[0],
        DilationWFactor=dilation[1],
        **dict(zip(PADS, (before, behind), strict=True)),
    )
    made = replace(convolution, options=options)
    if spatial == 2:
        return [replace(made, inputs=(first.inputs[0], *made.inputs[1:]), outputs=last.outputs)], {}
    expand, _, reshape = between
    axis = tensors[expand.inputs[1]]
    if axis.data is None or axis.constant().ravel().tolist() not in ([1], [-3]):
        return None
    length = given.shape[1] + before[1] + behind[1] - dilation[1] * (weights.shape[2] - 1)
    expanded = replace(expand, inputs=(first.inputs[0], expand.inputs[1]))
    kernels = weights.shape[0]
    plain_reshape = replace(
        reshape,
        code="RESHAPE",
        inputs=reshape.inputs[:1],
        outputs=last.outputs,
        options=Options(reshape.label, {"NewShape": ()}),
    )
    shapes = {expand.outputs[0]: (1, 1, *given.shape[1:]), made.outputs[0]: (1, 1, length, kernels)}
    return [expanded, made, plain_reshape], shapes


def _are_given(operator: Operator, count: int) -> bool:
    """Whether the first inputs are there."""
    return len(operator.inputs) >= count and LEFT_OUT not in operator.inputs[:count]


def _are_one(one: Quantization | None, other: Quantization | None) -> bool:
    """Whether two tensors have one scale and zero point."""
    return (
        one is not None
        and other is not None
        and len(one.scales) == 1
        and np.array_equal(one.scales, other.scales)
        and np.array_equal(one.zero_points, other.zero_points)
    )


def _constants(tensors: Sequence[Tensor], operator: Operator) -> tuple[np.ndarray, np.ndarray]:
    """The second and the third input, of int32; empty where they are not constant."""
    found = [np.zeros(0, dtype=np.int32)] * 2
    for at, number in enumerate(operator.inputs[1:3]):
        if number != LEFT_OUT and tensors[number].data is not None and tensors[number].dtype == "int32":
            found[at] = tensors[number].constant()
    return found[0], found[1]
