"""A layer as the accelerator computes it: weight codes, and the grid of windows and regions over its input map."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from spinplane.machine import Machine, SpinplaneError

from ..codes import InputCode, WeightCode, encode_signed_weights, encode_weights, input_code
from ..graph import Layer, Pooling

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelChannels:
    """Where the channels that a layer takes lie in a pixel of the image bank.

    Parameters
    ----------
    places : ndarray of shape (channels,), int64
        From the first one that is read: of maps side by side, each begins a beat.
    whole : int
        Channels of the whole pixel.
    empty : bool
        Whether what lies between them has the code 0.
    """

    places: np.ndarray
    whole: int
    empty: bool

    @property
    def span(self) -> int:
        """Channels from the first to the last one that is read, gaps included."""
        return int(self.places.max()) + 1

    @property
    def in_order(self) -> bool:
        """Whether they follow each other without gaps."""
        return bool((np.diff(self.places, prepend=-1) == 1).all())

    def apart(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of channels, the second axis, at their places, with 0 between them."""
        if self.in_order:
            return numbers
        found = np.zeros((len(numbers), self.span, *numbers.shape[2:]), dtype=numbers.dtype)
        found[:, self.places] = numbers
        return found

    @classmethod
    def alone(cls, channels: int) -> "PixelChannels":
        """Of a map that shares its pixels with no other."""
        return cls(places=np.arange(channels), whole=channels, empty=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class LoweredLayer:
    """A layer after flattening, groups and codings are resolved. Pairs are (vertical, horizontal).

    Parameters
    ----------
    layer : Layer
    input_shape : (channels, height, width)
        Of what it takes.
    pixel_channels : int
        Of a pixel of the image bank, where other maps may lie beside what it takes.
    code : InputCode
    weights : WeightCode
        Codes of shape (parts, kernels, channels, kernel height, kernel width). Part p sees the channels from
        p · channels on and gives the kernels from p · kernels on. What lies between maps side by side are channels
        too: with weights of the value 0, or any where it has the code 0.
    bias : ndarray of shape (parts, kernels), int64
        With what the input's offset adds.
    stride, dilation : Pair
    windows : Pair
        Windows of the convolution.
    region, region_stride, region_dilation, first_window : Pair
        Windows that are pooled, windows from one region to the next and from one of a region to its next one, and the
        first region's first window.
    regions : Pair
        The output map's height and width.
    start : Pair
        Line and pixel of the first region's first tap.
    spread : bool
        Whether slots hold different channels: parts are groups then, of which a pass computes many at once.
    """

    layer: Layer
    input_shape: tuple[int, int, int]
    pixel_channels: int
    code: InputCode
    weights: WeightCode
    bias: np.ndarray
    stride: Pair
    dilation: Pair
    windows: Pair
    region: Pair
    region_stride: Pair
    region_dilation: Pair
    first_window: Pair
    regions: Pair
    start: Pair
    spread: bool = False

    @property
    def name(self) -> str:
        """Of the layer."""
        return self.layer.name

    @property
    def kernel(self) -> Pair:
        """Height and width of a kernel."""
        return self.weights.codes.shape[3], self.weights.codes.shape[4]

    @property
    def kernels(self) -> int:
        """Kernels of all parts: channels of the output map."""
        return self.weights.codes.shape[0] * self.weights.codes.shape[1]

    @property
    def span(self) -> int:
        """Channels of a pixel from the first to the last one that it reads."""
        return self.weights.codes.shape[0] * self.weights.codes.shape[2]

    @property
    def pad_code(self) -> int:
        """Code of padded positions; without meaning where it pads nothing."""
        return self.code.code(self.layer.pad_value) or 0

    @cached_property
    def largest_codes(self) -> int:
        """Greatest sum of a kernel's codes."""
        kernels = self.weights.codes.reshape(self.kernels, -1)
        return int(kernels.sum(axis=1, dtype=np.int64).max())

    @property
    def pools(self) -> bool:
        """Whether a region has more than one window."""
        return self.region != (1, 1)

    def part(self, layer: Layer) -> "LoweredLayer":
        """What is lowered of `layer`, which has the same sums, with or without their pooling."""
        if layer.pool is self.layer.pool:
            return replace(self, layer=layer)
        return replace(
            self,
            layer=layer,
            region=(1, 1),
            region_stride=(1, 1),
            region_dilation=(1, 1),
            first_window=(0, 0),
            regions=self.windows,
            start=(-layer.padding[0], -layer.padding[1]),
        )


def layer_input_code(layer: Layer) -> InputCode:
    """Codes of the map that a layer takes: what the layer before it, or the host, has to write.

    Raises
    ------
    SpinplaneError
        If the codes would need more than 8 bits.
    """
    return input_code(layer.name, layer.i, [layer.pad_value] if any(layer.padding) else [])


def lower_spread(
    layer: Layer,
    input_shape: tuple[int, int, int],
    code: InputCode | None,
    pixel: PixelChannels,
) -> LoweredLayer | None:
    """Resolve padding and codings of a layer of groups, each of which a slot can hold.

    Parameters
    ----------
    layer : Layer
    input_shape : (channels, height, width)
    code : InputCode or None
        Of its input; what `layer_input_code` says if None.
    pixel : PixelChannels
        Where the channels of its input lie.

    Returns
    -------
    LoweredLayer or None
        None if the layer has no groups, channels with gaps between them, or weights of more planes than kernels have.

    Raises
    ------
    SpinplaneError
        If shapes do not fit together, or codes do not fit, with the layer's name and the numbers.
    """
    kernels, channels, height, width = layer.weights.shape
    weights = encode_signed_weights(layer.weights)
    flat = layer.flatten and input_shape[1] * input_shape[2] > 1
    if layer.groups == 1 or flat or weights is None or not pixel.in_order:
        return None
    _check_shapes(layer, input_shape, flat)
    shape = (layer.groups, kernels // layer.groups, channels, height, width)
    codes = replace(weights, codes=weights.codes.reshape(shape))
    code = code or layer_input_code(layer)
    return replace(_lowered(layer, input_shape, code, pixel, layer.weights, codes), spread=True)


def lower(
    layer: Layer,
    input_shape: tuple[int, int, int],
    machine: Machine,
    code: InputCode | None = None,
    pixel: PixelChannels | None = None,
) -> LoweredLayer:
    """Resolve flattening, groups, padding and codings of a layer.

    Parameters
    ----------
    layer : Layer
    input_shape : (channels, height, width)
    machine : Machine
    code : InputCode, optional
        Of its input; what `layer_input_code` says if not given.
    pixel : PixelChannels, optional
        Where the channels of its input lie; in a map of its own if not given.

    Raises
    ------
    SpinplaneError
        If shapes do not fit together, or codes or a width do not fit, with the layer's name and the numbers.
    """
    pixel = pixel or PixelChannels.alone(input_shape[0])
    values, parts = _weights(layer, input_shape, machine, in_order=pixel.in_order)
    code = code or layer_input_code(layer)
    kernels, _, height, width = values.shape
    # What lies between maps counts for nothing if its weights have the value 0, or it has the code 0 itself.
    empty = pixel.empty and not (any(layer.padding) and code.code(layer.pad_value))
    weights = encode_weights(layer.name, values if empty else pixel.apart(values), layer.w, code.scale)
    codes = pixel.apart(weights.codes) if empty else weights.codes
    codes = codes.reshape(parts, kernels // parts, -1, height, width)
    return _lowered(layer, input_shape, code, pixel, values, replace(weights, codes=codes))


def _lowered(
    layer: Layer,
    input_shape: tuple[int, int, int],
    code: InputCode,
    pixel: PixelChannels,
    values: np.ndarray,
    weights: WeightCode,
) -> LoweredLayer:
    """A layer with the codes of its weights, whose values of shape (kernels, ...) they are."""
    parts, _, _, height, width = weights.codes.shape
    bias = layer.bias + code.offset * values.sum(axis=(1, 2, 3))
    stride = (1, 1) if layer.flatten else layer.stride
    top, left, bottom, right = layer.padding
    windows = (
        _windows(input_shape[1] + top + bottom, height, stride[0], layer.dilation[0]),
        _windows(input_shape[2] + left + right, width, stride[1], layer.dilation[1]),
    )
    if min(windows) < 1:
        raise SpinplaneError(
            f"layer {layer.name}: a kernel of {height}×{width} does not fit an input of "
            f"{'×'.join(map(str, input_shape))} (channels, height, width) with padding {layer.padding}"
        )
    pool = layer.pool or Pooling(kind="max_codes", size=(1, 1), stride=(1, 1))
    top, left, bottom, right = pool.padding
    regions = (
        _windows(windows[0] + top + bottom, pool.size[0], pool.stride[0], pool.dilation[0]),
        _windows(windows[1] + left + right, pool.size[1], pool.stride[1], pool.dilation[1]),
    )
    if min(regions) < 1:
        raise SpinplaneError(f"layer {layer.name}: pooling leaves nothing of {windows[0]}×{windows[1]}")
    first = (-pool.padding[0], -pool.padding[1])
    return LoweredLayer(
        layer=layer,
        input_shape=input_shape,
        pixel_channels=pixel.whole,
        code=code,
        weights=weights,
        bias=bias.reshape(parts, -1),
        stride=stride,
        dilation=layer.dilation,
        windows=windows,
        region=pool.size,
        region_stride=pool.stride,
        region_dilation=pool.dilation,
        first_window=first,
        regions=regions,
        start=(first[0] * stride[0] - layer.padding[0], first[1] * stride[1] - layer.padding[1]),
    )


def _windows(side: int, kernel: int, stride: int, dilation: int) -> int:
    return (side - (kernel - 1) * dilation - 1) // stride + 1


def _check_shapes(layer: Layer, input_shape: tuple[int, int, int], flat: bool) -> None:
    """Refuse weights that do not fit an input, which is flattened or not."""
    channels, height, width = input_shape
    kernels, of_group, *size = layer.weights.shape
    taken = channels * height * width if flat else channels
    unfit = flat and (size != [1, 1] or any(layer.padding))
    if kernels % layer.groups or of_group * layer.groups != taken or unfit:
        raise SpinplaneError(
            f"layer {layer.name}: {kernels} kernels of {'×'.join(map(str, layer.weights.shape[1:]))} in "
            f"{layer.groups} groups do not fit an input of {'×'.join(map(str, input_shape))} (channels, height, width)"
        )


def _weights(
    layer: Layer, input_shape: tuple[int, int, int], machine: Machine, *, in_order: bool
) -> tuple[np.ndarray, int]:
    """Weights of shape (kernels, channels of a part, height, width), and the number of parts.

    Parts are groups whose channels follow each other.
    """
    channels, height, width = input_shape
    kernels, of_group, *size = layer.weights.shape
    groups = layer.groups
    flat = layer.flatten and height * width > 1
    _check_shapes(layer, input_shape, flat)
    taken = of_group * groups
    if groups > 1 and not flat and in_order and kernels // groups % machine.results_per_cycle == 0:
        return layer.weights, groups
    dense = layer.weights
    if groups > 1:
        # Results leave D at a time: groups of another number of kernels are one dense layer with zeros between them.
        dense = np.zeros((kernels, taken, *size), dtype=np.int64)
        for kernel, weights in enumerate(layer.weights):
            first = kernel // (kernels // groups) * of_group
            dense[kernel, first : first + of_group] = weights
    if flat:
        dense = dense.reshape(kernels, channels, height, width)
    return dense, 1
