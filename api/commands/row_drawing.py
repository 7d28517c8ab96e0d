"""A picture of the array: the rows and sub-arrays that hold each layer's kernels and input lines."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from spinplane.machine.descriptor import Load
from spinplane.machine.drawing import Target
from spinplane.machine.passes import Pass
from spinplane.machine.pictures import PAGE, picture

from .compiled_layer import CompiledLayer

_Colour = tuple[float, float, float, float]

#: Opacity of input lines.
_LINES = 0.3
#: Least share of the rows beside which a layer's name can stand.
_NAMED = 0.025
_LOADED = "///"


def draw_rows(to: Target, *, title: str, layers: Sequence[CompiledLayer]) -> None:
    """Draw the rows of the array, layer after layer and sub-array beside sub-array, in the colours of the layers.

    The left picture has a column for each layer, in the order in which they run: its input lines and its kernels.
    The right one has the sub-arrays with the kernels that stay; rows that layers use in turn are gray.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    title : str
    layers : sequence of CompiledLayer
    """
    machine = layers[0].machine
    shades = matplotlib.colormaps["viridis"]
    colours = [shades(0.05 + 0.87 * at / max(1, len(layers) - 1)) for at in range(len(layers))]
    loads = [layer_pass for layer in layers for layer_pass in layer.passes if layer_pass.load_rows]
    legend = [Patch(facecolor="gray", alpha=_LINES, label="input lines")]
    if any(_stays(layer_pass) for layer_pass in loads):
        legend.append(Patch(facecolor="dimgray", label="kernels that stay"))
    if not all(_stays(layer_pass) for layer_pass in loads):
        legend.append(
            Patch(facecolor="dimgray", edgecolor="white", hatch=_LOADED, label="kernels loaded in each run")
        )
    with picture(to, PAGE, 0.75 * PAGE) as figure:
        figure.suptitle(f"{title}: {machine.sub_arrays} sub-arrays of {machine.rows} rows")
        by_layer, by_array = figure.subplots(1, 2, sharey=True, width_ratios=(2, 3))
        _draw_layers(by_layer, layers, colours)
        _draw_sub_arrays(by_array, layers, colours)
        by_layer.set(ylabel="row", ylim=(machine.rows, 0))
        figure.legend(handles=legend, loc="outside lower center", ncols=len(legend))


def _draw_layers(axis: Axes, layers: Sequence[CompiledLayer], colours: Sequence[_Colour]) -> None:
    """A column for each layer: the rows that it uses."""
    for at, (layer, colour) in enumerate(zip(layers, colours, strict=True)):
        lane = [(at + 0.06, 0.88)]
        lines = layer.passes[0].input_row, layer.ring_rows
        axis.broken_barh(lane, lines, facecolor=colour, alpha=_LINES)
        for layer_pass in layer.passes:
            if layer_pass.load_rows:
                hatch = None if _stays(layer_pass) else _LOADED
                rows = layer_pass.kernel_row, layer_pass.load_rows
                axis.broken_barh(lane, rows, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0)
    names = [layer.layer.name for layer in layers]
    slanted = 45 if sum(map(len, names)) > 24 else 0
    axis.set_xticks([at + 0.5 for at in range(len(layers))], names, rotation=slanted, fontsize=8)
    axis.set(title="in turn", xlabel="layer", xlim=(0, len(layers)))


def _draw_sub_arrays(axis: Axes, layers: Sequence[CompiledLayer], colours: Sequence[_Colour]) -> None:
    """All sub-arrays: kernels that stay, and the rows before them that are free to whichever layer runs."""
    machine = layers[0].machine
    passes = [layer_pass for layer in layers for layer_pass in layer.passes]
    rings = [layer_pass.input_row + layer_pass.ring_lines * layer_pass.line_rows for layer_pass in passes]
    loaded = [
        layer_pass.kernel_row + layer_pass.load_rows
        for layer_pass in passes
        if layer_pass.load_rows and not _stays(layer_pass)
    ]
    common = max([*rings, *loaded])
    axis.broken_barh([(0, machine.sub_arrays)], (0, common), facecolor="gray", alpha=_LINES)
    middle = machine.sub_arrays / 2, common / 2
    axis.text(*middle, "rows shared by the layers in turn", ha="center", va="center", fontsize=8)
    for layer, colour in zip(layers, colours, strict=True):
        staying = [layer_pass for layer_pass in layer.passes if layer_pass.load_rows and _stays(layer_pass)]
        if staying:
            _draw_staying(axis, layer, staying, colour)
    numbers = range(0, machine.sub_arrays, -(-machine.sub_arrays // 8))
    axis.set_xticks([n + 0.5 for n in numbers], [str(n) for n in numbers], fontsize=8)
    axis.set(title="kernels that stay", xlabel="sub-array", xlim=(0, machine.sub_arrays))
    axis.vlines(range(1, machine.sub_arrays), common, machine.rows, color="white", linewidth=0.6)


def _draw_staying(axis: Axes, layer: CompiledLayer, passes: Sequence[Pass], colour: _Colour) -> None:
    """Kernels of passes in their sub-arrays, with the layer's name where there is room."""
    machine = layer.machine
    for layer_pass in passes:
        bars = [(g * layer_pass.cluster_size, layer_pass.load_sub_arrays) for g in range(layer_pass.clusters)]
        axis.broken_barh(bars, (layer_pass.kernel_row, layer_pass.load_rows), facecolor=colour)
    first = min(layer_pass.kernel_row for layer_pass in passes)
    last = max(layer_pass.kernel_row + layer_pass.load_rows for layer_pass in passes)
    if last - first < _NAMED * machine.rows:
        return
    red, green, blue, _ = colour
    dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
    across = machine.sub_arrays if passes[0].clusters > 1 else passes[0].load_sub_arrays
    axis.text(
        across / 2,
        (first + last) / 2,
        f"{layer.layer.name}: {last - first} rows",
        ha="center",
        va="center",
        fontsize=8,
        color="white" if dark else "black",
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.5},
    )


def _stays(layer_pass: Pass) -> bool:
    """Whether the kernels of a pass have rows of their own, written once."""
    return layer_pass.load is Load.UNLESS_RESIDENT
