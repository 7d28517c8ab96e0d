"""Convolutions and matrix products: layers of codes whose steps are not there yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ...graph import Four, Layer
from ...kernel_blocks import by_kernel
from ...meaning.exact_map import ExactMap, fractions
from ...meaning.reach import reachable_sums
from ...meaning.real_map import RealMap
from ..operands import operand_of_weights
from .access import (
    Line,
    add_padded,
    as_codes,
    expect_channels_first,
    line_of,
    pad_values,
    without_padding,
)
from .arranging import arranged
from .averages import is_mean, of_mean
from .drafts import Drafts
from .layout import CHANNELS, COLUMNS, LINES, Layout
from .value import CodesCarrier, SumsCarrier, Value
from .weights import Weights
from .wide_weights import PART, in_parts


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Of a convolution's windows over a map.

    Parameters
    ----------
    stride, dilation : (vertical, horizontal)
    padding : (top, left, bottom, right)
    groups : int
    """

    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Four = (0, 0, 0, 0)
    groups: int = 1


def convolution(
    drafts: Drafts,
    label: str,
    x: Value,
    weights: Weights,
    *,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    bias: np.ndarray | None,
) -> Value:
    """`Builder.convolution`."""
    if bias is not None and bias.dtype.kind == "f" and not np.isfinite(bias).all():
        raise SpinplaneError(f"{label}: its constants are not all finite")
    mean = is_mean(x) and not any(padding) and all(side == 1 for side in weights.values.shape[2:])
    if not mean:
        x = arranged(drafts, as_codes(drafts, label, x), 1)
    expect_channels_first(label, x)
    rank = len(x.shape) - 2
    kernels, of_group, *_ = weights.values.shape
    if weights.values.ndim != rank + 2 or not 1 <= rank <= 2:
        raise SpinplaneError(
            f"{label}: weights of shape {weights.values.shape} over a tensor of shape {x.shape}: expected a "
            "convolution of one or two dimensions"
        )
    if of_group * groups != x.channels or kernels % groups:
        raise SpinplaneError(
            f"{label}: {kernels} kernels of {of_group} channels in {groups} groups, over {x.channels} channels"
        )
    places = window_axes(x.layout)
    geometry = Geometry(
        stride=on_map(places, stride, 1),
        dilation=on_map(places, dilation, 1),
        padding=padding_on_map(places, padding),
        groups=groups,
    )
    order = [0, 1, *(2 + places.index(axis) for axis in (LINES, COLUMNS) if axis in places)]
    values = weights.values.transpose(order)
    if rank == 1:
        values = np.expand_dims(values, 2 if places == (COLUMNS,) else 3)
    if mean:
        x, values, geometry = _of_mean(drafts, x, values, geometry)
    scale = _of_kernels(label, weights, 0)
    made = open_layer(drafts, label, x, values, weights.operand, scale, geometry)
    axes: dict[int, tuple[int, ...]] = {0: (), 1: (CHANNELS,)}
    axes |= {2 + at: (axis,) for at, axis in enumerate(places)}
    made = replace(made, layout=Layout(sides=made.layout.sides, axes=tuple(axes.values())))
    if bias is None:
        return made
    assert made.real is not None
    return replace(made, real=made.real.changed(made.real.first.plus(fractions(bias, kernels))))


def _of_mean(
    drafts: Drafts, x: Value, weights: np.ndarray, geometry: Geometry
) -> tuple[Value, np.ndarray, Geometry]:
    """The codes of a mean, and a layer over it as one over them."""
    assert isinstance(x.carrier, SumsCarrier)
    layer = x.carrier.layer
    stride = (layer.stride[0] * geometry.stride[0], layer.stride[1] * geometry.stride[1])
    codes, weights = of_mean(drafts, x, weights)
    return codes, weights, replace(geometry, stride=stride, padding=layer.padding, dilation=layer.dilation)


def window_axes(layout: Layout) -> tuple[int, ...]:
    """The axes of the map over which a window runs along the tensor's axes after the second."""
    free = [axis for axis in (LINES, COLUMNS) if (axis,) not in layout.axes]
    if len(layout.axes) == 3:
        return layout.axes[2] or (COLUMNS if COLUMNS in free else LINES,)
    places = [merged[0] if merged else 0 for merged in layout.axes[2:4]]
    for at, place in enumerate(places):
        if not place:
            # An axis of side 1: the one in its own order, if that is free.
            own = (LINES, COLUMNS)[at]
            places[at] = own if own not in places else (LINES + COLUMNS - own)
    return tuple(places)


