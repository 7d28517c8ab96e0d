"""The integer graph: a network as integer sums and steps, free of any file format.

A layer is a linear map of codes (a convolution; a dense layer is one whose kernel is as large as its input) with what
follows it: pooling, a residual that is added, requantization, and an addition of the codes that this gives. A layer
says what its file means: where an operator defines its arithmetic, that is it (`FloatScale`, `DoublingMultiply`,
`DoublingAddition`); all else is exact arithmetic on the file's numbers, of which a `StepFunction` holds the thresholds.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from .meaning.additions import CodeAddition, DoublingAddition
from .meaning.steps import DoublingMultiply, FloatScale, StepFunction, Steps

__all__ = [
    "CodeAddition",
    "DoublingAddition",
    "DoublingMultiply",
    "FloatScale",
    "Graph",
    "InputCoding",
    "Layer",
    "Pooling",
    "Residual",
    "StepFunction",
    "Steps",
]

Four = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Pooling:
    """Pooling of a layer's sums or codes.

    Parameters
    ----------
    kind : {"sum", "max_sums", "max_codes"}
        ``sum`` adds up sums (an average whose division lies in the thresholds), ``max_sums`` takes the greatest sum,
        ``max_codes`` the greatest code after requantization.
    size, stride : (vertical, horizontal)
    padding : (top, left, bottom, right)
        Of a maximum, which leaves these positions out; a sum has none.
    least : tuple of bool, one a channel
        Of ``max_sums``: the channels that take the least sum instead, because a negative factor comes between the sums
        and the model's maximum. Empty: none.
    """

    kind: Literal["sum", "max_sums", "max_codes"]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: Four = (0, 0, 0, 0)
    least: tuple[bool, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Residual:
    """The addend of a layer's pooled sums, before its steps: scale · sum + residual_scale · value.

    Parameters
    ----------
    source : int
        Number of an earlier layer whose output is added, value by value, or −1 for the network's input. Its map has as
        many channels, lines and columns as the pooled sums.
    scale, residual_scale : int
    """

    source: int
    scale: int
    residual_scale: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A linear layer and what follows it.

    Parameters
    ----------
    name : str
    weights : ndarray of shape (kernels, channels / groups, kernel height, kernel width), of any integer type
        Values, not codes.
    w, i : Operand
        Of the weights and of the inputs.
    stride, dilation : (vertical, horizontal)
    padding : (top, left, bottom, right)
        Padded positions contribute the value 0.
    groups : int
    bias : ndarray of shape (kernels,), int64
    flatten : bool
        The input is taken as one pixel of channels × height × width channels, in this order.
    pool : Pooling, optional
    steps : StepFunction, FloatScale or DoublingMultiply, optional
        Without, the sums themselves leave the layer.
    input : int, optional
        Number of the earlier layer whose output it takes, or −1 for the network's input; the layer before it if not
        given.
    residual : Residual, optional
        The steps are those of the sums with the residual, and without steps these leave the layer. The greatest code
        of several (``max_codes``) has none.
    addition : CodeAddition or DoublingAddition, optional
        What the values become after the steps and the pooling of codes. A layer without steps has none.
    """

    name: str
    weights: np.ndarray
    w: Operand
    i: Operand
    bias: np.ndarray
    stride: tuple[int, int] = (1, 1)
    padding: Four = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    flatten: bool = False
    pool: Pooling | None = None
    steps: Steps | None = None
    input: int | None = None
    residual: Residual | None = None
    addition: CodeAddition | DoublingAddition | None = None


@dataclass(frozen=True, kw_only=True)
class InputCoding:
    """How a user's values become codes, in float32 as models compute it.

    value = clip(round_half_even((x · multiply − subtract) / scale + zero_point), low, high) − zero_point

    Parameters
    ----------
    scale, zero_point, multiply, subtract : float
    low, high : int
        Least and greatest code.
    """

    scale: float = 1.0
    zero_point: float = 0.0
    multiply: float = 1.0
    subtract: float = 0.0
    low: int
    high: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A network of integer layers, computed one after the other.

    Parameters
    ----------
    name : str
    input_shape : (channels, height, width)
    input_coding : InputCoding
    layers : tuple of Layer
        Each takes what the one before it gives, or what its `input` says; the first takes the codes of the input, the
        last gives sums or codes.
    output_scale, output_offset : ndarray of shape (channels,), float64
        The network's own output is scale · value + offset.
    output_shape : tuple of int
        Of the model's output, the batch of 1 included.
    output_low, output_high : ndarray of shape (channels,), float64, optional
        Bounds of the network's own output, as a last Relu or Clip sets them.
    """

    name: str
    input_shape: tuple[int, int, int]
    input_coding: InputCoding
    layers: tuple[Layer, ...]
    output_scale: np.ndarray
    output_offset: np.ndarray
    output_shape: tuple[int, ...]
    output_low: np.ndarray | None = None
    output_high: np.ndarray | None = None

    def source(self, number: int) -> int:
        """Number of the layer whose output a layer takes; −1 is the network's input."""
        given = self.layers[number].input
        return number - 1 if given is None else given

    def encode_input(self, values: np.ndarray) -> np.ndarray:
        """Input values as the integers that the first layer takes.

        Parameters
        ----------
        values : ndarray of the input's shape, with or without a batch of any size before it
            A flat input of channels · height · width values is taken in this order.

        Returns
        -------
        ndarray of shape (batch, channels, height, width), int64

        Raises
        ------
        SpinplaneError
            If the shape differs, or a value is not a finite number.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise SpinplaneError(f"input: expected numbers, not an array of {array.dtype}")
        size = int(np.prod(self.input_shape))
        channels, *sides = self.input_shape
        of_one_channel = channels == 1 and array.shape[-2:] == tuple(sides)
        fits = array.ndim and (
            array.shape[-3:] == self.input_shape or array.shape[-1] == size or of_one_channel
        )
        if not fits or array.size % size or not array.size:
            raise SpinplaneError(
                f"input of shape {array.shape}: network {self.name} takes "
                f"{'×'.join(map(str, self.input_shape))} (channels, height, width), with or without a batch before it"
            )
        x = array.reshape(-1, *self.input_shape).astype(np.float32)
        if not np.isfinite(x).all():
            raise SpinplaneError("input: its values are not all finite")
        c = self.input_coding
        scaled = (x * np.float32(c.multiply) - np.float32(c.subtract)) / np.float32(c.scale) + np.float32(
            c.zero_point
        )
        codes = np.clip(np.rint(scaled), c.low, c.high)
        return (codes - np.float32(c.zero_point)).astype(np.int64)

    def decode_output(self, values: np.ndarray) -> np.ndarray:
        """What leaves the last layer, in the network's own units and shape.

        Parameters
        ----------
        values : ndarray of shape (batch, channels, height, width), int64

        Returns
        -------
        ndarray of shape (batch, *output_shape[1:]), float64
        """
        shape = (-1, 1, 1)
        own = values * self.output_scale.reshape(shape) + self.output_offset.reshape(shape)
        if self.output_low is not None:
            own = np.maximum(own, self.output_low.reshape(shape))
        if self.output_high is not None:
            own = np.minimum(own, self.output_high.reshape(shape))
        return own.reshape(len(values), *self.output_shape[1:])
