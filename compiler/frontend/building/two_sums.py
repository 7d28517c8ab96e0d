"""Two sums that are added before they are quantized: one layer over the maps of both."""

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from spinplane.machine import MAX_BITS, SpinplaneError

from ...graph import Four, Layer, StepFunction
from ...meaning.reach import reachable_sums
from ...meaning.real_map import RealMap
from ..operands import least_operand
from .access import real_of
from .copies import copying
from .drafts import Drafts
from .linear import common_unit
from .value import SumsCarrier, Value

#: Of one layer, with the zeros that make kernels alike.
_MOST_WEIGHTS = 1 << 24


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """A layer without groups.

    Parameters
    ----------
    layer : Layer
    weights : ndarray of shape (kernels, channels, height, width), int64
    sides : (lines, columns)
        Of the maps that it takes.
    """

    layer: Layer
    weights: np.ndarray
    sides: tuple[int, int]


def sum_of_two(drafts: Drafts, label: str, a: Value, b: Value) -> Value:
    """The sum of two open sums as the open sums of one layer.

    Raises
    ------
    SpinplaneError
        If one layer cannot have both, naming the node and the reason.
    """
    firsts = []
    for one in (a, b):
        real = real_of(label, one)
        if not real.is_line:
            raise SpinplaneError(f"{label}: sums behind a Relu or a function: quantize them first")
        firsts.append(real.first)
    parts = [_part(drafts, label, one) for one in (a, b)]
    if parts[0].layer.pool != parts[1].layer.pool:
        raise SpinplaneError(f"{label}: two sums of which one is pooled: quantize one of them first")
    slopes = np.stack([first.line.slope for first in firsts], axis=1)
    unit = np.array([common_unit(row) for row in slopes], dtype=object)
    factors = slopes / unit[:, np.newaxis]
    padded = {part.layer.pad_value for part in parts if any(part.layer.padding)}
    if len(padded) > 1:
        raise SpinplaneError(
            f"{label}: two sums that are padded by different values: quantize one of them first"
        )
    layer = _joined(drafts, label, _alike(drafts, label, parts), factors)
    layer = replace(layer, pad_value=padded.pop() if padded else 0)
    whole = abs(factors.astype(np.int64))
    weight = whole[:, 0] * firsts[0].weight + whole[:, 1] * firsts[1].weight
    low, high = reachable_sums(layer)
    own, added = (replace(first.line, slope=unit) for first in firsts)
    first = replace(firsts[0], least=low, greatest=high, weight=weight, line=own.added(added, weight))
    return replace(
        a,
        carrier=SumsCarrier(layer=layer),
        real=RealMap(first=first, operators=1 + max(real_of(label, one).operators for one in (a, b))),
        before=None,
    )


def _part(drafts: Drafts, label: str, x: Value) -> _Part:
    assert isinstance(x.carrier, SumsCarrier)
    layer = x.carrier.layer
    if layer.pool is not None and layer.pool.kind != "sum":
        raise SpinplaneError(f"{label}: maxima of sums: quantize them first")
    sides = drafts.maps[layer.inputs[0]].sides[1:]
    kernels, of_group, *kernel = layer.weights.shape
    weights = layer.weights
    if layer.groups > 1:
        _expect_room(label, kernels, of_group * layer.groups, *kernel)
        weights = np.zeros((kernels, of_group * layer.groups, *kernel), dtype=np.int64)
        for at, row in enumerate(layer.weights):
            first = at // (kernels // layer.groups) * of_group
            weights[at, first : first + of_group] = row
    if layer.flatten and sides == (1, 1):
        layer = replace(layer, flatten=False)
    return _Part(layer=replace(layer, groups=1), weights=weights, sides=sides)


def _alike(drafts: Drafts, label: str, parts: list[_Part]) -> list[_Part]:
    """The same with kernels of one size, stride and padding over maps of one size."""
    layers = [part.layer for part in parts]
    if layers[0].flatten != layers[1].flatten:
        raise SpinplaneError(f"{label}: sums of features and of a flattened map: quantize one of them first")
    if parts[0].sides != parts[1].sides or layers[0].stride != layers[1].stride:
        parts = [_without_stride(drafts, label, part) for part in parts]
        layers = [part.layer for part in parts]
    if parts[0].sides != parts[1].sides or layers[0].stride != layers[1].stride:
        raise SpinplaneError(
            f"{label}: two sums over maps of different sizes, or of different strides: quantize one of them first"
        )
    if len({(layer.dilation, layer.padding, layer.weights.shape[2:]) for layer in layers}) == 1:
        return parts
    return _with_one_window(label, [_dense(label, part) for part in parts])


