"""Layers that copy maps."""

from collections.abc import Sequence

import numpy as np

from spinplane.machine import Coding, Operand

from ...graph import Layer


def copying(name: str, maps: Sequence[int], channels: int, operand: Operand) -> Layer:
    """A layer that gives the values it takes."""
    return Layer(
        name=name,
        weights=np.ones((channels, 1, 1, 1), dtype=np.int64),
        w=Operand(bits=1, coding=Coding.UNSIGNED),
        i=operand,
        bias=np.zeros(channels, dtype=np.int64),
        groups=channels,
        inputs=tuple(maps),
    )


def is_copying(layer: Layer) -> bool:
    """Whether a layer's sums are the values that it takes, at the same places."""
    return (
        layer.weights.shape[1:] == (1, 1, 1)
        and layer.groups == len(layer.weights)
        and bool((layer.weights == 1).all())
        and not layer.bias.any()
        and layer.stride == (1, 1)
        and not any(layer.padding)
        and not layer.flatten
        and layer.residual is None
    )
