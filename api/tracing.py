"""One value of a network followed back into the memory: window, rows, AND, counts, shifts, sum."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.behavioral import bit_planes, encode, windows
from spinplane.compiler.graph import Graph, Layer
from spinplane.compiler.mapping import MappedLayer, map_network
from spinplane.compiler.oracle import arrange, linear, run_graph
from spinplane.machine import Machine, Op, SpinplaneError, load_machine

from .models import open_model

_SHOWN_BITS = 48


@dataclass(frozen=True, kw_only=True)
class TracedStep:
    """One row operation, over all tiles of a window, and what it adds.

    Parameters
    ----------
    operation : str
        ``AND`` of an input plane and a weight plane, or ``READ`` of an input plane.
    m, n : int or None
        Planes of the input and of the weight.
    row_i, row_w : int or None
        First rows of the two, in the sub-array of the kernel.
    bits : str
        What is sensed in the window's columns, first position left.
    count, shift : int
    negative : bool
    total : int
        Accumulator after this step.
    """

    operation: str
    m: int
    n: int | None
    row_i: int
    row_w: int | None
    bits: str
    count: int
    shift: int
    negative: bool
    total: int


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One value followed back.

    Parameters
    ----------
    network, machine, layer : str
    output : (k, y, x)
    value : int
        What leaves the layer there.
    sums : tuple of (y, x, sum)
        Windows of the pooling region with their sums; one without pooling.
    window : (y, x)
        Whose steps are shown: the only one, the greatest, or the first of an average.
    pass_number, sub_array, segment : int
        Of the kernel.
    tiles : int
    constant : int
    steps : tuple of TracedStep
    thresholds : tuple of int
        Of the channel; empty where the sums leave the layer.
    """

    network: str
    machine: str
    layer: str
    output: tuple[int, int, int]
    value: int
    sums: tuple[tuple[int, int, int], ...]
    window: tuple[int, int]
    pass_number: int
    sub_array: int
    segment: int
    tiles: int
    constant: int
    steps: tuple[TracedStep, ...]
    thresholds: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """The trace as JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        k, y, x = self.output
        lines = [
            f"{self.network} on {self.machine}: layer {self.layer}, kernel {k}, y {y}, x {x} is {self.value}",
            f"the kernel lies in sub-array {self.sub_array}, segment {self.segment}, pass {self.pass_number}",
            f"window ({self.window[0]}, {self.window[1]}), rows of {self.tiles} tiles; constant {self.constant}",
            "",
            "op    m  n  row I  row W  count  shift  adds        sum  bits",
        ]
        for s in self.steps:
            adds = (-1 if s.negative else 1) * (s.count << s.shift)
            n, row_w = ("-", "-") if s.n is None else (s.n, s.row_w)
            bits = s.bits if len(s.bits) <= _SHOWN_BITS else f"{s.bits[:_SHOWN_BITS]}…"
            lines.append(
                f"{s.operation:<4}  {s.m}  {n}  {s.row_i:>5}  {row_w:>5}  {s.count:>5}  {s.shift:>5}  {adds:>+4}"
                f"  {s.total:>9}  {bits}"
            )
        lines.append("")
        if len(self.sums) > 1:
            lines.append("pooled: " + ", ".join(f"({a}, {b}): {total}" for a, b, total in self.sums))
        if self.thresholds:
            lines.append(f"thresholds of the channel: {', '.join(map(str, self.thresholds))}")
        lines.append(f"value {self.value}")
        return "\n".join(lines)


def trace(
    model: str | Path | Graph,
    values: np.ndarray,
    *,
    output: tuple[int, int, int],
    layer: str | None = None,
    machine: Machine | str | Path = "paper8",
) -> Trace:
    """Follow one value of a layer back to the rows that made it.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    values : ndarray
        One image, see `Graph.encode_input`.
    output : (k, y, x)
        Kernel, line and column of the layer's output.
    layer : str, optional
        The last, if not given.
    machine : Machine, str or Path
        See `load_machine`.

    Raises
    ------
    SpinplaneError
        If there is no such layer or output, or the network does not fit.
    """
    machine, graph = load_machine(machine), open_model(model)
    mapped = map_network(graph, machine)
    names = [one.layer.name for one in mapped]
    if layer is not None and layer not in names:
        raise SpinplaneError(f"layer {layer!r} is not one of {', '.join(names)}")
    at = names.index(layer) if layer else len(names) - 1
    one = mapped[at]
    if not all(0 <= index < side for index, side in zip(output, one.output_shape, strict=True)):
        sides = "×".join(map(str, one.output_shape))
        raise SpinplaneError(f"output {output}: layer {one.layer.name} has {sides} of kernel, y, x")
    inputs = graph.encode_input(values)[:1]
    before = [inputs, *run_graph(graph, inputs)]
    given = arrange(one.layer, before[at])
    sums = linear(one.layer, given)[0]
    k, y, x = output
    region = _region(one.layer, sums.shape[1:], y, x)
    followed = max(region, key=lambda p: _pooled_by(one.layer, k, int(sums[k][p])))
    steps = _steps(one, given, k, followed)
    assert steps[-1].total == sums[k][followed]
    place = one.convolution.kernel_place(k)
    return Trace(
        network=graph.name,
        machine=machine.name,
        layer=one.layer.name,
        output=output,
        value=int(before[at + 1][0, k, y, x]),
        sums=tuple((a, b, int(sums[k, a, b])) for a, b in region),
        window=followed,
        pass_number=place.pass_number,
        sub_array=place.sub_array,
        segment=place.segment,
        tiles=one.convolution.layout.tiles,
        constant=place.constant,
        steps=tuple(steps),
        thresholds=tuple(map(int, one.layer.steps.thresholds[k])) if one.layer.steps else (),
    )


def _region(layer: Layer, shape: tuple[int, ...], y: int, x: int) -> list[tuple[int, int]]:
    """Windows that a value is pooled from."""
    if layer.pool is None:
        return [(y, x)]
    sides = zip((y, x), layer.pool.size, layer.pool.stride, layer.pool.padding[:2], shape, strict=True)
    rows, columns = (
        range(max(0, at * stride - pad), min(side, at * stride - pad + size))
        for at, size, stride, pad, side in sides
    )
    return [(a, b) for a in rows for b in columns]


def _pooled_by(layer: Layer, kernel: int, total: int) -> int:
    """What decides which window of a region is followed: none in an average, else the greatest sum or code."""
    if layer.pool is None or layer.pool.kind == "sum":
        return 0
    falls = layer.pool.kind == "max_codes" and layer.steps is not None and not layer.steps.rising[kernel]
    return -total if falls else total


def _steps(
    mapped: MappedLayer, given: np.ndarray, kernel: int, position: tuple[int, int]
) -> list[TracedStep]:
    layer, convolution = mapped.layer, mapped.convolution
    geometry = (layer.weights.shape[2:], layer.stride, layer.padding, layer.dilation)
    of_group = layer.weights.shape[1]
    first = kernel // (len(layer.weights) // layer.groups) * of_group
    channels = slice(first, first + of_group)

    def window(maps: np.ndarray) -> np.ndarray:
        return windows(maps, *geometry)[0, position[0], position[1], channels].ravel()

    codes = window(encode(given, layer.i).astype(np.int64))
    outside = 1 - window(np.ones_like(given))
    planes_i = bit_planes(codes, layer.i.bits)
    planes_w = bit_planes(encode(layer.weights[kernel].ravel(), layer.w).astype(np.int64), layer.w.bits)
    layout, place = convolution.layout, convolution.kernel_place(kernel)
    steps: list[TracedStep] = []
    total = place.constant
    for term in convolution.terms:
        if term.outside and not outside.any():
            continue
        planes = outside[np.newaxis] if term.outside else planes_i
        signed_i = layer.i.signed and not term.outside
        row_i = layout.outside_row if term.outside else 0
        for n in range(layer.w.bits) if term.op is Op.DOT else [None]:
            for m, plane in enumerate(planes):
                bits = plane if n is None else plane & planes_w[n]
                negative = term.negate ^ (signed_i and m == len(planes) - 1)
                negative ^= n is not None and layer.w.signed and n == layer.w.bits - 1
                shift = m + (n or 0) + term.shift
                total += (-1 if negative else 1) * (int(bits.sum()) << shift)
                steps.append(
                    TracedStep(
                        operation="READ" if n is None else "AND",
                        m=m,
                        n=n,
                        row_i=row_i + m * layout.tiles,
                        row_w=None if n is None else place.row + n * layout.tiles,
                        bits="".join(map(str, bits)),
                        count=int(bits.sum()),
                        shift=shift,
                        negative=bool(negative),
                        total=total,
                    )
                )
    return steps
