"""Pictures of what was computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from spinplane.machine.drawing import Target
from spinplane.machine.pictures import COLOURS, COLUMN, LINES, MARKERS, PAGE, picture

#: Widths in inches of a feature map, and of a layer's maps.
_FEATURE_MAP, _LAYER = 1.1, PAGE / 5
#: Layers beside each other.
_LAYERS_ACROSS = 6
#: Panels of a sweep beside each other, and the height of one in inches.
_ACROSS, _PANEL = 3, 2.0


def draw_feature_maps(
    to: Target,
    *,
    digit: int,
    inputs: Sequence[np.ndarray],
    outputs: Sequence[np.ndarray],
    rows: Sequence[str],
    columns: Sequence[str],
) -> None:
    """Draw a digit as its quantized image beside its feature maps, one configuration a row.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    digit : int
    inputs : sequence of ndarray of shape (height, width)
        Quantized image of each row.
    outputs : sequence of ndarray of shape (kernels, height, width)
        Integers; each map has a scale of its own, white at 0, red above.
    rows, columns : sequence of str
        Names of the configurations and of the kernels.
    """
    width = _FEATURE_MAP * (len(columns) + 1.4)
    with picture(to, width, (_FEATURE_MAP + 0.35) * len(rows) + 0.6) as figure:
        figure.suptitle(f"A handwritten {digit}, convolved inside the SOT-MRAM: feature maps from the RTL")
        figure.supxlabel("below each map its range: blue below 0, white at 0, red above", fontsize=8)
        axes = figure.subplots(len(rows), len(columns) + 1, squeeze=False)
        for row, (image, maps) in enumerate(zip(inputs, outputs, strict=True)):
            axes[row, 0].imshow(image, cmap="gray_r", vmin=0, vmax=max(1, image.max()))
            axes[row, 0].set_ylabel(rows[row])
            for axis, feature_map in zip(axes[row, 1:], maps, strict=True):
                limit = max(1, int(np.abs(feature_map).max()))
                axis.imshow(feature_map, cmap="RdBu_r", vmin=-limit, vmax=limit)
                ends = f"{feature_map.min()} … {feature_map.max()}"
                axis.set_xlabel(ends.replace("-", "−"), fontsize=8)
        for axis, title in zip(axes[0], ["input", *columns], strict=True):
            axis.set_title(title)
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[])


def draw_network(
    to: Target, *, title: str, image: np.ndarray, layers: Sequence[str], values: Sequence[np.ndarray]
) -> None:
    """Draw an image beside the feature maps of every layer, and the values of the last as bars.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    title : str
    image : ndarray of shape (channels, height, width)
    layers : sequence of str
    values : sequence of ndarray of shape (channels, height, width)
        What leaves each layer; all channels of a layer are tiled into one picture, with one scale, and the values of a
        last layer without pixels are bars.
    """
    across = min(len(layers) + 1, _LAYERS_ACROSS)
    down = -(-(len(layers) + 1) // across)
    with picture(to, max(COLUMN, _LAYER * across), (_LAYER + 1.1) * down) as figure:
        figure.suptitle(title)
        # Each row has columns of its own, so that the labels of one move nothing in the others.
        rows = figure.subfigures(down, 1, squeeze=False).ravel()
        panels = np.concatenate([row.subplots(1, across, squeeze=False).ravel() for row in rows])
        axes = panels[: len(layers) + 1]
        for axis in panels[len(axes) :]:
            axis.set_axis_off()
        axes[0].set_title("input\n" + "×".join(map(str, image.shape)))
        _draw_maps(axes[0], image, "gray_r")
        for axis, name, maps in zip(axes[1:], layers, values, strict=True):
            axis.set_title(f"{name}\n" + "×".join(map(str, maps.shape)))
            if maps is values[-1] and maps[0].size == 1:
                last = maps.ravel()
                colours = [COLOURS[1] if value == last.max() else COLOURS[0] for value in last]
                axis.bar(range(len(last)), last, color=colours)
                axis.axhline(0, color="black", linewidth=0.5)
                axis.set(xlabel="class", ylabel="sum")
                axis.set_box_aspect(1)
                axis.yaxis.tick_right()
                axis.yaxis.set_label_position("right")
                if len(last) <= 20:
                    axis.set_xticks(range(len(last)))
            else:
                _draw_maps(axis, maps, "viridis")
        for axis in axes:
            if axis.images:
                axis.set(xticks=[], yticks=[])


def draw_accuracy(
    to: Target,
    *,
    title: str,
    label: str,
    positions: Sequence[float],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    baseline: float,
    logarithmic: bool = False,
) -> None:
    """Draw accuracy against variation, with error bars, beside the accuracy without faults.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    title : str
    label : str
        What `positions` are.
    positions : sequence of float
        Variation of each point.
    means : sequence of float
        Shares of right classes.
    intervals : sequence of (float, float)
        Ends of their error bars.
    baseline : float
    logarithmic : bool
        Whether positions are.
    """
    with picture(to, 1.3 * COLUMN, 0.85 * COLUMN) as figure:
        axis = figure.subplots()
        axis.set_title(title.replace(": ", ":\n", 1))
        bars = np.abs(np.transpose(intervals) - means) * 100
        accuracies = np.array(means) * 100
        axis.errorbar(positions, accuracies, yerr=bars, marker="o", capsize=4, label="with faults, 95 %")
        axis.axhline(baseline * 100, color="black", linestyle="--", linewidth=0.8, label="without faults")
        axis.set(xlabel=label, ylabel="accuracy (%)", ylim=(0, 103))
        if logarithmic:
            axis.set_xscale("log")
        axis.legend(loc="lower left")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One kind of figure of a sweep.

    Parameters
    ----------
    label : str
        With the unit.
    logarithmic : bool
    lines : mapping of str to sequence of float
        Values at all positions by their names; not a number where there is none.
    """

    label: str
    logarithmic: bool
    lines: Mapping[str, Sequence[float]]


