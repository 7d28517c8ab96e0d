"""The integer graph: a network as integer sums and steps, free of any file format.

A layer is a linear map of codes (a convolution; a dense layer is one whose kernel is as large as its input) with what
follows it: pooling, a residual that is added, requantization, and an addition of the codes that this gives. A layer
says what its file means: where an operator defines its arithmetic, that is it (`FloatScale`, `DoublingMultiply`,
`DoublingAddition`, `FloatAddition`); all else is exact arithmetic on the file's numbers, of which a `StepFunction`
holds the thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spinplane.machine import Operand, SpinplaneError
from spinplane.machine.reporting.brief import brief

from .meaning.additions import Addition, CodeAddition, DoublingAddition, FloatAddition
from .meaning.input_coding import InputCoding, InputCodings, InputOperation
from .meaning.steps import DoublingMultiply, FloatScale, StepFunction, Steps

__all__ = [
    "CodeAddition",
    "DoublingAddition",
    "DoublingMultiply",
    "FloatAddition",
    "FloatScale",
    "Graph",
    "InputCoding",
    "InputCodings",
    "InputOperation",
    "InputTensor",
    "Layer",
    "Output",
    "Pooling",
    "Residual",
    "StepFunction",
    "Steps",
    "unscaled_output",
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
        Of a maximum without gaps, which leaves these positions out; all others have none.
    dilation : (vertical, horizontal)
        Distance of the positions that a region takes.
    least : tuple of bool, one a channel
        Of ``max_sums``: the channels that take the least sum instead, because a negative factor comes between the sums
        and the model's maximum. Empty: none.
    """

    kind: Literal["sum", "max_sums", "max_codes"]
    size: tuple[int, int]
    stride: tuple[int, int]
    padding: Four = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)
    least: tuple[bool, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Residual:
    """The addend of a layer's pooled sums, before its steps: scale · sum + residual_scale · value.

    Parameters
    ----------
    source : int
        Number of an earlier layer whose output is added, value by value, or −1 for the network's input. Its map has as
        many channels, lines and columns as the pooled sums.
    scale, residual_scale : int or tuple of int, one a channel
    """

    source: int
    scale: int | tuple[int, ...]
    residual_scale: int | tuple[int, ...]

    def total(self, sums: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sums with the residual's values added, both of shape (batch, channels, height, width), int64."""
        own, added = (
            np.reshape(factor, (-1, 1, 1)).astype(np.int64) for factor in (self.scale, self.residual_scale)
        )
        return own * sums + added * values


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
        Padded positions have the value `pad_value`.
    groups : int
    bias : ndarray of shape (kernels,), int64
    flatten : bool
        What it takes is one pixel of channels × height × width channels, in this order.
    pool : Pooling, optional
    steps : StepFunction, FloatScale or DoublingMultiply, optional
        Without, the sums themselves leave the layer.
    inputs : tuple of int
        Numbers of the earlier layers whose outputs it takes, side by side along the channels in this order; −1 is the
        network's input. Empty: the layer before it. All of them are values of `i`.
    pad_value : int
    residual : Residual, optional
        The steps are those of the sums with the residual, and without steps these leave the layer. The greatest code
        of several (``max_codes``) has none.
    addition : CodeAddition, DoublingAddition or FloatAddition, optional
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
    inputs: tuple[int, ...] = ()
    pad_value: int = 0
    residual: Residual | None = None
    addition: Addition | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Output:
    """An output of a network: what some of its layers give, in units, axes and shape of its own.

    number = clip(scale · value + offset, low, high)

    Parameters
    ----------
    name : str
        Of the model's tensor.
    layers : tuple of int
        Numbers of the layers that give it, side by side along the channels in this order. Layers that give sums are
        read by no other layer.
    scale, offset : ndarray of shape (channels,), float64
    shape : tuple of int
        Of the model's output, the batch of 1 included.
    low, high : ndarray of shape (channels,), float64, optional
        Bounds, as a last Relu or Clip sets them.
    order : permutation of (0, 1, 2, 3)
        Axes of (batch, channels, height, width) in the order in which the model has them.
    """

    name: str
    layers: tuple[int, ...]
    scale: np.ndarray
    offset: np.ndarray
    shape: tuple[int, ...]
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    order: Four = (0, 1, 2, 3)

    def values(self, maps: Sequence[np.ndarray | None]) -> np.ndarray:
        """Values of all its channels, shape (batch, channels, height, width), from those of each layer."""
        parts = [maps[number] for number in self.layers]
        return np.concatenate([part for part in parts if part is not None], axis=1)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Values in the output's own units, axes and shape.

        Parameters
        ----------
        values : ndarray of shape (batch, channels, height, width), int64

        Returns
        -------
        ndarray of shape (batch, *shape[1:]), float64
        """
        by_channel = (-1, 1, 1)
        own = values * self.scale.reshape(by_channel) + self.offset.reshape(by_channel)
        if self.low is not None:
            own = np.maximum(own, self.low.reshape(by_channel))
        if self.high is not None:
            own = np.minimum(own, self.high.reshape(by_channel))
        return own.transpose(self.order).reshape(len(values), *self.shape[1:])


@dataclass(frozen=True, kw_only=True)
class InputTensor:
    """The model's own tensor of a network's input.

    Parameters
    ----------
    name : str
    shape : tuple of int
        The batch of 1 included.
    order : permutation of (0, 1, 2, 3)
        Axes of (batch, channels, height, width) in the order in which the model has them.
    dtype : str
        Type of its elements, as numpy names it.
    """

    name: str
    shape: tuple[int, ...]
    order: Four = (0, 1, 2, 3)
    dtype: str = "float32"


def unscaled_output(number: int, shape: tuple[int, ...]) -> Output:
    """An output of the values of one layer as they are, in a shape whose second side are the channels."""
    ones = np.ones(shape[1])
    return Output(name="output", layers=(number,), scale=ones, offset=0 * ones, shape=shape)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Graph:
    """A network of integer layers, computed one after the other.

    Parameters
    ----------
    name : str
    input_shape : (channels, height, width)
        Of what a user gives.
    input_coding : InputCoding or InputCodings
    layers : tuple of Layer
        Each takes what the one before it gives, or what its `inputs` say; the first takes the network's input.
    outputs : tuple of Output
        At least one.
    input_tensor : InputTensor, optional
        Of a network that comes from a file.
    """

    name: str
    input_shape: tuple[int, int, int]
    input_coding: InputCoding | InputCodings
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    input_tensor: InputTensor | None = None

    def __repr__(self) -> str:
        return brief(
            self, f"{self.name}: {len(self.layers)} layers, input {'×'.join(map(str, self.input_shape))}"
        )

    @property
    def map_shape(self) -> tuple[int, int, int]:
        """Of the network's input as a map: (channels, height, width), with the channels of all codings."""
        channels, height, width = self.input_shape
        return len(self.input_coding.parts) * channels, height, width

    def sources(self, number: int) -> tuple[int, ...]:
        """Numbers of the layers whose outputs a layer takes, side by side; −1 is the network's input."""
        return self.layers[number].inputs or (number - 1,)

    def encode_input(self, values: np.ndarray) -> np.ndarray:
        """A user's numbers as the values of the network's input.

        Parameters
        ----------
        values : ndarray
            See `arrange_input`.

        Returns
        -------
        ndarray of shape (batch, *map_shape), int64

        Raises
        ------
        SpinplaneError
            As `arrange_input` does.
        """
        return self.input_coding.encode(self.arrange_input(values))

    def arrange_input(self, values: np.ndarray) -> np.ndarray:
        """A user's numbers as a batch of images.

        Parameters
        ----------
        values : ndarray of the input's shape, with or without a batch of any size before it
            The shape of the model's own tensor, if there is one, or (channels, height, width); a flat input of channels
            · height · width values is taken in this order.

        Returns
        -------
        ndarray of shape (batch, channels, height, width), float32

        Raises
        ------
        SpinplaneError
            If the shape differs, or a value is not a finite number.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise SpinplaneError(f"input: expected numbers, not an array of {array.dtype}")
        if self.input_tensor is not None:
            array = self._from_tensor(array, self.input_tensor)
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
        return x

    def _from_tensor(self, array: np.ndarray, tensor: InputTensor) -> np.ndarray:
        """An array of the shape of the model's own tensor as channels, height and width."""
        own = tensor.shape[1:]
        if array.ndim < len(own) or array.shape[array.ndim - len(own) :] != own:
            return array
        sides = [self.input_shape[axis - 1] for axis in tensor.order[1:]]
        return array.reshape(-1, *sides).transpose(np.argsort(tensor.order))

    def decode_outputs(self, maps: Sequence[np.ndarray | None]) -> tuple[np.ndarray, ...]:
        """All outputs in the network's own units and shapes.

        Parameters
        ----------
        maps : sequence of ndarray of shape (batch, channels, height, width), int64
            Values that leave each layer; None for some that no output takes.
        """
        return tuple(output.decode(output.values(maps)) for output in self.outputs)
