"""A network of `spinplane.compiler.frontend.networks` as a PyTorch module with quantized layers."""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from spinplane.compiler.frontend.networks import BitWidths, LayerShape, Network

from .quantizers import (
    UNQUANTIZED,
    quantize_activation,
    quantize_edge_weight,
    quantize_gradient,
    quantize_weight,
)


class Block(nn.Module):
    """One `Layer`: dropout, convolution, pooling, batch-norm, activation and quantizer.

    Parameters
    ----------
    shape : LayerShape
    network : Network
    bits : BitWidths
    output_bits : int
        Bits of the quantizer behind the activation: what the next layer takes.
    """

    def __init__(self, shape: LayerShape, network: Network, bits: BitWidths, output_bits: int) -> None:
        super().__init__()
        layer = shape.layer
        self.layer = layer
        self.weight_bits = network.edge_bits if layer.edge else bits.weight
        self.gradient_bits = UNQUANTIZED if layer.edge else bits.gradient
        self.output_bits = output_bits
        self.activation = network.activation
        self.convolution = nn.Conv2d(
            shape.inputs[0],
            layer.channels,
            layer.kernel,
            layer.stride,
            layer.padding,
            groups=layer.groups,
            bias=layer.bias,
        )
        self.batch_norm = nn.BatchNorm2d(layer.channels, eps=network.epsilon) if layer.batch_norm else None

    def weight(self) -> Tensor:
        """The quantized weights."""
        quantizer = quantize_edge_weight if self.layer.edge else quantize_weight
        return quantizer(self.convolution.weight, self.weight_bits)

    def normalized(self, x: Tensor) -> Tensor:
        """What enters the activation."""
        layer, pool = self.layer, self.layer.pool
        if layer.dropout:
            x = functional.dropout(x, layer.dropout, self.training)
        weight, stride = self.weight(), layer.stride
        if pool and pool.kind == "average":
            weight, stride = _averaging_kernel(weight, pool.size, stride), stride * pool.stride
        x = functional.conv2d(x, weight, self.convolution.bias, stride, layer.padding, groups=layer.groups)
        x = quantize_gradient(x, self.gradient_bits)
        if self.batch_norm is not None:
            x = self.batch_norm(x)
        if pool and pool.kind == "max":
            before, after = pool.padding
            if before or after:
                x = functional.pad(x, (before, after, before, after), value=float("-inf"))
            x = functional.max_pool2d(x, pool.size, pool.stride)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Output of the layer: activations in [0, 1], or logits of a layer without activation."""
        x = self.normalized(x)
        return quantize_activation(x, self.output_bits, self.activation) if self.layer.activation else x


def _averaging_kernel(weight: Tensor, size: int, stride: int) -> Tensor:
    """Kernel of convolution and average pooling in one.

    Both are linear, so their composition is a convolution: of the same sums at a third of the time.

    Parameters
    ----------
    weight : Tensor of shape (output channels, input channels, kernel, kernel)
    size : int
        Side of a pooling region.
    stride : int
        Of the convolution.
    """
    side = weight.shape[-1]
    box = weight.new_full((1, 1, size, size), 1 / size**2)
    merged = functional.conv_transpose2d(box, weight.reshape(1, -1, side, side), stride=stride)
    return merged.view(*weight.shape[:2], *merged.shape[2:])


class LowBitNetwork(nn.Module):
    """A network at given bit-widths.

    Parameters
    ----------
    network : Network
    bits : BitWidths
        Of all layers but edge layers, which have ``network.edge_bits``; with 32:32 nothing is quantized.
    """

    def __init__(self, network: Network, bits: BitWidths) -> None:
        super().__init__()
        if bits.weight == bits.activation == UNQUANTIZED:
            network = replace(network, edge_bits=UNQUANTIZED)
        self.network = network
        self.bits = bits
        shapes = network.shapes()
        following = [shape.layer for shape in shapes[1:]]
        output_bits = [network.edge_bits if layer.edge else bits.activation for layer in following]
        blocks = [
            Block(shape, network, bits, width)
            for shape, width in zip(shapes, [*output_bits, UNQUANTIZED], strict=True)
        ]
        # A ModuleList is a sequence of blocks that PyTorch's types take for any modules.
        self.blocks = cast("list[Block]", nn.ModuleList(blocks))

    def codes(self, pixels: Tensor) -> Tensor:
        """Input of the first layer from pixels in [0, 255]."""
        whole = torch.round(pixels) if self.network.edge_bits != UNQUANTIZED else pixels
        return whole / self.network.divisor

    def forward(self, pixels: Tensor) -> Tensor:
        """Logits.

        Parameters
        ----------
        pixels : Tensor of shape (images, channels, side, side)
            Gray levels or colours, 0 to 255.

        Returns
        -------
        Tensor of shape (images, classes)
        """
        x = self.codes(pixels)
        for block in self.blocks:
            x = block(x)
        return x.flatten(1)
