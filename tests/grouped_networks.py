"""Random networks around a layer of groups: depthwise ones and others, between layers without groups."""

from dataclasses import replace

import numpy as np

from spinplane.compiler.graph import (
    Graph,
    InputCoding,
    Layer,
    Pooling,
    Residual,
    StepFunction,
    unscaled_output,
)
from spinplane.compiler.oracle import linear, pooled
from spinplane.machine import Coding, Operand

#: Kernels, strides, and groups as (channels, kernels).
_KERNELS = [(3, 3), (3, 3), (3, 1), (1, 3), (2, 4), (1, 1)]
_GROUPS = [(1, 1), (1, 1), (1, 2), (1, 3), (2, 2), (4, 4), (4, 2), (2, 4), (3, 2)]


def grouped_network(seed: int, *, most: int = 40) -> tuple[Graph, np.ndarray]:
    """A layer that widens the input, one of groups, and often one behind it; and one input.

    The layer of groups may pool, have its input added, or be the last one; it sees at most as many channels as `most`.
    """
    rng = np.random.default_rng(seed)
    of_group, kernels = _GROUPS[rng.integers(len(_GROUPS))]
    seen = of_group * int(rng.integers(2, most // of_group + 1))
    groups = seen // of_group
    height, width = rng.integers(4, 7, 2).tolist()
    values = rng.integers(0, 4, (1, 2, height, width))
    inputs = values
    first = _layer(rng, "widens", values, Operand(bits=2), seen, (1, 1))
    first, values, taken = _with_steps(rng, first, values)
    kernel = _KERNELS[rng.integers(len(_KERNELS))]
    grouped = _layer(rng, "groups", values, taken, groups * kernels, kernel, groups=groups)
    layers, sums = [first], linear(grouped, values)
    kind = [None, None, "sum", "max_sums", "max_codes"][rng.integers(5)]
    if kind and min(sums.shape[2:]) >= 2:
        grouped = replace(grouped, pool=Pooling(kind=kind, size=(2, 2), stride=(1, int(rng.integers(1, 3)))))
    elif sums.shape == values.shape and rng.random() < 0.6:
        grouped = replace(grouped, residual=Residual(source=0, scale=2, residual_scale=3))
    if rng.random() < 0.3:
        layers.append(grouped)
        sums = pooled(sums, grouped.pool) if grouped.pool else sums
    else:
        grouped, values, taken = _with_steps(rng, grouped, values, values)
        layers += [grouped, _layer(rng, "narrows", values, taken, 5, (1, 1))]
        sums = linear(layers[-1], values)
    graph = Graph(
        name="grouped",
        input_shape=inputs.shape[1:],
        input_coding=InputCoding(low=0, high=3),
        layers=tuple(layers),
        outputs=(unscaled_output(len(layers) - 1, sums.shape),),
    )
    return graph, inputs


def _layer(
    rng: np.random.Generator,
    name: str,
    values: np.ndarray,
    i: Operand,
    kernels: int,
    kernel: tuple[int, int],
    groups: int = 1,
) -> Layer:
    bits = int(rng.integers(1, 9)) if groups > 1 else 2
    w = Operand(bits=bits, coding=Coding.TWOS_COMPLEMENT if bits > 1 else Coding.BIPOLAR)
    if rng.random() < 0.2:
        w = Operand(bits=bits)
    shape = (kernels, values.shape[1] // groups, *kernel)
    weights = rng.integers(w.smallest, w.largest + 1, shape)
    if w.coding is Coding.BIPOLAR:
        weights = 2 * rng.integers(0, 2, shape) - 1
    padded = [side - 1 if rng.random() < 0.7 else 0 for side in kernel] if kernel != (1, 1) else [0, 0]
    return Layer(
        name=name,
        weights=weights,
        w=w,
        i=i,
        bias=rng.integers(-30, 30, kernels),
        padding=(padded[0] // 2, padded[1] // 2, (padded[0] + 1) // 2, (padded[1] + 1) // 2),
        stride=tuple(rng.choice([1, 1, 2], 2).tolist()) if groups > 1 else (1, 1),
        groups=groups,
    )


def _with_steps(
    rng: np.random.Generator, layer: Layer, values: np.ndarray, added: np.ndarray | None = None
) -> tuple[Layer, np.ndarray, Operand]:
    """A layer with steps, what it gives, and of which operand."""
    sums, pool = linear(layer, values), layer.pool
    if pool and pool.kind != "max_codes":
        sums = pooled(sums, pool)
    if layer.residual:
        sums = layer.residual.scale * sums + layer.residual.residual_scale * added
    bits = int(rng.integers(1, 5))
    levels = np.arange(1 << bits) - (1 << bits - 1 if rng.random() < 0.5 else 0)
    limits = rng.integers(sums.min(), sums.max() + 2, (len(layer.weights), len(levels) - 1))
    steps = StepFunction(
        thresholds=np.sort(limits, axis=1), rising=np.ones(len(layer.weights), dtype=bool), levels=levels
    )
    codes = steps.apply(sums)
    if pool and pool.kind == "max_codes":
        codes = pooled(codes, pool)
    signed = Coding.TWOS_COMPLEMENT if levels[0] < 0 else Coding.UNSIGNED
    return replace(layer, steps=steps), codes, Operand(bits=bits, coding=signed)
