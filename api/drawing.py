"""Pictures of what was computed."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .text import write_whole

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
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())
    return path