def _with_one_window(label: str, parts: list[_Part]) -> list[_Part]:
    """Layers with zeros around their kernels, so that these begin and end at the same pixels."""
    layer, sides = parts[0].layer, parts[0].sides
    size, before, behind = list[int](), list[int](), list[int]()
    around = [[(0, 0), (0, 0)] for _ in parts]
    for at in (0, 1):
        kernels = [part.weights.shape[2 + at] for part in parts]
        own_before = [part.layer.padding[at] for part in parts]
        before.append(max(own_before))
        size.append(max(kernel + before[at] - own for kernel, own in zip(kernels, own_before, strict=True)))
        padded = sides[at] + own_before[0] + layer.padding[2 + at]
        windows = (padded - kernels[0]) // layer.stride[at] + 1
        behind.append(max((windows - 1) * layer.stride[at] + size[at] - sides[at] - before[at], 0))
        for rows, kernel, own in zip(around, kernels, own_before, strict=True):
            rows.append((before[at] - own, size[at] - kernel - before[at] + own))
    for part in parts:
        _expect_room(label, *part.weights.shape[:2], *size)
    four: Four = (before[0], before[1], behind[0], behind[1])
    return [
        replace(
            part,
            weights=np.pad(part.weights, rows),
            layer=replace(part.layer, padding=four),
        )
        for part, rows in zip(parts, around, strict=True)
    ]


def _without_stride(drafts: Drafts, label: str, part: _Part) -> _Part:
    """A layer of windows of one pixel, over a map of those pixels alone."""
    layer, stride = part.layer, part.layer.stride
    if stride == (1, 1) or layer.flatten or part.weights.shape[2:] != (1, 1) or any(layer.padding):
        return part
    levels, operand = drafts.joined(label, layer.inputs)
    channels = part.weights.shape[1]
    copy = replace(
        copying(label, layer.inputs, channels, operand),
        stride=stride,
        steps=StepFunction.one_by_one(levels, levels, channels),
    )
    lines, columns = ((side - 1) // step + 1 for side, step in zip(part.sides, stride, strict=True))
    number = drafts.add(copy, levels, operand, (channels, lines, columns))
    return replace(part, layer=replace(layer, inputs=(number,), stride=(1, 1)), sides=(lines, columns))


def _dense(label: str, part: _Part) -> _Part:
    """With zeros between the weights of a kernel with gaps."""
    down, right = part.layer.dilation
    kernels, channels, height, width = part.weights.shape
    shape = (kernels, channels, (height - 1) * down + 1, (width - 1) * right + 1)
    _expect_room(label, *shape)
    weights = np.zeros(shape, dtype=np.int64)
    weights[:, :, ::down, ::right] = part.weights
    return replace(part, weights=weights, layer=replace(part.layer, dilation=(1, 1)))


def _expect_room(label: str, *shape: int) -> None:
    if prod(shape) > _MOST_WEIGHTS:
        raise SpinplaneError(
            f"{label}: two sums that are not quantized, that are alike with {prod(shape)} weights: quantize one first"
        )


def _joined(drafts: Drafts, label: str, parts: list[_Part], factors: np.ndarray) -> Layer:
    """One layer of both, whose weights are multiplied by factors of shape (kernels, 2), whole numbers of Fraction."""
    largest = max(
        int(max(abs(column))) * max(int(part.weights.max()), -int(part.weights.min()))
        for part, column in zip(parts, factors.T, strict=True)
    )
    if largest >= 1 << MAX_BITS:
        own, added = factors[abs(factors).max(axis=1).argmax()]
        raise SpinplaneError(
            f"{label}: two sums that are not quantized, whose scales have the ratio {float(own / added):.9g}: their "
            f"weights would need more than {MAX_BITS} bits in one layer: quantize one of them first"
        )
    of_maps: dict[int, np.ndarray] = {}
    bias = np.zeros(len(factors), dtype=np.int64)
    for part, column in zip(parts, factors.T, strict=True):
        whole, first = column.astype(np.int64), 0
        bias += whole * part.layer.bias
        for number in part.layer.inputs:
            channels, *sides = drafts.maps[number].sides
            count = channels * (int(np.prod(sides)) if part.layer.flatten else 1)
            weights = whole[:, np.newaxis, np.newaxis, np.newaxis] * part.weights[:, first : first + count]
            of_maps[number] = of_maps.get(number, 0) + weights
            first += count
    weights = np.concatenate(list(of_maps.values()), axis=1)
    _, operand = drafts.joined(label, list(of_maps))
    return replace(
        parts[0].layer,
        name=label,
        weights=weights,
        w=least_operand(weights, label),
        i=operand,
        bias=bias,
        inputs=tuple(of_maps),
    )