def draw_sweep(
    to: Target, *, title: str, label: str, positions: Sequence[float], panels: Sequence[Panel]
) -> None:
    """Draw figures over what was swept, each kind in a panel; a name has one colour, dash and marker in all of them.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    title : str
    label : str
        What `positions` are.
    positions : sequence of float
    panels : sequence of Panel
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.lines))
    down = -(-len(panels) // _ACROSS)
    with picture(to, PAGE, _PANEL * down + 0.6) as figure:
        figure.suptitle(title)
        axes = figure.subplots(down, _ACROSS, squeeze=False).ravel()
        shown = {}
        for axis, panel in zip(axes, panels, strict=False):
            for name, values in panel.lines.items():
                at = names.index(name)
                (shown[name],) = axis.plot(
                    positions,
                    values,
                    color=COLOURS[at],
                    linestyle=LINES[at],
                    marker=MARKERS[at],
                    markersize=3,
                )
            axis.set(title=panel.label, yscale="log" if panel.logarithmic else "linear")
            axis.grid(visible=True)
        for axis in axes[max(0, len(panels) - _ACROSS) : len(panels)]:
            axis.set_xlabel(label)
        for axis in axes[len(panels) :]:
            axis.set_axis_off()
        figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=len(shown))


def _draw_maps(axis: Axes, maps: np.ndarray, colours: str) -> None:
    """Maps of shape (channels, height, width) beside each other, and below them their scale."""
    axis.imshow(_tiled(maps), cmap=colours)
    scale = axis.inset_axes((0.1, -0.16, 0.8, 0.07))
    scale.imshow(np.linspace(maps.min(), maps.max(), 256)[np.newaxis], cmap=colours, aspect="auto")
    scale.set_yticks([])
    scale.set_xticks([0, 255], [str(maps.min()), str(maps.max())])
    scale.set_xlabel("code")


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
