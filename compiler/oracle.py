"""The oracle of networks: an integer graph in plain numpy, with every dot product a sum of products."""

from collections.abc import Sequence

import numpy as np

from spinplane.behavioral import windows
from spinplane.machine import SpinplaneError

from .graph import CodeAddition, Graph, Layer, Pooling

# float64 holds every whole number up to this, so a matrix product of smaller ones is exact.
_EXACT = 2**53

Shape = tuple[int, int, int]


def run_graph(graph: Graph, inputs: np.ndarray) -> list[np.ndarray]:
    """Values that leave each layer.

    Parameters
    ----------
    graph : Graph
    inputs : ndarray of shape (batch, channels, height, width), int64
        From `Graph.encode_input`.

    Returns
    -------
    list of ndarray, one a layer, of shape (batch, channels, height, width), int64

    Raises
    ------
    SpinplaneError
        If maps that are taken side by side differ in height or width, or a residual's shape differs from that of what
        it is added to, naming the layer and the shapes.
    """
    # Map n + 1 is what layer n gives, and so −1 + 1 the network's input.
    maps = [inputs]
    for number, layer in enumerate(graph.layers):
        taken = concatenate(layer, [maps[source + 1] for source in graph.sources(number)])
        sums = linear(layer, arrange(layer, taken))
        residual = maps[layer.residual.source + 1] if layer.residual else None
        added = None
        if layer.addition and layer.addition.source is not None:
            added = maps[layer.addition.source + 1]
        maps.append(finish(layer, sums, residual, added))
    return maps[1:]


def concatenate(layer: Layer, maps: Sequence[np.ndarray]) -> np.ndarray:
    """Maps that a layer takes, of shape (batch, channels, height, width), side by side along the channels."""
    joined_shape(layer, [(one.shape[1], one.shape[2], one.shape[3]) for one in maps])
    return np.concatenate(maps, axis=1)


def joined_shape(layer: Layer, shapes: Sequence[Shape]) -> Shape:
    """Shape (channels, height, width) of maps side by side; refuses maps that differ in height or width."""
    _, *sides = shapes[0]
    for shape in shapes:
        if [*shape[1:]] != sides:
            raise SpinplaneError(
                f"layer {layer.name}: it takes maps of {' and '.join('×'.join(map(str, s)) for s in shapes[:4])} "
                "(channels, height, width) side by side: their heights and widths must be the same"
            )
    return sum(channels for channels, _, _ in shapes), shapes[0][1], shapes[0][2]


def arrange(layer: Layer, values: np.ndarray) -> np.ndarray:
    """Values as the layer takes them: flattened to one pixel where it says so."""
    return values.reshape(len(values), -1, 1, 1) if layer.flatten else values


def linear(layer: Layer, values: np.ndarray) -> np.ndarray:
    """Sums of products and bias of a layer, shape (batch, kernels, height, width), int64."""
    kernels, of_group, *kernel = layer.weights.shape
    # Windows are padded with 0, so they are those of the differences from the value of padding.
    above = values - layer.pad_value
    seen = windows(above, tuple(kernel), layer.stride, layer.padding, layer.dilation)
    batch, height, width = seen.shape[:3]
    groups = layer.groups
    rows = seen.reshape(batch * height * width, groups, of_group * kernel[0] * kernel[1]).astype(np.float64)
    columns = layer.weights.reshape(groups, kernels // groups, -1).astype(np.float64)
    assert np.abs(columns).sum(axis=-1).max() * max(1.0, np.abs(rows).max(initial=0)) < _EXACT
    sums = np.concatenate([rows[:, g] @ columns[g].T for g in range(groups)], axis=1).astype(np.int64)
    constant = layer.bias + layer.pad_value * layer.weights.sum(axis=(1, 2, 3), dtype=np.int64)
    return sums.reshape(batch, height, width, kernels).transpose(0, 3, 1, 2) + constant.reshape(-1, 1, 1)


def finish(
    layer: Layer, sums: np.ndarray, residual: np.ndarray | None = None, added: np.ndarray | None = None
) -> np.ndarray:
    """Pooling of a layer's sums, its residual if it has one, requantization, and the addition of codes.

    Parameters
    ----------
    layer : Layer
    sums : ndarray of shape (batch, kernels, height, width), int64
    residual, added : ndarray, optional
        What the sources of the layer's residual and of its addition give.
    """
    values = sums
    if layer.pool and layer.pool.kind != "max_codes":
        values = pooled(values, layer.pool)
    if layer.residual:
        assert residual is not None
        check_shapes(layer, values.shape[1:], residual.shape[1:])
        values = layer.residual.total(values, residual)
    if layer.steps:
        values = layer.steps.apply(values)
    if layer.pool and layer.pool.kind == "max_codes":
        values = pooled(values, layer.pool)
    if isinstance(layer.addition, CodeAddition) and layer.addition.source is None:
        return layer.addition.apply(values)
    if layer.addition:
        assert added is not None
        check_shapes(layer, values.shape[1:], added.shape[1:])
        values = layer.addition.apply(values, added)
    return values


def check_shapes(layer: Layer, own: tuple[int, ...], residual: tuple[int, ...]) -> None:
    """Refuse a residual whose shape (channels, height, width) differs from that of what it is added to."""
    if own != residual:
        raise SpinplaneError(
            f"layer {layer.name}: a residual of {'×'.join(map(str, residual))} does not fit its own "
            f"{'×'.join(map(str, own))} (channels, height, width)"
        )


def pooled(values: np.ndarray, pool: Pooling) -> np.ndarray:
    """Sums, maxima or minima over the regions of maps of shape (batch, channels, height, width)."""
    if pool.kind == "sum":
        return _regions(values, pool, 0).sum(axis=(-2, -1))
    sign = np.where(pool.least or (False,), -1, 1).reshape(-1, 1, 1)
    return sign * _regions(sign * values, pool, np.iinfo(np.int64).min + 1).max(axis=(-2, -1))


def _regions(values: np.ndarray, pool: Pooling, beyond: int) -> np.ndarray:
    """Regions of maps, with the number `beyond` at padded positions: two more axes, those of a region."""
    top, left, bottom, right = pool.padding
    maps = np.pad(values, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=beyond)
    down, right = pool.dilation
    reach = ((pool.size[0] - 1) * down + 1, (pool.size[1] - 1) * right + 1)
    regions = np.lib.stride_tricks.sliding_window_view(maps, reach, axis=(2, 3))
    return regions[:, :, :: pool.stride[0], :: pool.stride[1], ::down, ::right]
