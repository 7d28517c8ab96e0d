"""Hypothesis strategies: small integer graphs of every kind, with inputs."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from spinplane.compiler.graph import (
    DoublingMultiply,
    FloatScale,
    Graph,
    InputCoding,
    Layer,
    Pooling,
    Residual,
    StepFunction,
    unscaled_output,
)
from spinplane.compiler.oracle import arrange, linear, pooled
from spinplane.machine import Coding, Operand

_WEIGHTS = [
    Operand(bits=1, coding=Coding.BIPOLAR),
    Operand(bits=2, coding=Coding.DOREFA),
    Operand(bits=3, coding=Coding.TWOS_COMPLEMENT),
    Operand(bits=2),
]
_INPUTS = [
    Operand(bits=1, coding=Coding.BIPOLAR),
    Operand(bits=1),
    Operand(bits=3),
    Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
]


def _values(rng: np.random.Generator, operand: Operand, shape: tuple[int, ...]) -> np.ndarray:
    if operand.coding in (Coding.BIPOLAR, Coding.DOREFA):
        return operand.scale * rng.integers(0, 2**operand.bits, shape) + operand.offset
    return rng.integers(operand.smallest, operand.largest + 1, shape)


def _levels(operand: Operand) -> np.ndarray:
    step = operand.scale
    return np.arange(operand.smallest, operand.largest + 1, step, dtype=np.int64)


@st.composite
def networks(draw: st.DrawFn, *, wider: int = 0) -> tuple[Graph, np.ndarray]:
    """A network of one to three layers and a batch of its inputs, which are wider than high by so many pixels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    channels, side = draw(st.integers(1, 3)), draw(st.integers(4, 6))
    operand = draw(st.sampled_from(_INPUTS))
    inputs = values = _values(rng, operand, (draw(st.integers(1, 2)), channels, side, side + wider))
    # What each layer takes, and what it gives.
    layers, taken, count = [], [], draw(st.integers(1, 3))
    for number in range(count):
        kind = draw(st.sampled_from(["plain", "plain", "identity", "beside"]))
        last = number == count - 1
        if kind == "beside" and layers and layers[-1].residual is None:
            layer, sums = _beside(rng, number, layers[-1], *taken[-1], values)
        elif kind == "identity" and values.shape[3] > 1:
            layer, sums = _identity(draw, rng, number, values, operand)
        else:
            layer, sums = _layer(draw, rng, number, values, operand)
        taken.append((number - 1, values) if not layer.inputs else taken[-1])
        layer, values, operand = _finish(draw, rng, layer, sums, last=last, given=operand)
        layers.append(layer)
    graph = Graph(
        name="random",
        input_shape=tuple(inputs.shape[1:]),
        input_coding=InputCoding(low=-128, high=255),
        layers=tuple(layers),
        outputs=(unscaled_output(len(layers) - 1, (1, *values.shape[1:])),),
    )
    return graph, inputs


