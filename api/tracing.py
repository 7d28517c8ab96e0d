"""Follow one value of a network back: the functional machine is stopped before its pass, and its rows are read."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.behavioral.accelerator_clock import region_starts, round_starts
from spinplane.behavioral.layer_pass import State, run_pass
from spinplane.behavioral.layer_results import Parameters, codes_of, read_parameters
from spinplane.behavioral.layer_rows import form_rows
from spinplane.behavioral.layer_walk import walk, window_rows
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.compiler.program import compile_graph
from spinplane.machine import Machine, SpinplaneError, load_machine
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.codec import End, encode
from spinplane.machine.descriptor import Load, PoolAt
from spinplane.machine.passes import Pass
from spinplane.machine.program import NetworkProgram
from spinplane.machine.timing import ENGINE_CYCLES, fetch_cycles

from .compiled_layer import CompiledLayer, compiled_layers
from .compiled_stage import CompiledStage
from .models import open_model
from .traced import Trace, TracedCycles, TracedStep, TracedWindow


def trace(
    model: str | Path | Graph,
    values: np.ndarray,
    *,
    output: tuple[int, int, int],
    layer: str | None = None,
    machine: Machine | str | Path = "paper8",
    fold_pools: bool = False,
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
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.

    Raises
    ------
    SpinplaneError
        If there is no such layer or output, or the network does not fit.
    """
    machine, graph = load_machine(machine), open_model(model)
    names = [one.name for one in graph.layers]
    if layer is not None and layer not in names:
        raise SpinplaneError(f"layer {layer!r} is not one of {', '.join(names)}")
    at = names.index(layer) if layer else len(names) - 1
    inputs = graph.encode_input(values)[:1]
    expected = [of_layer[0] for of_layer in run_graph(graph, inputs)]
    if not all(0 <= index < side for index, side in zip(output, expected[at].shape, strict=True)):
        sides = "×".join(map(str, expected[at].shape))
        raise SpinplaneError(f"output {output}: layer {names[at]} has {sides} of kernel, y, x")
    program = compile_graph(graph, machine, fold_pools=fold_pools)
    compiled = compiled_layers(graph, program)[at]
    codes = (inputs[0] - program.input.offset) // program.input.scale
    traced = _trace_stage(program, compiled, len(compiled.stages) - 1, codes, output)
    assert traced.value == expected[at][output]
    if at == len(names) - 1:
        traced = replace(traced, greatest=int(graph.decode_output(expected[-1][np.newaxis]).argmax()))
    if len(compiled.stages) > 1:
        greatest = traced.windows[traced.window]
        place = output[0], greatest.y, greatest.x
        traced = replace(traced, before=_trace_stage(program, compiled, 0, codes, place))
    return traced


def _trace_stage(
    program: NetworkProgram,
    compiled: CompiledLayer,
    at: int,
    codes: np.ndarray,
    output: tuple[int, int, int],
) -> Trace:
    """A value of the map that a layer's stage `at` writes, followed back to the map that it reads.

    Parameters
    ----------
    program : NetworkProgram
    compiled : CompiledLayer
    at : int
    codes : ndarray of shape (channels, height, width), int64
        The network's input.
    output : (k, y, x)
        In that map.
    """
    machine, stage = program.machine, compiled.stages[at]
    number, channel, column = _find_pass(stage, output)
    accelerator = _before(program, number, codes)
    place = _Place(program.pass_at(number), channel, output[1], output[2] - column)
    n = place.layer_pass
    parameters = read_parameters(n, machine, accelerator.state.parameters, accelerator.state.thresholds)
    left_out = stage.passes[0].windows_x - n.windows_x
    residual = _residual(place, accelerator.state.image)
    windows, steps_of = _windows(place, accelerator.state, parameters, left_out)
    window = _followed(n, windows, int(parameters.multiplier[channel]))
    pooled = windows[window].scaled
    if n.pool is PoolAt.SUM:
        pooled = sum(one.scaled for one in windows if one.counts)
    code = int(accelerator.read_map(stage.target)[output])
    assert code == _code(n, pooled, residual, parameters, channel)
    raw = stage.target.layout == "raw"
    return Trace(
        network=program.name,
        machine=machine.name,
        layer=compiled.placed.name,
        output=output,
        value=code if raw else stage.target.scale * code + stage.target.offset,
        code=code,
        greatest=None,
        descriptor=number,
        group=place.group,
        sub_array=place.sub_array,
        slot=place.slot,
        round=place.round,
        region=(place.row, place.column),
        windows=tuple(windows),
        window=window,
        folded=compiled.folded,
        steps=tuple(steps_of[window]),
        parameters={
            **{key: getattr(n, key) for key in ("accumulator_shift", "window_sum_scale")},
            **{key: getattr(n, key) for key in ("shift", "low", "high", "code_shift")},
            **{key: int(getattr(parameters, key)[channel]) for key in ("bias", "multiplier", "offset")},
            "residual_multiplier": int(parameters.residual_multiplier[channel]) if n.residual else 0,
        },
        residual=residual,
        pool=n.pool.name,
        requantize=n.requantize.name,
        thresholds=tuple(map(int, parameters.thresholds[channel])),
        pooled=pooled,
        cycles=_cycles(program, number, place, window),
        before=None,
    )


