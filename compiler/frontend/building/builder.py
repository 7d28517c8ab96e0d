"""The builder: operators on values, which become layers of an integer graph.

Every method takes the label of the file's node first, which messages and layers name. Constants of a tensor's operators
are given as the file has them: they spread over the tensor as numpy's do, and must be one number or one a channel.
"""

from collections.abc import Sequence

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import DoublingAddition, DoublingMultiply, FloatAddition, FloatScale, InputCoding
from ...meaning.additions import float_offset
from ...meaning.float64_scale import float64_steps
from ..quantizers import Levels
from . import (
    arranging,
    copied_borders,
    elementwise,
    ends,
    joining,
    linear,
    pairs,
    pooling,
    quantizing,
    replaying,
    shaping,
    tables,
)
from .drafts import Drafts, Input
from .elementwise import Arithmetic
from .finishing import Given, Named, finish
from .imported import ImportedNetwork
from .layout import Layout
from .thresholds import Thresholds
from .value import InputCarrier, Value
from .weights import Weights


class Builder:
    """A graph that is being built.

    Parameters
    ----------
    name : str
        Of the network.
    coding : InputCoding, optional
        Of an input that the file does not quantize.

    Raises
    ------
    SpinplaneError
        From every method, if an integer graph cannot say what is asked for; the message names the node.
    """

    def __init__(self, name: str, *, coding: InputCoding | None = None) -> None:
        self._name, self._drafts = name, Drafts(given=coding)
        self._named: list[Named] = []
        self._given: list[Given] = []
        self._told: list[str] = []

    # --- ends ---------------------------------------------------------------------------------------------------

    def input(
        self, name: str, shape: Sequence[int], dtype: np.dtype, *, channels: int = 1, batched: bool = True
    ) -> Value:
        """The network's input, of the file's shape and type.

        `channels` is the axis on which these are, unless the operators that take the input say another one. Its first
        axis is that of images, and taken as 1, if it is `batched`.
        """
        sides = (1, *shape[1:]) if batched else tuple(shape)
        layout = Layout.of_tensor(sides, channels if batched else 0, batched=batched)
        if self._drafts.input is not None:
            raise SpinplaneError(f"has a second input {name!r}: expected one")
        self._drafts.input = Input(
            name=name, dtype=np.dtype(dtype), shape=sides, batched=batched, layout=layout
        )
        return Value(layout=layout, carrier=InputCarrier(arrangement=0))

    def name(self, tensor: str, value: Value) -> None:
        """Say which tensor of the file a value is; the first one that a map is gives its view."""
        self._named.append((tensor, value))

    def output(self, name: str, x: Value) -> None:
        """Let a value be an output of the network."""
        x = self._now(x)
        maps, value, left = ends.output_maps(self._drafts, name, x)
        if value is not x or x.host:
            alike = (t for t, one in self._named for of in (value, x) if ends.is_same(self._now(one), of))
            name = next(alike, name)
        if left:
            self.tell(f"{left} is left to the host: the output is {name!r}")
        if all(name != other for other, _, _ in self._given):
            self._given.append((name, maps, value))

    def host(self, label: str, x: Value, operator: str) -> Value:
        """Leave an operator at the end (Softmax, ArgMax, TopK, …) to the host.

        Gives x; what follows may be an output, or be left to the host too.
        """
        return ends.left_to_host(label, x, operator)

    def tell(self, text: str) -> None:
        """Add to what the user should know of the import."""
        if text not in self._told:
            self._told.append(text)

    def network(self) -> ImportedNetwork:
        """The graph of all outputs."""
        drafts = self._drafts
        codings = drafts.input.codings if drafts.input is not None else []
        if drafts.given is not None and any(coding is not drafts.given for coding in codings):
            raise SpinplaneError("the file quantizes its input itself: leave out --input-bits")
        named = [(tensor, self._now(value)) for tensor, value in self._named]
        given = [(tensor, maps, self._now(value)) for tensor, maps, value in self._given]
        graph, views = finish(self._drafts, self._name, named, given)
        return ImportedNetwork(graph=graph, views=views, told=tuple(self._told))

    def _now(self, x: Value) -> Value:
        return arranging.current(self._drafts, x)

    # --- linear operators ---------------------------------------------------------------------------------------

    def convolution(
        self,
        label: str,
        x: Value,
        weights: Weights,
        *,
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        groups: int = 1,
        bias: np.ndarray | None = None,
    ) -> Value:
        """Convolve a tensor with kernels: the weights have axes (kernel, channel of the group, *window).

        Parameters
        ----------
        x : Value
            Of shape (1, channels, *sides), one or two of them.
        stride, dilation : one number an axis of the window
        padding : all numbers before, then all after, as ONNX's pads
            Padded positions are the number 0.
        bias : ndarray of shape (kernels,), optional
            Real numbers.
        """
        return linear.convolution(
            self._drafts,
            label,
            self._now(x),
            weights,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )

    def matrix_product(self, label: str, x: Value, weights: Weights) -> Value:
        """Product x @ weights, whose axes are (inputs, outputs), along the last axis of x."""
        return linear.matrix_product(self._drafts, label, self._now(x), weights)

    # --- numbers one by one -------------------------------------------------------------------------------------

    def arithmetic(self, label: str, x: Value, kind: Arithmetic, constant: np.ndarray | np.generic) -> Value:
        """One of x · constant, x ÷ constant, x + constant or x − constant, of floats, integers or Fractions."""
        return elementwise.arithmetic(self._drafts, label, self._now(x), kind, constant)

    def affine(
        self,
        label: str,
        x: Value,
        *,
        factor: np.ndarray | None = None,
        addend: np.ndarray | None = None,
    ) -> Value:
        """Numbers x · factor + addend, as `arithmetic` does one after the other."""
        if factor is not None:
            x = self.arithmetic(label, x, "multiply", factor)
        return x if addend is None else self.arithmetic(label, x, "add", addend)

    def normalize(
        self,
        label: str,
        x: Value,
        *,
        gamma: np.ndarray,
        beta: np.ndarray,
        mean: np.ndarray,
        variance: np.ndarray,
        axis: int = 1,
    ) -> Value:
        """Batch normalization; all constants have shape (channels,), the variance with its epsilon."""
        return elementwise.normalize(self._drafts, label, self._now(x), gamma, beta, mean, variance, axis)

    def clip(self, label: str, x: Value, low: np.ndarray | float, high: np.ndarray | float) -> Value:
        """min(max(x, low), high): infinite where there is no bound; Relu is clip(x, 0, inf)."""
        return elementwise.clip(self._drafts, label, self._now(x), low, high)

    def leaky(self, label: str, x: Value, slope: np.ndarray | np.generic | float) -> Value:
        """Numbers x where they are positive, slope · x elsewhere (LeakyRelu, PRelu)."""
        return elementwise.leaky_relu(self._drafts, label, self._now(x), slope)

    def function(self, label: str, x: Value, name: str) -> Value:
        """A function by its name: sigmoid, tanh, sign, hard_swish."""
        return elementwise.named_function(self._drafts, label, self._now(x), name)

    def table(self, label: str, x: Value, first: int, numbers: np.ndarray, *, axis: int) -> Value:
        """Any function of integers: `first` + n becomes numbers[n].

        Parameters
        ----------
        x : Value
            Whose numbers are integers, and quantized.
        first : int
        numbers : ndarray of shape (n,) or (channels, n), int64
            With one function a channel, these lie along `axis`.
        """
        return tables.table(self._drafts, label, self._now(x), first, numbers, axis)

    # --- pooling ------------------------------------------------------------------------------------------------

    def max_pool(
        self,
        label: str,
        x: Value,
        *,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int] | None = None,
        ceil: bool = False,
    ) -> Value:
        """Greatest numbers of windows over the axes after the second, padded positions left out."""
        return pooling.max_pool(
            self._drafts,
            label,
            self._now(x),
            kernel=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation or (1,) * len(kernel),
            ceil=ceil,
        )

    def average_pool(
        self,
        label: str,
        x: Value,
        *,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int] | None = None,
        ceil: bool = False,
        count_padding: bool = False,
    ) -> Value:
        """Means of windows over the axes after the second; padded positions are 0, and count if `count_padding`."""
        return pooling.average_pool(
            self._drafts,
            label,
            self._now(x),
            kernel=kernel,
            stride=stride,
            padding=padding,
            dilation=dilation or (1,) * len(kernel),
            ceil=ceil,
            count_padding=count_padding,
        )

    def global_average(self, label: str, x: Value, axes: Sequence[int], *, keep: bool) -> Value:
        """Mean over lines and columns, whichever axes of the tensor these are; `keep` leaves them as sides of 1."""
        return pooling.global_average(self._drafts, label, self._now(x), axes, keep=keep)

    # --- several values -----------------------------------------------------------------------------------------

    def add(self, label: str, a: Value, b: Value, sign: int = 1) -> Value:
        """A + sign · b, of one shape."""
        return pairs.add(self._drafts, label, self._now(a), self._now(b), sign)

    def concatenate(self, label: str, values: Sequence[Value], axis: int) -> Value:
        """Values one after the other along the axis of channels, of lines or of columns."""
        return joining.concatenate(self._drafts, label, [self._now(value) for value in values], axis)

    # --- shapes -------------------------------------------------------------------------------------------------

    def pad(self, label: str, x: Value, pads: Sequence[int], number: float = 0.0) -> Value:
        """Pad by a number: all counts before, then all after, one an axis of x."""
        return shaping.pad(self._drafts, label, self._now(x), pads, number)

    def pad_with_copies(self, label: str, x: Value, pads: Sequence[int], mode: str) -> Value:
        """Pad lines and columns by copies of its own: `mode` is edge, reflect or wrap, as numpy means them."""
        return copied_borders.pad_with_copies(self._drafts, label, self._now(x), pads, mode)

    def transpose(self, label: str, x: Value, order: Sequence[int]) -> Value:
        """Axes in another order."""
        return shaping.transpose(self._drafts, label, self._now(x), order)

    def reshape(self, label: str, x: Value, shape: Sequence[int]) -> Value:
        """The same elements in another shape, with a batch of 1; also Flatten, Squeeze and Unsqueeze."""
        return shaping.reshape(self._drafts, label, self._now(x), shape)

    # --- requantization -----------------------------------------------------------------------------------------

    def quantize(self, label: str, x: Value, levels: Levels, axis: int | None = None) -> Value:
        """Round numbers to levels (exact steps): gives the levels' numbers.

        Scales of `levels` spread over x as numpy's arrays do, or run along `axis`, if it is given.
        """
        return replaying.quantize(
            self._drafts, label, self._now(x), quantizing.along(levels, axis, len(x.shape))
        )

    def threshold(self, label: str, x: Value, steps: Thresholds, axis: int = 1) -> Value:
        """Levels between steps at positions of their own, which differ from channel to channel along `axis`."""
        return replaying.threshold(self._drafts, label, self._now(x), steps, axis)

    def scale_float32(
        self, label: str, x: Value, multiplier: np.ndarray, *, zero_point: int, low: int, high: int
    ) -> Value:
        """QLinearConv's arithmetic on untouched sums: clip(rint(float32(sum) · multiplier) + zero_point, low, high).

        Gives the numbers code − zero_point (its scale is 1): the integers that the next integer operator takes.

        Parameters
        ----------
        multiplier : ndarray of float32
            One, or one a kernel.
        zero_point, low, high : int
            Of the codes.
        """
        scale = np.broadcast_to(np.reshape(multiplier, -1), x.channels).astype(np.float32)
        steps = FloatScale(scale=scale, low=low - zero_point, high=high - zero_point)
        return quantizing.scale_natively(self._drafts, label, self._now(x), steps)

    def scale_float64(
        self, label: str, x: Value, multiplier: np.ndarray, *, zero_point: int, low: int, high: int
    ) -> Value:
        """LiteRT's dense layers on untouched sums: clip(round(float64(sum) · multiplier) + zero_point, low, high).

        Rounded to nearest, from the middle away from 0. Gives the numbers code − zero_point.

        Parameters
        ----------
        multiplier : ndarray of float64
            One, or one a kernel.
        zero_point, low, high : int
            Of the codes.
        """
        scale = np.broadcast_to(np.reshape(multiplier, -1), x.channels).astype(np.float64)
        steps = float64_steps(scale, low - zero_point, high - zero_point)
        return quantizing.scale_natively(self._drafts, label, self._now(x), steps)

    def scale_doubling(
        self,
        label: str,
        x: Value,
        multiplier: np.ndarray,
        shift: np.ndarray,
        *,
        zero_point: int,
        low: int,
        high: int,
    ) -> Value:
        """TFLite's arithmetic on untouched sums; gives the numbers code − zero_point.

        Parameters
        ----------
        multiplier, shift : ndarray of integers
            One, or one a kernel; `shift` is to the left where positive.
        zero_point, low, high : int
            Of the codes.
        """
        parts = [np.broadcast_to(np.reshape(part, -1), x.channels) for part in (multiplier, shift)]
        steps = DoublingMultiply(
            multiplier=parts[0].astype(np.int32),
            shift=parts[1].astype(np.int64),
            low=low - zero_point,
            high=high - zero_point,
        )
        return quantizing.scale_natively(self._drafts, label, self._now(x), steps)

    def add_doubling(
        self,
        label: str,
        a: Value,
        b: Value,
        *,
        left_shift: int,
        multipliers: tuple[int, int, int],
        shifts: tuple[int, int, int],
        zero_point: int,
        low: int,
        high: int,
    ) -> Value:
        """TFLite's ADD of two values of integers, less their zero points; multipliers, shifts of a, b and the sum.

        The multiplier of one that is subtracted is negative.
        """
        addition = DoublingAddition(
            source=0,
            left_shift=left_shift,
            own_multiplier=multipliers[0],
            own_shift=shifts[0],
            residual_multiplier=multipliers[1],
            residual_shift=shifts[1],
            output_multiplier=multipliers[2],
            output_shift=shifts[2],
            low=low - zero_point,
            high=high - zero_point,
        )
        return pairs.add_doubling(self._drafts, label, self._now(a), self._now(b), addition)

    def add_float32(
        self,
        label: str,
        a: Value,
        b: Value,
        *,
        scales: tuple[np.float32, np.float32, np.float32],
        zero_points: tuple[int, int, int],
        low: int,
        high: int,
    ) -> Value:
        """Onnxruntime's QLinearAdd of two values whose numbers are codes; scales and zero points of a, b and the sum.

        Gives the sum's codes, from `low` to `high`.
        """
        ratios = np.float32(scales[0] / scales[2]), np.float32(scales[1] / scales[2])
        addition = FloatAddition(
            source=0,
            own_is_first=True,
            own_scale=ratios[0],
            residual_scale=ratios[1],
            offset=float_offset(ratios, zero_points[:2], zero_points[2]),
            own_zero=0,
            residual_zero=0,
            low=low,
            high=high,
            value_offset=-zero_points[2],
        )
        return pairs.add_float32(self._drafts, label, self._now(a), self._now(b), addition)
