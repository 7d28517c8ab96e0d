"""Average pooling folded into the linear layer before it: one larger kernel instead of several windows.

A sum over the windows of a region is a sum of shifted products, Σ_r Σ_t w_t · x_{r + t} = Σ_u (Σ_r w_{u − r}) · x_u: a
convolution by the sum of the shifted kernels, with the stride of the regions. Nothing is rounded, so the steps after it
stay what they are. A region of p×p windows costs p²·F²·N products of bits with a kernel of F×F taps of N planes, and
(F + p − 1)²·N' with the sum's N' planes: it pays for weights of many bits and large regions, not for those of one bit.
The other way, sums over boxes of the input, would need a pass of its own that costs as much as it saves.
"""

from dataclasses import replace

import numpy as np

from spinplane.machine import MAX_BITS, Coding, Operand

from ..graph import Layer


def fold_pool(layer: Layer) -> Layer | None:
    """A layer with average pooling as one without that has the same sums.

    Parameters
    ----------
    layer : Layer

    Returns
    -------
    Layer or None
        None if there is no average to fold, or the summed weights need more planes than kernels have.
    """
    pool = layer.pool
    if pool is None or pool.kind != "sum" or pool.size == (1, 1):
        return None
    kernels, channels, height, width = layer.weights.shape
    # Shifted kernels have gaps in common with dilated ones only by chance: their sum has none.
    taps = [(side - 1) * dilation + 1 for side, dilation in zip((height, width), layer.dilation, strict=True)]
    steps = [stride * gap for stride, gap in zip(layer.stride, pool.dilation, strict=True)]
    shifts = [(size - 1) * step for size, step in zip(pool.size, steps, strict=True)]
    weights = np.zeros((kernels, channels, taps[0] + shifts[0], taps[1] + shifts[1]), dtype=np.int64)
    for y in range(0, shifts[0] + 1, steps[0]):
        for x in range(0, shifts[1] + 1, steps[1]):
            seen = weights[:, :, y : y + taps[0] : layer.dilation[0], x : x + taps[1] : layer.dilation[1]]
            seen += layer.weights
    operand = _operand(int(weights.min()), int(weights.max()))
    if operand is None:
        return None
    return replace(
        layer,
        weights=weights,
        w=operand,
        bias=layer.bias * pool.size[0] * pool.size[1],
        stride=(layer.stride[0] * pool.stride[0], layer.stride[1] * pool.stride[1]),
        dilation=(1, 1),
        pool=None,
    )


def _operand(least: int, greatest: int) -> Operand | None:
    """The narrowest operand that has both."""
    if least >= 0:
        bits, coding = max(1, greatest.bit_length()), Coding.UNSIGNED
    else:
        bits, coding = 1 + max(greatest.bit_length(), (~least).bit_length()), Coding.TWOS_COMPLEMENT
    return Operand(bits=bits, coding=coding) if bits <= MAX_BITS else None
