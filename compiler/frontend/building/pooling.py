"""Pooling: of open sums by their layer, of codes by a layer of its own."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ...graph import Four, Pooling
from .access import (
    add_table,
    as_codes,
    code_map,
    expect_channels_first,
    is_coded,
    line_of,
    real_of,
    refuse_host,
    refuse_regions,
    without_padding,
)
from .arranging import arranged
from .border_averages import border_average
from .delaying import delayed_maximum
from .drafts import Drafts
from .layout import CHANNELS, COLUMNS, LINES, Layout, Sides
from .linear import Geometry, on_map, open_layer, padding_on_map, window_axes
from .quantizing import pool_codes
from .shaping import pad
from .value import CodesCarrier, DelayedCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


def max_pool(
    drafts: Drafts,
    label: str,
    x: Value,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil: bool,
) -> Value:
    """`Builder.max_pool`."""
    x = _image(drafts, label, x, kernel)
    if isinstance(x.carrier, InputCarrier) and is_coded(drafts):
        x = as_codes(drafts, label, x)
    places = window_axes(x.layout)
    pool = _on_map("max_codes", places, kernel, stride, padding, dilation)
    pool, made = _fitted(label, x, pool, ceil=ceil)
    _counts(label, x.layout.sides, pool)
    given, carrier = x, x.carrier
    x = replace(made, carrier=carrier)
    if isinstance(carrier, InputCarrier):
        if carrier.pool:
            raise SpinplaneError(f"{label}: pooling the input twice is not supported")
        return replace(x, carrier=replace(carrier, pool=pool))
    if isinstance(carrier, SumsCarrier):
        gaps = any(pool.padding) and pool.dilation != (1, 1)
        if gaps or carrier.layer.pool is not None or carrier.regions:
            return delayed_maximum(label, given, pool, x.layout)
        real = real_of(label, x)
        pool = pool if real.operators else replace(pool, kind="max_sums")
        layer = replace(carrier.layer, pool=pool)
        return replace(x, carrier=SumsCarrier(layer=layer, pooled=real))
    if isinstance(carrier, PairCarrier | DelayedCarrier):
        return delayed_maximum(label, given, pool, x.layout)
    return replace(greatest_codes(drafts, label, given, pool), layout=x.layout)


def greatest_codes(drafts: Drafts, label: str, x: Value, pool: Pooling) -> Value:
    """The greatest codes of windows whose padding lets the last ones be whole."""
    x = without_padding(drafts, label, x)
    line = line_of(drafts, label, x)
    falls, ends = line.slope < 0, int(line.levels[0] + line.levels[-1])
    table, offset = line.levels, line.offset
    if falls.any():
        # Levels in descending order, in the same bits.
        table = np.where(falls[:, np.newaxis], ends - line.levels, line.levels)
        offset = offset + falls * ends * line.slope
    maps = line.maps
    if falls.any() and pool.dilation != (1, 1):
        # Such a maximum may be padded by the least level, which must be the same in all channels.
        rising = add_table(drafts, label, replace(x, carrier=CodesCarrier(maps=maps)), table)
        maps, table = (rising,), drafts.levels(label, [rising])
    lines, columns = (len(_taken(x.layout.sides, pool, at)) for at in (0, 1))
    x = replace(x, layout=Layout(sides=(x.channels, lines, columns), axes=x.layout.axes))
    codes = replace(x, carrier=CodesCarrier(maps=maps))
    number = pool_codes(drafts, label, codes, pool, table)
    levels = drafts.maps[number].levels
    assert levels is not None
    codes_real = code_map(levels, abs(line.slope))
    return replace(
        x,
        carrier=CodesCarrier(maps=(number,)),
        real=replace(codes_real, first=codes_real.first.plus(offset)) if offset.any() else codes_real,
    )


def average_pool(
    drafts: Drafts,
    label: str,
    x: Value,
    *,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil: bool,
    count_padding: bool,
) -> Value:
    """`Builder.average_pool`."""
    x = _image(drafts, label, x, kernel)
    places = window_axes(x.layout)
    pool = _on_map("sum", places, kernel, stride, padding, dilation)
    pool, made = _fitted(label, x, pool, ceil=ceil)
    counts = _counts(
        label, x.layout.sides, pool, padding_on_map(places, padding) if count_padding else (0, 0, 0, 0)
    )
    count = counts[-1]
    if isinstance(x.carrier, SumsCarrier) and not any(pool.padding):
        refuse_regions(label, x)
        real = real_of(label, x)
        if not real.is_line:
            raise SpinplaneError(
                f"{label}: an average behind a Relu, a Clip or a function: quantize its input first"
            )
        layer = replace(x.carrier.layer, pool=_of_averages(label, x.carrier.layer.pool, pool))
        return replace(made, carrier=SumsCarrier(layer=layer), real=real.changed(real.first.average(count)))
    if not isinstance(x.carrier, CodesCarrier | InputCarrier):
        raise SpinplaneError(f"{label}: a padded average, or one of a sum of two: quantize its input first")
    x = without_padding(drafts, label, as_codes(drafts, label, x))
    if len(counts) > 1:
        if count_padding and any(padding):
            x = pad(drafts, label, x, _of_all_axes(padding), 0.0)
            return average_pool(
                drafts,
                label,
                x,
                kernel=kernel,
                stride=stride,
                padding=[0] * len(padding),
                dilation=dilation,
                ceil=ceil,
                count_padding=False,
            )
        assert isinstance(x.carrier, CodesCarrier)
        if len(drafts.levels(label, x.carrier.maps)) == 1:
            # All numbers are one, and any of them their mean.
            return max_pool(
                drafts, label, x, kernel=kernel, stride=stride, padding=padding, dilation=dilation, ceil=ceil
            )
        return replace(border_average(drafts, label, x, pool, counts), layout=made.layout)
    ones = np.ones((x.channels, 1, *pool.size), dtype=np.int64)
    geometry = Geometry(stride=pool.stride, padding=pool.padding, dilation=pool.dilation, groups=x.channels)
    scale = np.array([Fraction(1, count)] * x.channels, dtype=object)
    w = Operand(bits=1, coding=Coding.UNSIGNED)
    return replace(open_layer(drafts, label, x, ones, w, scale, geometry), layout=made.layout)


def global_average(drafts: Drafts, label: str, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
    """`Builder.global_average`."""
    refuse_host(label, x)
    rank = len(x.shape)
    reduced = sorted({axis % rank for axis in axes})
    rest = [axis for axis in range(1, rank) if axis not in reduced]
    if len(rest) == 1 and 0 not in reduced:
        x = arranged(drafts, x, rest[0])
    named = {axis for at in reduced for axis in x.layout.axes[at]}
    if 0 in reduced or named - {LINES, COLUMNS}:
        raise SpinplaneError(f"{label}: a mean over axes {reduced}: expected lines and columns")
    given = x.layout
    kernel = [given.sides[0 + axis - 1] if axis in named else 1 for axis in (LINES, COLUMNS)]
    image = Layout(sides=given.sides, axes=((), (CHANNELS,), (LINES,), (COLUMNS,)))
    made = average_pool(
        drafts,
        label,
        replace(x, layout=image),
        kernel=kernel,
        stride=kernel,
        padding=(0, 0, 0, 0),
        dilation=(1, 1),
        ceil=False,
        count_padding=False,
    )
    kept = [merged for at, merged in enumerate(given.axes) if keep or at not in reduced]
    cleared = tuple(() if set(merged) & named else merged for merged in kept)
    return replace(made, layout=Layout(sides=made.layout.sides, axes=cleared))


def _image(drafts: Drafts, label: str, x: Value, kernel: Sequence[int]) -> Value:
    refuse_host(label, x)
    x = arranged(drafts, without_padding(drafts, label, x), 1)
    expect_channels_first(label, x)
    if len(kernel) != len(x.shape) - 2 or not 1 <= len(kernel) <= 2:
        raise SpinplaneError(f"{label}: expected pooling in one or two dimensions")
    return x


def _on_map(
    kind: Literal["sum", "max_codes"],
    places: tuple[int, ...],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> Pooling:
    """Pooling over lines and columns; a side of 1 has no gaps."""
    size, gaps = on_map(places, kernel, 1), on_map(places, dilation, 1)
    return Pooling(
        kind=kind,
        size=size,
        stride=on_map(places, stride, 1),
        padding=padding_on_map(places, padding),
        dilation=(gaps[0] if size[0] > 1 else 1, gaps[1] if size[1] > 1 else 1),
    )


def _of_averages(label: str, first: Pooling | None, then: Pooling) -> Pooling:
    """An average of sums that are averages already, as one of the sums before: windows that take each of them once."""
    if first is None:
        return then
    if first.kind != "sum":
        raise SpinplaneError(f"{label}: an average of maxima of sums: quantize the maxima first")
    size, dilation = [], []
    for at in (0, 1):
        apart = first.stride[at] * then.dilation[at]
        if first.size[at] > 1 and then.size[at] > 1 and apart != first.size[at] * first.dilation[at]:
            raise SpinplaneError(
                f"{label}: an average of averages whose windows overlap or lie apart: quantize these first"
            )
        size.append(first.size[at] * then.size[at])
        dilation.append(first.dilation[at] if first.size[at] > 1 else apart if then.size[at] > 1 else 1)
    stride = (first.stride[0] * then.stride[0], first.stride[1] * then.stride[1])
    return replace(then, size=(size[0], size[1]), stride=stride, dilation=(dilation[0], dilation[1]))


def _fitted(label: str, x: Value, pool: Pooling, *, ceil: bool) -> tuple[Pooling, Value]:
    """Pooling whose padding lets its last windows be whole, and the value's layout behind it."""
    sides, padding = [], [*pool.padding]
    for at in (0, 1):
        side, stride = x.layout.sides[1 + at], pool.stride[at]
        reach = (pool.size[at] - 1) * pool.dilation[at] + 1
        left = side + padding[at] + padding[2 + at] - reach
        windows = (-(-left // stride) if ceil else left // stride) + 1
        if ceil and (windows - 1) * stride >= side + padding[at]:
            windows -= 1  # it would start behind the image
        if left < 0 and windows < 1:
            raise SpinplaneError(
                f"{label}: a window of {'×'.join(map(str, pool.size))} does not fit an input of "
                f"{'×'.join(map(str, x.layout.sides[1:]))}"
            )
        if ceil:
            padding[2 + at] = max((windows - 1) * stride + reach - side - padding[at], 0)
        sides.append(windows)
    four: Four = (padding[0], padding[1], padding[2], padding[3])
    # An axis of side 1 may have become a longer one.
    axes = ((), (CHANNELS,), *((axis,) for axis in window_axes(x.layout)))
    layout = Layout(sides=(x.layout.sides[0], sides[0], sides[1]), axes=axes)
    return replace(pool, padding=four), replace(x, layout=layout)


def _counts(label: str, sides: Sides, pool: Pooling, counted: Four = (0, 0, 0, 0)) -> list[int]:
    """How many positions windows take, ascending: those of a map and of the padding that is `counted`."""
    counts = []
    for at in (0, 1):
        places = _taken(sides, pool, at)
        counts.append(((places >= -counted[at]) & (places < sides[1 + at] + counted[2 + at])).sum(axis=1))
    found: list[int] = np.unique(np.multiply.outer(*counts)).tolist()
    if not found[0]:
        raise SpinplaneError(f"{label}: a window with gaps takes nothing but padding")
    return found


def _taken(sides: Sides, pool: Pooling, at: int) -> np.ndarray:
    """Lines (0) or columns (1) that each window takes, also those of padding; shape (windows, size)."""
    taken = pool.dilation[at] * np.arange(pool.size[at])
    starts = np.arange(-pool.padding[at], sides[1 + at] + pool.padding[2 + at] - taken[-1])
    places: np.ndarray = starts[:: pool.stride[at], np.newaxis] + taken
    return places


def _of_all_axes(padding: Sequence[int]) -> list[int]:
    """Pads of a window's axes as those of all axes of a tensor."""
    half = len(padding) // 2
    return [0, 0, *padding[:half], 0, 0, *padding[half:]]
