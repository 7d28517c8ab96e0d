"""Residual blocks whose weights have a scale a kernel: a convolution, the block's input added, Relu, a quantizer."""

import numpy as np

from tests.random_networks.description import (
    INPUT,
    Activation,
    Addition,
    Convolution,
    Layer,
    Network,
    Quantizer,
    Weights,
    Window,
)


def residual_network(seed: int, *, bits: int, channels: int, side: int = 5) -> Network:
    """A first layer, a residual block over open sums, and a layer of sums."""
    rng = np.random.default_rng([seed, bits, channels])

    def convolution(kernels: int, inputs: int, kernel: int) -> Convolution:
        codes = rng.integers(1 - 2 ** (bits - 1), 2 ** (bits - 1), (kernels, inputs, kernel, kernel))
        scale = (rng.uniform(0.2, 1, kernels) * 2 ** (1 - bits)).astype(np.float32)
        return Convolution(
            weights=Weights(
                codes=codes, quantizer=Quantizer(bits=bits, signed=True, scale=scale, narrow=True)
            ),
            window=Window(kernel=(kernel, kernel), stride=(1, 1), dilation=(1, 1), pads=(kernel // 2,) * 4),
            bias=rng.integers(-(4**bits) // 64, 4**bits // 64 + 1, kernels).astype(np.int32),
        )

    def codes(reach: float) -> Quantizer:
        return Quantizer(bits=bits, signed=False, scale=np.float32(reach * rng.uniform(0.5, 1) / 2**bits))

    shape, relu = (channels, side, side), (Activation(operator="Relu"),)
    layers = (
        Layer(
            sources=(INPUT,), core=convolution(channels, 2, 3), shape=shape, after=relu, quantizer=codes(6)
        ),
        Layer(sources=(0,), core=convolution(channels, channels, 3), shape=shape),
        Layer(sources=(1, 0), core=Addition(), shape=shape, after=relu, quantizer=codes(12)),
        Layer(sources=(2,), core=convolution(3, channels, 1), shape=(3, side, side)),
    )
    given = Quantizer(bits=bits, signed=True, scale=np.float32(2 / 2**bits))
    return Network(shape=(2, side, side), preparation=(), quantizer=given, layers=layers, outputs=(3,))