def _layer(draw, rng, number, values, i):
    flatten = draw(st.booleans()) and values[0].size <= 60
    height, width = (1, 1) if flatten else values.shape[2:]
    channels = values[0].size if flatten else values.shape[1]
    groups = draw(st.sampled_from([g for g in (1, 2, 3) if channels % g == 0]))
    kernel = tuple(draw(st.integers(1, min(3, s))) for s in (height, width))
    kernels = groups * draw(st.integers(1, 3))
    w = draw(st.sampled_from(_WEIGHTS))
    padding = (0, 0, 0, 0) if flatten else draw(st.tuples(*[st.integers(0, 1)] * 4))
    layer = Layer(
        name=f"layer{number}",
        weights=_values(rng, w, (kernels, channels // groups, *kernel)),
        w=w,
        i=i,
        bias=rng.integers(-9, 10, kernels),
        stride=draw(st.tuples(*[st.integers(1, 2)] * 2)),
        padding=padding,
        groups=groups,
        flatten=flatten,
    )
    sums = linear(layer, arrange(layer, values))
    kind = draw(st.sampled_from([None, "sum", "max_sums", "max_codes"]))
    if kind and min(sums.shape[2:]) >= 2:
        size = draw(st.integers(1, 2))
        pool = Pooling(kind=kind, size=(size, 2), stride=(1, draw(st.integers(1, 2))))
        layer = _with(layer, pool=pool)
        if kind != "max_codes":
            sums = pooled(sums, pool)
    return layer, sums


def _identity(draw, rng, number, values, i):
    """A layer that its own input is added to: its map keeps its shape, also where neighbours are pooled."""
    channels = values.shape[1]
    w = draw(st.sampled_from(_WEIGHTS))
    kind = draw(st.sampled_from([None, "sum", "max_sums"]))
    layer = Layer(
        name=f"layer{number}",
        weights=_values(rng, w, (channels, channels, 1, 3)),
        w=w,
        i=i,
        bias=rng.integers(-9, 10, channels),
        padding=(0, 1, 0, 2 if kind else 1),
        pool=Pooling(kind=kind, size=(1, 2), stride=(1, 1)) if kind else None,
        residual=_residual(rng, number - 1),
    )
    return layer, _with_residual(layer, linear(layer, values), values)


def _beside(rng, number, other, source, taken, given):
    """A layer that takes what the one before it takes, in the same geometry, and adds what that one gives."""
    pool = other.pool and replace(
        other.pool, kind="max_sums" if other.pool.kind == "max_codes" else other.pool.kind
    )
    layer = _with(
        other,
        name=f"layer{number}",
        weights=_values(rng, other.w, other.weights.shape),
        bias=rng.integers(-9, 10, len(other.weights)),
        pool=pool,
        steps=None,
        inputs=() if source is None else (source,),
        residual=_residual(rng, number - 1),
    )
    return layer, _with_residual(layer, linear(layer, arrange(layer, taken)), given)


def _residual(rng, source):
    scale, residual_scale = rng.choice([-3, -1, 1, 2, 5], 2).tolist()
    return Residual(source=source, scale=scale, residual_scale=residual_scale)


def _with_residual(layer, sums, values):
    sums = pooled(sums, layer.pool) if layer.pool else sums
    return layer.residual.scale * sums + layer.residual.residual_scale * values


def _finish(draw, rng, layer, sums, *, last, given):
    """Steps of what leaves a layer; none of the last one."""
    kernels = len(layer.weights)
    if last:
        values = pooled(sums, layer.pool) if layer.pool and layer.pool.kind == "max_codes" else sums
        return layer, values, given
    output = draw(st.sampled_from(_INPUTS))
    native = layer.residual is None and output.scale == 1 and draw(st.booleans())
    steps = _native_steps if native else _any_steps
    layer = _with(layer, steps=steps(draw, rng, _levels(output), sums, kernels))
    values = layer.steps.apply(sums)
    if layer.pool and layer.pool.kind == "max_codes":
        values = pooled(values, layer.pool)
    return layer, values, output


def _any_steps(draw, rng, levels, sums, kernels):
    """Steps anywhere, up or down."""
    rising = rng.integers(0, 2, kernels).astype(bool)
    limits = np.sort(rng.integers(sums.min(), sums.max() + 2, (kernels, len(levels) - 1)), axis=1)
    limits = np.where(rising[:, np.newaxis], limits, limits[:, ::-1])
    return StepFunction(thresholds=limits, rising=rising, levels=levels)


def _native_steps(draw, rng, levels, sums, kernels):
    """A float32 or a doubling multiplication that spreads the sums over the levels, or somewhat beyond them."""
    scale = rng.uniform(0.3, 3, kernels) * (len(levels) + 1) / max(1, np.abs(sums).max())
    bounds = {"low": int(levels[0]), "high": int(levels[-1])}
    if draw(st.booleans()):
        return FloatScale(scale=(scale * rng.choice([-1, 1], kernels)).astype(np.float32), **bounds)
    significand, shift = np.frexp(scale)
    return DoublingMultiply(
        multiplier=(significand * 2**31).astype(np.int32), shift=shift.astype(np.int64), **bounds
    )


def _with(layer: Layer, **changes: object) -> Layer:
    return Layer(**{**layer.__dict__, **changes})
