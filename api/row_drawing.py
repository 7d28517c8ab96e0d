"""A picture of the array: which rows of which sub-arrays hold whose kernels and input lines."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from spinplane.machine.descriptor import Descriptor, Load

from .compiled_layer import CompiledLayer
from .text import write_whole

#: Opacity of input lines and of kernels.
_LINES, _KERNELS = 0.3, 1.0


def draw_rows(path: Path, *, title: str, layers: Sequence[CompiledLayer]) -> Path:
    """Draw the rows of all sub-arrays in the colours of the layers.

    Kernels that stay take their sub-arrays as a whole. Rows that layers use in turn, for input lines and for
    kernels that are loaded at each run, are drawn layer beside layer within each sub-array.

    Parameters
    ----------
    path : Path
        PNG to write.
    title : str
    layers : sequence of CompiledLayer

    Returns
    -------
    Path
        `path`.
    """
    machine = layers[0].machine
    figure = Figure(figsize=(11, 7), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    colours = matplotlib.colormaps["turbo"]
    legend = []
    for at, layer in enumerate(layers):
        colour = colours((at + 0.5) / len(layers))
        lane = (at / len(layers), 1 / len(layers))
        for d in layer.passes:
            ring = (d["input_row"], (d["ring_lines"] + 1) * d["line_rows"])
            _rows(axis, layer, d, ring, d["sub_arrays"] + 1, lane, facecolor=colour, alpha=_LINES)
            if not d["load_rows"]:
                continue
            kernels = (d["kernel_row"], d["load_rows"])
            stays = d["load"] == Load.UNLESS_RESIDENT.value
            _rows(
                axis,
                layer,
                d,
                kernels,
                d["load_sub_arrays"] + 1,
                (0.0, 1.0) if stays else lane,
                facecolor=colour,
                alpha=_KERNELS,
                hatch=None if stays else "///",
                edgecolor="white",
                linewidth=0,
            )
        legend.append(
            Patch(facecolor=colour, label=f"{layer.layer.name}: {layer.kernel_rows} rows of kernels")
        )
    legend.append(Patch(facecolor="gray", alpha=_LINES, label="pale: lines of input, in turn"))
    if not all(layer.resident for layer in layers):
        legend.append(
            Patch(facecolor="gray", edgecolor="white", hatch="///", label="hatched: loaded at each run")
        )
    axis.set(
        title=f"{title}: rows of the sub-arrays",
        xlabel="sub-array",
        ylabel="row",
        xlim=(0, machine.sub_arrays),
        ylim=(machine.rows, 0),
    )
    step = -(-machine.sub_arrays // 32)
    axis.set_xticks([n + 0.5 for n in range(0, machine.sub_arrays, step)])
    axis.set_xticklabels([str(n) for n in range(0, machine.sub_arrays, step)])
    axis.vlines(range(1, machine.sub_arrays), 0, machine.rows, color="white", linewidth=0.8)
    figure.legend(handles=legend, loc="outside right upper", fontsize=8)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    write_whole(path, buffer.getvalue())
    return path


def _rows(
    axis: Axes,
    layer: CompiledLayer,
    d: Descriptor,
    rows: tuple[int, int],
    sub_arrays: int,
    lane: tuple[float, float],
    **style: Any,
) -> None:
    """Fill `rows` (first, count) of the first `sub_arrays` of each group, over a `lane` (start, width) of each."""
    groups = 1 << d["log_groups"]
    size = layer.machine.sub_arrays // groups
    bars = [(g * size + i + lane[0], lane[1]) for g in range(groups) for i in range(sub_arrays)]
    axis.broken_barh(bars, rows, **style)
