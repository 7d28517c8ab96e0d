"""Make a trained network exact: no activation on an integer input lies near a rounding threshold.

A quantized layer adds up integers, so an activation code is y = a·x + b of an integer x (an average of pooled
integers, where it pools). Where some y falls close to j − ½, the code that follows depends on the rounding
errors of the computation. `settle` moves b of each channel by at most half a unit of x, to where all
thresholds keep the greatest distance from the values that y can take. Where a step of y takes hundreds of
units, it first makes that a whole number, so that all thresholds find the same distance. Then float32,
float64 and integers agree.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from .model import Block, LowBitNetwork
from .quantizers import UNQUANTIZED, symmetric_scale

#: Offsets that are tried on either side.
CANDIDATES = 64
#: Units of x that a step of y takes at least to be made a whole number: slopes change by 0.2 % at most.
COARSE = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class Affine:
    """From sums of codes to activation codes: y = factor·x + offset for each channel.

    Parameters
    ----------
    factor, offset : ndarray of shape (channels,), float64
    sum_scale : float
        Real value of a sum of 1.
    steps : int
        Code of the activation 1.0; 1 without a quantizer or an activation.
    """

    factor: np.ndarray
    offset: np.ndarray
    sum_scale: float
    steps: int


def weight_scale(block: Block) -> float:
    """Real value of a weight code of 1: ±1 for one bit, odd or two's complement for more."""
    weight = block.convolution.weight.detach()
    if block.weight_bits == UNQUANTIZED:
        return 1.0
    if block.layer.edge:
        return float(symmetric_scale(weight))
    return float(weight.abs().mean()) if block.weight_bits == 1 else 1 / (2**block.weight_bits - 1)


def weight_codes(block: Block) -> np.ndarray:
    """Integer weights, or real ones of an unquantized layer: float64 of the convolution's shape."""
    scaled = block.weight().detach().double().numpy() / weight_scale(block)
    return scaled if block.weight_bits == UNQUANTIZED else np.round(scaled)


def normalization(norm: nn.BatchNorm2d) -> tuple[np.ndarray, ...]:
    """γ, β, mean and variance with ε of a batch-norm, float64 of shape (channels,)."""
    state = norm.state_dict()
    names = ("weight", "bias", "running_mean", "running_var")
    gamma, beta, mean, variance = (state[name].double().numpy() for name in names)
    return gamma, beta, mean, variance + norm.eps


def affines(model: LowBitNetwork) -> list[Affine]:
    """Batch-norm, bias and all scales of each layer in one factor and offset."""
    input_scale, result = 1 / model.network.divisor, []
    for block in model.blocks:
        channels = block.layer.channels
        sum_scale = weight_scale(block) * input_scale
        quantized = block.layer.activation and block.output_bits != UNQUANTIZED
        steps = 2**block.output_bits - 1 if quantized else 1
        factor, offset = np.full(channels, sum_scale), np.zeros(channels)
        if block.convolution.bias is not None:
            offset = block.convolution.bias.detach().double().numpy()
        if (norm := block.batch_norm) is not None:
            gamma, beta, mean, variance = normalization(norm)
            slope = gamma / np.sqrt(variance)
            factor, offset = factor * slope, (offset - mean) * slope + beta
        if not block.layer.activation:
            factor, offset = factor / sum_scale, offset / sum_scale
        result.append(Affine(factor=factor * steps, offset=offset * steps, sum_scale=sum_scale, steps=steps))
        input_scale = 1 / steps
    return result


def settle(model: LowBitNetwork) -> LowBitNetwork:
    """A float64 copy of a trained network in evaluation mode, its offsets moved off the thresholds.

    Biases of a last layer become whole numbers of its sums. Layers that are not quantized stay as they are.
    """
    settled = copy.deepcopy(model).double().eval()
    first = model.network.edge_bits != UNQUANTIZED
    inputs = [first, *(block.output_bits != UNQUANTIZED for block in settled.blocks[:-1])]
    exact = [
        is_exact and block.weight_bits != UNQUANTIZED
        for is_exact, block in zip(inputs, settled.blocks, strict=True)
    ]
    with torch.no_grad():
        for block, affine in _exact_layers(settled, exact):
            if block.batch_norm is not None and block.layer.activation:
                block.batch_norm.weight.mul_(torch.from_numpy(_slope_changes(block, affine)))
        for block, affine in _exact_layers(settled, exact):
            bias = block.convolution.bias
            if not block.layer.activation:
                if bias is not None:
                    bias.copy_(torch.round(bias / affine.sum_scale) * affine.sum_scale)
            elif block.output_bits != UNQUANTIZED:
                offset = bias if block.batch_norm is None else block.batch_norm.bias
                if offset is not None:
                    offset.add_(torch.from_numpy(_shifts(block, affine) / affine.steps))
    return settled


def _exact_layers(model: LowBitNetwork, exact: list[bool]) -> Iterator[tuple[Block, Affine]]:
    for block, affine, is_exact in zip(model.blocks, affines(model), exact, strict=True):
        if is_exact:
            yield block, affine


def margins(block: Block, affine: Affine, shift: np.ndarray | float = 0.0) -> np.ndarray:
    """Least distance of a threshold j − ½ from the values of y, for each channel, in activation codes.

    Parameters
    ----------
    block : Block
    affine : Affine
    shift : ndarray or float
        Added to the offset; broadcasts with the channels.
    """
    levels = np.arange(1, affine.steps + 1) - 0.5
    if block.activation == "abs":
        levels = np.concatenate([-levels, levels])
    unit = np.abs(affine.factor) * _grid(block)
    distance = levels - (affine.offset + shift)[..., None]
    safe = np.where(unit > 0, unit, 1)[:, None]
    nearest = np.where(unit[:, None] > 0, np.round(distance / safe), 0)
    return np.abs(distance - nearest * unit[:, None]).min(-1)


def _grid(block: Block) -> float:
    """Distance of two values of x."""
    pool = block.layer.pool
    return 1 / pool.size**2 if pool and pool.kind == "average" else 1.0


def _slope_changes(block: Block, affine: Affine) -> np.ndarray:
    """Factor of each channel's slope that makes a coarse step a whole number of units."""
    unit = np.abs(affine.factor) * _grid(block)
    ratio = 1 / np.where(unit > 0, unit, 1)
    return np.where(ratio >= COARSE, ratio / np.maximum(np.round(ratio), 1), 1)


def _shifts(block: Block, affine: Affine) -> np.ndarray:
    """Shift of each channel's offset that leaves the greatest margin."""
    span = np.minimum(np.abs(affine.factor) * _grid(block), 1)
    candidates = span * (np.arange(-CANDIDATES, CANDIDATES + 1) / (2 * CANDIDATES))[:, None]
    best = np.stack([margins(block, affine, shift) for shift in candidates]).argmax(0)
    return candidates[best, np.arange(len(span))]