class _Place:
    """Where in a pass a channel of an output position is computed.

    Parameters
    ----------
    layer_pass : Pass
    channel : int
        Among those of the pass.
    y, x : int
        Among the outputs of the pass.
    """

    def __init__(self, layer_pass: Pass, channel: int, y: int, x: int) -> None:
        self.layer_pass = n = layer_pass
        self.channel, self.y, self.x = channel, y, x
        group_y, self.row = divmod(y, n.region_rows)
        group_x, self.column = divmod(x, n.region_columns)
        self.group = group_y * n.groups_x + group_x
        self.region = self.row * n.region_columns + self.column
        results = n.beats * n.lanes if n.rounds > 1 else n.last_beats * n.lanes
        self.round, in_round = divmod(channel, results)
        self.beat = in_round // n.lanes
        self.member, self.slot = divmod(in_round, n.slots)
        self.sub_array = self.group * n.group_size + self.member


def _find_pass(stage: CompiledStage, output: tuple[int, int, int]) -> tuple[int, int, int]:
    """Number of the descriptor that computes an output, the kernel's number and the first column of the pass."""
    kernel, _, x = output
    bits = RAW_BITS if stage.target.layout == "raw" else 1
    found = []
    for number, layer_pass in zip(stage.numbers, stage.passes, strict=True):
        column, first_bit = divmod(layer_pass.out_base - stage.target.base, stage.target.pixel_bits)
        if column <= x < column + layer_pass.out_width and first_bit // bits <= kernel:
            found.append((kernel - first_bit // bits, number, column))
    channel, number, column = min(found)
    return number, channel, column


def _before(program: NetworkProgram, number: int, codes: np.ndarray) -> Accelerator:
    """A functional machine that has run all passes before one."""
    accelerator = Accelerator(program.machine)
    before = [*program.descriptors[:number], encode(End())]
    accelerator.load(replace(program, descriptors=np.array(before)))
    accelerator.write_map(program.input, codes)
    accelerator.run()
    return accelerator


def _windows(
    place: _Place, state: State, parameters: Parameters, left_out: int
) -> tuple[list[TracedWindow], list[list[TracedStep]]]:
    """Windows of the region and their steps; `state` has run the pass afterwards.

    Parameters
    ----------
    place : _Place
    state : State
        Before the pass.
    parameters : Parameters
    left_out : int
        Windows of a line that the pass does not count: those of stripes to the left.
    """
    n = place.layer_pass
    steps = walk(n, n.machine)
    formed, _, _ = form_rows(n, steps, place.group, state.image)
    run_pass(state, n, load=n.load is not Load.NEVER)
    kernels = state.cells.bits[place.sub_array]
    rows = window_rows(n, n.machine, place.row)[place.column]
    contents = steps.contents[place.region]
    windows, steps_of = [], []
    for number in range(n.windows):
        ry, rx = divmod(number, n.region_width)
        y = n.first_window_y + place.y * n.stride_y + ry
        x = n.first_window_x + place.x * n.stride_x + rx
        met = formed[contents[rows[ry, rx]] - n.machine.rows]
        of_window = _steps(place, rows[ry, rx], met, kernels)
        blocks = met.sum(axis=(1, 3), dtype=np.int64)
        window_sum = sum(
            int(blocks[pg, p]) << (pg * n.planes + p) for pg in range(n.plane_groups) for p in range(n.planes)
        )
        accumulator = of_window[-1].total
        value = (
            (accumulator << n.accumulator_shift)
            - n.window_sum_scale * window_sum
            + int(parameters.bias[place.channel])
        )
        windows.append(
            TracedWindow(
                y=y,
                x=left_out + x,
                counts=0 <= y < n.windows_y and 0 <= x < n.windows_x,
                accumulator=accumulator,
                window_sum=window_sum,
                value=value,
                scaled=value * int(parameters.multiplier[place.channel]),
            )
        )
        steps_of.append(of_window)
    return windows, steps_of


def _steps(place: _Place, rows: np.ndarray, met: np.ndarray, kernels: np.ndarray) -> list[TracedStep]:
    """ANDs of a window in the order in which they are sensed.

    Parameters
    ----------
    place : _Place
    rows : ndarray of shape (plane_groups, window_rows), int64
        Array rows of the input.
    met : ndarray of shape (plane_groups, window_rows, planes, columns of a sub-block), uint8
        What they hold in each slot.
    kernels : ndarray of shape (rows, columns), uint8
        The sub-array.
    """
    n, steps, total = place.layer_pass, [], 0
    slot = kernels.reshape(len(kernels), n.slots, n.planes, n.block_columns)[:, place.slot]
    first = n.kernel_row + place.round * n.kernel_planes * n.window_rows
    for plane in range(n.kernel_planes):
        for group in range(n.plane_groups):
            for at in range(n.window_rows):
                row_w = first + plane * n.window_rows + at
                sensed = met[group, at] & slot[row_w]
                count = sum(int(block.sum()) << p for p, block in enumerate(sensed))
                shift = plane + group * n.planes
                total += count << shift
                length = n.last_length if at % n.pieces == n.pieces - 1 else n.length
                steps.append(
                    TracedStep(
                        plane=plane,
                        plane_group=group,
                        row_i=int(rows[group, at]),
                        row_w=row_w,
                        bits=tuple("".join(map(str, block[:length])) for block in sensed),
                        count=count,
                        shift=shift,
                        total=total,
                    )
                )
    return steps


def _followed(n: Pass, windows: list[TracedWindow], multiplier: int) -> int:
    """Window that decides: the greatest one, the least where a negative multiplier turns it round, the first of a
    sum.
    """
    counting = [at for at, window in enumerate(windows) if window.counts or n.pool is PoolAt.NONE]
    if n.pool in (PoolAt.NONE, PoolAt.SUM):
        return counting[0]
    turned = n.pool is PoolAt.MAX_BEFORE and multiplier < 0
    return max(counting, key=lambda at: -windows[at].scaled if turned else windows[at].scaled)


def _residual(place: _Place, image: np.ndarray) -> int | None:
    """Code of the residual at the place, None if the pass has none."""
    n = place.layer_pass
    if not n.residual:
        return None
    pixel = n.residual_base + place.y * n.residual_line_bits + place.x * n.residual_pixel_bits
    planes = pixel + np.arange(n.residual_planes) * n.residual_plane_bits + place.channel
    return int(image[planes].astype(np.int64) @ (1 << np.arange(n.residual_planes)))


def _code(n: Pass, pooled: int, residual: int | None, parameters: Parameters, channel: int) -> int:
    """What the way out makes of a pooled value and a residual's code."""
    channels = np.zeros((2, 1, len(parameters.bias)), dtype=np.int64)
    channels[:, 0, channel] = pooled, residual or 0
    return int(codes_of(n, channels[0], channels[1], parameters)[0, channel])


def _cycles(program: NetworkProgram, number: int, place: _Place, window: int) -> TracedCycles:
    """Cycles of a steady run."""
    n, machine = place.layer_pass, program.machine
    start = sum(c.cycles for c in predict(program, resident=True).passes[:number]) + fetch_cycles(machine)
    loaded = n.load_rows * n.load_sub_arrays if n.load is Load.ALWAYS else 0
    row_sets = np.diff(walk(n, machine).region_sets)
    region = start + int(region_starts(n, row_sets, loaded)[place.region])
    rounds = round_starts(n)
    beats = n.last_beats if place.round == n.rounds - 1 else n.beats
    beat = place.group * beats + place.beat
    outer = n.windows - 1

    def taken(of_window: int) -> int:
        issued = region + int(rounds[of_window * n.rounds + place.round])
        return issued + n.run_cycles - 1 + ENGINE_CYCLES + beat * (n.interval if of_window == outer else 1)

    return TracedCycles(
        start=start,
        issued=region + int(rounds[window * n.rounds + place.round]),
        result=taken(window),
        written=taken(outer) + n.last_write_cycles,
    )