def on_map(places: tuple[int, ...], numbers: Sequence[int], other: int) -> tuple[int, int]:
    """Numbers of a window's axes as those of lines and columns."""
    found = dict(zip(places, numbers, strict=True))
    return found.get(LINES, other), found.get(COLUMNS, other)


def padding_on_map(places: tuple[int, ...], padding: Sequence[int]) -> Four:
    """Paddings before and after a window's axes as (top, left, bottom, right)."""
    before = on_map(places, padding[: len(places)], 0)
    return (*before, *on_map(places, padding[len(places) :], 0))


def matrix_product(drafts: Drafts, label: str, x: Value, weights: Weights) -> Value:
    """`Builder.matrix_product`."""
    mean = is_mean(x) and x.layout.sides[1:] == (1, 1)
    if not mean:
        x = arranged(drafts, as_codes(drafts, label, x), len(x.shape) - 1)
    inputs, outputs = weights.values.shape
    *others, last = x.layout.axes
    if x.shape[-1] != inputs:
        raise SpinplaneError(
            f"{label}: a matrix of {inputs} inputs times a tensor of shape {x.shape}: flatten it first"
        )
    scale = _of_kernels(label, weights, 1)
    flatten = not any(others)
    if not flatten and last != (CHANNELS,):
        raise SpinplaneError(
            f"{label}: its input has the channels on axis {x.layout.channel_axis}, expected its last axis"
        )
    values = weights.values.T
    if flatten:
        x = without_padding(drafts, label, x)
        sides = [x.layout.side(axis) for axis in last]
        order = [last.index(axis) for axis in sorted(last)]
        values = values.reshape(outputs, *sides).transpose(0, *(1 + at for at in order)).reshape(outputs, -1)
    kernels, geometry = values[:, :, np.newaxis, np.newaxis], Geometry()
    if mean:
        x, kernels, geometry = _of_mean(drafts, x, kernels, geometry)
    made = open_layer(
        drafts, label, x, kernels, weights.operand, scale, geometry, flatten=flatten and not mean
    )
    return replace(made, layout=Layout(sides=made.layout.sides, axes=(*others, (CHANNELS,))))


def open_layer(
    drafts: Drafts,
    label: str,
    x: Value,
    weights: np.ndarray,
    w: Operand | None,
    scale: np.ndarray,
    geometry: Geometry,
    *,
    flatten: bool = False,
) -> Value:
    """A layer over codes whose steps are not there yet; its value's layout has no axes of the file yet.

    Parameters
    ----------
    weights : ndarray of shape (kernels, channels of a group, height, width), int64
    scale : ndarray of shape (kernels,), of Fraction
        Of the weights.
    """
    carrier = x.carrier
    assert isinstance(carrier, CodesCarrier)
    if any(carrier.padding) and carrier.padded and any(geometry.padding):
        x = without_padding(drafts, label, x)
        carrier = x.carrier
        assert isinstance(carrier, CodesCarrier)
    given = x.layout.sides
    sides = _output_sides(label, given, weights.shape[2:], geometry) if not flatten else (1, 1)
    line = line_of(drafts, label, x)
    padding = _added(geometry.padding, carrier.padding)
    pads = pad_values(label, line, carrier.padded) if any(padding) else np.zeros(1, dtype=np.int64)
    if (pads != pads[0]).any():
        whole = (given[0], given[1] + sum(geometry.padding[::2]), given[2] + sum(geometry.padding[1::2]))
        line = _of_map(drafts, label, line, add_padded(drafts, label, line, whole, padding, pads))
        padding, pads = (0, 0, 0, 0), pads[:1] * 0
    values, slopes, offset = _folded(label, weights, line, geometry.groups, flatten=flatten, sides=given)
    if values is not weights:
        w = operand_of_weights(values, label)
    if w is None:
        bare = (given[0], *drafts.maps[line.maps[0]].sides[1:])
        line, values = in_parts(drafts, label, line, bare, values, flatten=flatten)
        w = PART
    layer = Layer(
        name=label,
        weights=np.ascontiguousarray(values),
        w=w,
        i=line.operand,
        bias=np.zeros(len(weights), dtype=np.int64),
        stride=geometry.stride,
        padding=padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
        flatten=flatten,
        inputs=line.maps,
        pad_value=int(pads[0]),
    )
    first = exact_sums(layer, scale * slopes)
    if offset.any():
        first = first.plus(scale * offset)
    return Value(
        layout=Layout(sides=(len(weights), *sides), axes=()),
        carrier=SumsCarrier(layer=layer),
        real=RealMap(first=first),
    )


