"""Pictures of what was computed."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from spinplane.machine.files import write_whole

_CELL_INCHES = 1.35


def draw_feature_maps(
    path: Path,
    *,
    digit: int,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
) -> Path:
    """Draw a digit as its quantized image beside its feature maps, one configuration a row.

    Parameters
    ----------
    path : Path
        PNG to write.
    digit : int
    inputs : sequence of ndarray of shape (height, width)
        Quantized image of each row.
    outputs : sequence of ndarray of shape (kernels, height, width)
        Integers; each map has a scale of its own, white at 0, red above.
    rows, columns : sequence of str
        Names of the configurations and of the kernels.

    Returns
    -------
    Path
        `path`.
    """
    size = (_CELL_INCHES * (len(columns) + 1.4), (_CELL_INCHES + 0.2) * len(rows) + 0.8)
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"A handwritten {digit}, convolved inside the SOT-MRAM: feature maps from the RTL")
    axes = figure.subplots(len(rows), len(columns) + 1, squeeze=False)
    for row, (image, maps) in enumerate(zip(inputs, outputs, strict=True)):
        axes[row, 0].imshow(image, cmap="gray_r", vmin=0, vmax=max(1, image.max()))
        axes[row, 0].set_ylabel(rows[row])
        for axis, feature_map in zip(axes[row, 1:], maps, strict=True):
            limit = max(1, int(np.abs(feature_map).max()))
            axis.imshow(feature_map, cmap="RdBu_r", vmin=-limit, vmax=limit)
            axis.set_xlabel(f"{feature_map.min()} … {feature_map.max()}", fontsize=8)
    for axis, title in zip(axes[0], ["input", *columns], strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return _save(figure, path)


def draw_network(
    path: Path, *, title: str, image: np.ndarray, layers: Sequence[str], values: Sequence[np.ndarray]
) -> Path:
    """Draw an image beside the feature maps of every layer, and the values of the last as bars.

    Parameters
    ----------
    path : Path
        PNG to write.
    title : str
    image : ndarray of shape (height, width)
    layers : sequence of str
    values : sequence of ndarray of shape (channels, height, width)
        What leaves each layer; all channels of a layer are tiled into one picture.

    Returns
    -------
    Path
        `path`.
    """
    figure = Figure(figsize=(2.6 * (len(layers) + 1), 3.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    axes = figure.subplots(1, len(layers) + 1)
    axes[0].imshow(image, cmap="gray_r")
    axes[0].set_title("input", fontsize=9)
    for axis, name, maps in zip(axes[1:], layers, values, strict=True):
        axis.set_title(f"{name}: {'×'.join(map(str, maps.shape))}", fontsize=9)
        if maps is values[-1]:
            last = maps.ravel()
            axis.bar(range(len(last)), last, color=["C3" if v == last.max() else "C0" for v in last])
            axis.axhline(0, color="black", linewidth=0.5)
            axis.set_xlabel("class")
            if len(last) <= 20:
                axis.set_xticks(range(len(last)))
        else:
            axis.imshow(_tiled(maps), cmap="viridis")
    for axis in axes[:-1]:
        axis.set(xticks=[], yticks=[])
    return _save(figure, path)


def draw_accuracy(
    path: Path,
    *,
    title: str,
    label: str,
    positions: Sequence[float],
    means: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    baseline: float,
) -> Path:
    """Draw accuracy against variation, with error bars, beside the accuracy without faults.

    Parameters
    ----------
    path : Path
        PNG to write.
    title : str
    label : str
        What `positions` are.
    positions : sequence of float
        Variation of each point.
    means, lows, highs : sequence of float
        Shares of right classes and the ends of their error bars.
    baseline : float

    Returns
    -------
    Path
        `path`.
    """
    figure = Figure(figsize=(6.5, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.set_title(title, fontsize=9)
    bars = np.abs(np.array([lows, highs]) - means)
    axis.errorbar(positions, means, yerr=bars, marker="o", capsize=4, label="with faults, 95 %")
    axis.axhline(baseline, color="black", linestyle="--", linewidth=0.8, label="without faults")
    axis.set(xlabel=label, ylabel="accuracy", ylim=(0, 1.02))
    axis.legend(loc="lower left")
    return _save(figure, path)


def _tiled(maps: np.ndarray) -> np.ndarray:
    """Maps of shape (channels, height, width) side by side in about a square, an empty line between them."""
    channels, height, width = maps.shape
    across = int(np.ceil(np.sqrt(channels)))
    down = -(-channels // across)
    sheet = np.full((down * (height + 1) - 1, across * (width + 1) - 1), np.nan)
    for channel, one in enumerate(maps):
        y, x = divmod(channel, across)
        sheet[y * (height + 1) :, x * (width + 1) :][:height, :width] = one
    return sheet


def _save(figure: Figure, path: Path) -> Path:
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())
    return path
