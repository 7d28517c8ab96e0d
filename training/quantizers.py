"""DoReFa's quantizers of weights, activations and gradients, with straight-through estimators.

S. Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth
Gradients", arXiv 1606.06160. A width of 32 bits leaves values as they are.
"""

from typing import Any

import torch
from torch import Tensor

UNQUANTIZED = 32


class _Round(torch.autograd.Function):
    """Round to nearest, ties to even; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


class _Binarize(torch.autograd.Function):
    """sign(x)·mean|x| with sign(0) = +1; the gradient passes unchanged."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        scale = x.abs().mean()
        return torch.where(x >= 0, scale, -scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


def quantize(x: Tensor, bits: int) -> Tensor:
    """q_k(x) = round((2^k − 1)·x) / (2^k − 1), ties to even (Eq. 5 of DoReFa, Eq. 4 of IMCE).

    Parameters
    ----------
    x : Tensor
        Values in [0, 1].
    bits : int
        k, the number of bits; 32 leaves `x` as it is.
    """
    if bits == UNQUANTIZED:
        return x
    steps = 2**bits - 1
    return _Round.apply(x * steps) / steps


def quantize_activation(x: Tensor, bits: int, kind: str = "clip") -> Tensor:
    """q_k of the activation function: min(max(x, 0), 1) for ``"clip"``, min(|x|, 1) for ``"abs"``.

    The gradient is that of the activation function. Unquantized networks (32 bits) keep it.
    """
    return quantize((x.abs() if kind == "abs" else x).clamp(0, 1), bits)


def quantize_weight(weight: Tensor, bits: int) -> Tensor:
    """DoReFa's weights.

    For k > 1 bits 2·q_k(tanh w / (2·max|tanh w|) + ½) − 1; for one bit sign(w)·mean|w| with sign(0) = +1.
    For one bit the gradient passes as if there were no quantizer.
    """
    if bits == UNQUANTIZED:
        return weight
    if bits == 1:
        return _Binarize.apply(weight)
    squashed = torch.tanh(weight)
    return 2 * quantize(squashed / (2 * squashed.abs().max()) + 0.5, bits) - 1


def symmetric_scale(weight: Tensor) -> Tensor:
    """Scale of 8-bit edge weights: max|w| / 127."""
    return weight.detach().abs().max() / 127


def quantize_edge_weight(weight: Tensor, bits: int) -> Tensor:
    """Weights of first and last layers: as they are, or two's complement in −127 … 127 with one scale.

    Parameters
    ----------
    weight : Tensor
    bits : int
        32 or 8.
    """
    if bits == UNQUANTIZED:
        return weight
    scale = symmetric_scale(weight)
    return _Round.apply(weight / scale) * scale


class _QuantizeGradient(torch.autograd.Function):
    """Identity whose gradient is quantized."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bits: int) -> Tensor:
        ctx.bits = bits
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient_to_bits(gradient, ctx.bits, torch.rand_like(gradient) - 0.5), None


def gradient_to_bits(gradient: Tensor, bits: int, noise: Tensor) -> Tensor:
    """DoReFa's gradients (its Eq. 12): 2·m·(q_k(dr/(2m) + ½ + σ/(2^k − 1)) − ½), m = max|dr| of each image.

    Parameters
    ----------
    gradient : Tensor of shape (images, …)
        dr.
    bits : int
        k.
    noise : Tensor
        σ of the gradient's shape, in [−½, ½], which makes the rounding unbiased.
    """
    largest = gradient.abs().amax(dim=tuple(range(1, gradient.dim())), keepdim=True)
    # An all-zero image has no scale; any other than 0 leaves its gradient at 0 within half a step.
    safe = torch.where(largest > 0, largest, 1)
    steps = 2**bits - 1
    position = (gradient / (2 * safe)).add_(0.5).add_(noise / steps).clamp_(0, 1)
    return position.mul_(steps).round_().div_(steps).sub_(0.5).mul_(2 * largest)


def quantize_gradient(x: Tensor, bits: int) -> Tensor:
    """Pass `x` forward unchanged and quantize the gradient that comes back (`gradient_to_bits`).

    The noise is drawn from PyTorch's default generator of the device, so a restored state repeats it.
    """
    return x if bits == UNQUANTIZED else _QuantizeGradient.apply(x, bits)