def _of_map(drafts: Drafts, label: str, line: Line, number: int) -> Line:
    """The same line of another map."""
    levels, operand = drafts.joined(label, (number,))
    return replace(line, maps=(number,), levels=levels, operand=operand)


def exact_sums(layer: Layer, scale: np.ndarray) -> ExactMap:
    """The real numbers that the sums of a layer are.

    Parameters
    ----------
    layer : Layer
        Without pooling.
    scale : ndarray of shape (kernels,), of Fraction
        Of a sum.
    """
    low, high = reachable_sums(layer)
    largest = max(abs(layer.i.smallest), abs(layer.i.largest))
    weight = np.concatenate([np.abs(some).sum(axis=1) for some in by_kernel(layer.weights)]) * largest
    return ExactMap.of_sums(low, high, weight, scale, terms=layer.weights[0].size)


def _added(one: Four, other: Four) -> Four:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _output_sides(
    label: str, sides: tuple[int, int, int], kernel: tuple[int, ...], geometry: Geometry
) -> tuple[int, int]:
    found = []
    for at in (0, 1):
        padded = sides[1 + at] + geometry.padding[at] + geometry.padding[2 + at]
        found.append((padded - geometry.dilation[at] * (kernel[at] - 1) - 1) // geometry.stride[at] + 1)
    if min(found) < 1:
        raise SpinplaneError(
            f"{label}: a window of {'×'.join(map(str, kernel))} does not fit an input of "
            f"{'×'.join(map(str, sides[1:]))}"
        )
    return found[0], found[1]


def _of_kernels(label: str, weights: Weights, axis: int) -> np.ndarray:
    """The scale of each kernel, of Fraction; refused if a kernel has several."""
    shape = weights.values.shape
    expected = tuple(side if at == axis else 1 for at, side in enumerate(shape))
    scales = weights.scale.reshape((1,) * (len(shape) - weights.scale.ndim) + weights.scale.shape)
    if scales.size > 1 and scales.shape != expected:
        raise SpinplaneError(
            f"{label}: weights of shape {shape} with scales of shape {scales.shape}: expected one scale, or one for "
            f"each kernel, of shape {expected}"
        )
    return np.broadcast_to(scales.reshape(-1), shape[axis])


def _folded(
    label: str,
    weights: np.ndarray,
    line: Line,
    groups: int,
    *,
    flatten: bool,
    sides: tuple[int, int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights that take channels of different slopes, the slope of each kernel, and its sum of offsets.

    The slopes of a group's channels must be whole multiples of one number, by which the weights are multiplied.
    """
    kernels, of_group = weights.shape[:2]
    repeat = sides[1] * sides[2] if flatten else 1
    slope, offset = np.repeat(line.slope, repeat), np.repeat(line.offset, repeat)
    group = np.arange(kernels) // (kernels // groups)
    of_kernel = offset.reshape(groups, of_group)[group]
    total = (
        (weights.sum(axis=(2, 3)) * of_kernel).sum(axis=1) if offset.any() else np.full(kernels, Fraction(0))
    )
    slopes = slope.reshape(groups, of_group)
    if (slopes == slopes[:, :1]).all():
        return weights, slopes[group, 0], total
    common = np.array([common_unit(row) for row in slopes], dtype=object)
    factors = (slopes / common[:, np.newaxis])[group]
    if max(abs(factors).max(), 1) >= 256:
        raise SpinplaneError(
            f"{label}: its input has scales that are no multiples of one of them: quantize it with one scale"
        )
    values = weights * factors.astype(np.int64)[:, :, np.newaxis, np.newaxis]
    return values, common[group], total


def common_unit(numbers: np.ndarray) -> Fraction:
    """The greatest number of which all are whole multiples; 1 of zeros."""
    found = Fraction(0)
    for number in numbers:
        a, b = abs(number), found
        while b:
            a, b = b, a % b
        found = a
    return found or Fraction(1)
