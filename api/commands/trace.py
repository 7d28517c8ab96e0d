"""Follow one value of a network back through the functional machine, with a probe."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinplane.behavioral import Accelerator, Place, Probe, SeenWindow, SensedPair
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import PlacedStage
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict, row_sets
from spinplane.device.technology import Technology
from spinplane.machine import Machine, SpinplaneError, load_machine
from spinplane.machine.choices import one_of
from spinplane.machine.descriptor import Load, Pool
from spinplane.machine.errors import shown
from spinplane.machine.output_stage import RAW_BITS
from spinplane.machine.pass_timing import kernel_tile_starts, region_starts
from spinplane.machine.program import Program
from spinplane.machine.timing import ENGINE_CYCLES, fetch_cycles

from ..arguments import as_array, as_place
from ..defaults import NETWORK_MACHINE
from ..models import Model, open_network
from .clock import clock_of
from .compiled_layer import CompiledLayer, compiled_layers
from .trace_result import Trace, TracedCycles, TracedStep, TracedWindow


def trace(
    model: Model,
    values: np.ndarray | str | Path,
    *,
    output: Sequence[int] | str,
    layer: str | None = None,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    fold_pools: bool = False,
    check: bool = True,
) -> Trace:
    """Follow one value of a layer back to the rows that made it.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`.
    values : ndarray, str or Path
        One image, see `Graph.encode_input`, or its .npy file; of a batch the first is taken.
    output : (k, y, x) or str
        Kernel, line and column of the layer's output, as numbers or as text: ``"3,0,0"``.
    layer : str, optional
        By default the last.
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    check : bool
        Whether to compare the import with the file's own executor.

    Raises
    ------
    SpinplaneError
        If there is no such layer or output, or the network or the clock does not fit.
    """
    machine = load_machine(machine)
    place, values = as_place(output), as_array("values", values)
    of_machine = clock_of(machine, technology, clock)
    network = open_network(model, check=check)
    graph = network.graph
    names = [one.name for one in graph.layers]
    if layer is not None and layer not in names:
        raise SpinplaneError(f"layer {shown(layer)} is not {one_of(str(layer), names)}")
    at = names.index(layer) if layer else len(names) - 1
    inputs, notes = network.encode(network.arrange(values)[:1])
    expected = [of_layer[0] for of_layer in run_graph(graph, inputs)]
    if not all(0 <= index < side for index, side in zip(place, expected[at].shape, strict=True)):
        sides = "×".join(map(str, expected[at].shape))
        raise SpinplaneError(f"output {place}: layer {names[at]} has {sides} (kernel, y, x)")
    program = compile_graph(graph, machine, fold_pools=fold_pools)
    compiled = compiled_layers(program)[at]
    codes = (inputs[0] - program.input.offset) // program.input.scale
    last, sums = compiled.stages[-1], compiled.sums
    traced = _trace_stage(program, compiled, last, codes, place)
    assert traced.value == expected[at][place]
    if graph.outputs[0].layers == (at,):
        own = graph.outputs[0].decode(expected[at][np.newaxis])
        traced = replace(traced, greatest=int(own.argmax()))
    if last is not sums:
        greatest = traced.windows[traced.window]
        before = place[0], greatest.y, greatest.x
        traced = replace(traced, before=_trace_stage(program, compiled, sums, codes, before))
    return replace(traced, model=notes, clock=of_machine)


def _trace_stage(
    program: Program,
    compiled: CompiledLayer,
    stage: PlacedStage,
    codes: np.ndarray,
    output: tuple[int, int, int],
) -> Trace:
    """A value of the map that a layer's stage writes, followed back to the map that it reads.

    Parameters
    ----------
    program : Program
    compiled : CompiledLayer
    stage : PlacedStage
    codes : ndarray of shape (channels, height, width), int64
        The network's input.
    output : (k, y, x)
        Kernel of the layer, line and column of that map.
    """
    machine, (kernel, y, x) = program.machine, output
    own = stage is compiled.sums
    number, channel, column = _find_pass(stage, compiled.kernel_of_sums(kernel) if own else kernel, x)
    probe = Probe(number, channel=channel, y=y, x=x - column)
    accelerator = Accelerator(machine)
    accelerator.load(program)
    accelerator.write_map(program.input, codes)
    accelerator.run(probe=probe)
    n, place = probe.place.layer_pass, probe.place
    window = _followed(probe)
    code, raw = probe.code, stage.target.layout == "raw"
    return Trace(
        network=program.name,
        machine=machine.name,
        layer=compiled.placed.name,
        output=output,
        value=code if raw else stage.target.scale * code + stage.target.offset,
        code=code,
        greatest=None,
        descriptor=number,
        cluster=place.cluster,
        sub_array=place.sub_array,
        slot=place.slot,
        kernel_tile=place.kernel_tile,
        region=(place.row, place.column),
        windows=tuple(_traced(one, stage.passes[0].windows_x - n.windows_x) for one in probe.windows),
        window=window,
        folded=compiled.folded and own,
        steps=tuple(_step(pair) for pair in probe.windows[window].pairs),
        parameters=_parameters(probe),
        pool=n.pool.name,
        pooled=probe.pooled,
        scaled=probe.scaled if n.multiplies else None,
        float_scale=n.float_scale,
        own_code=probe.own_code,
        residual=probe.residual,
        scaled_residual=probe.scaled_residual,
        y=probe.y,
        multiplies_total=n.multiplies_total,
        level=probe.level,
        rounding=_rounding(probe),
        thresholds=probe.thresholds,
        table=n.table,
        cycles=_cycles(program, number, place, window),
        before=None,
    )


def _parameters(probe: Probe) -> dict[str, int]:
    """Numbers of the pass and of the channel that make a code of the sums; bounds and shift are those of the level."""
    n, of_channel = probe.place.layer_pass, probe.parameters
    names = ["accumulator_shift", "window_sum_scale", "level_shift", "out_zero"]
    names += ["residual_zero", "residual_high_shift", "residual_shift"] if n.residual else []
    names += ["own_multiplier", "own_high_shift", "own_shift", "total_offset"] if n.own_code else []
    names += ["total_multiplier", "total_high_shift"] if n.multiplies_total else []
    numbers = {name: getattr(n, name) for name in names} | of_channel
    if n.own_code:
        numbers |= {f"own_{name}": of_channel[name] for name in ("low", "high")}
        numbers |= {"own_step": of_channel["shift"]}
        numbers |= {"low": n.total_low, "high": n.total_high, "shift": n.total_shift}
    return numbers


def _rounding(probe: Probe) -> str | None:
    """How the value becomes a level; None where it is searched, or stored itself."""
    n = probe.place.layer_pass
    searches = probe.parameters["search"] or not n.multiplies
    return None if n.raw or searches else n.rounding.name


def _find_pass(stage: PlacedStage, kernel: int, x: int) -> tuple[int, int, int]:
    """Number of the descriptor that computes a kernel's column, the kernel's there and the first column of the pass."""
    bits = RAW_BITS if stage.target.layout == "raw" else 1
    for number, layer_pass in zip(stage.numbers, stage.passes, strict=True):
        column, first_bit = divmod(layer_pass.out_base - stage.target.base, stage.target.pixel_bits)
        channel = kernel - first_bit // bits
        places = [layer_pass.places[beat] for beat in layer_pass.existing_beats]
        if column <= x < column + layer_pass.out_width and channel // layer_pass.lanes in places:
            return number, channel, column
    raise AssertionError("a pass computes every output")


def _traced(window: SeenWindow, left_out: int) -> TracedWindow:
    """A window, with as many windows of stripes to its left."""
    names = ("y", "counts", "accumulator", "window_sum", "value")
    return TracedWindow(x=left_out + window.x, **{name: getattr(window, name) for name in names})


def _step(pair: SensedPair) -> TracedStep:
    return TracedStep(
        plane=pair.kernel_plane,
        plane_group=pair.plane_group,
        row_i=pair.input_row,
        row_w=pair.kernel_row,
        bits=tuple("".join(map(str, bits)) for bits in pair.bits.tolist()),
        count=pair.count,
        shift=pair.shift,
        sign=pair.sign,
        total=pair.total,
    )


def _followed(probe: Probe) -> int:
    """Window that decides: the greatest one, the least where the channel takes that, the first of a sum."""
    pool, windows = probe.place.layer_pass.pool, probe.windows
    counting = [at for at, window in enumerate(windows) if window.counts or pool is Pool.NONE]
    if pool in (Pool.NONE, Pool.SUM):
        return counting[0]
    return next(at for at in counting if windows[at].value == probe.pooled)


def _cycles(program: Program, number: int, place: Place, window: int) -> TracedCycles:
    """Cycles of a steady run."""
    n, machine = place.layer_pass, program.machine
    start = sum(c.cycles for c in predict(program, resident=True).passes[:number]) + fetch_cycles(machine)
    loaded = n.load_rows * n.load_sub_arrays if n.load is Load.ALWAYS else 0
    region = start + int(region_starts(n, row_sets(n), loaded)[place.region])
    kernel_tiles = kernel_tile_starts(n)
    beats = n.last_beats if place.kernel_tile == n.kernel_tiles - 1 else n.beats
    beat = place.cluster * beats + place.beat
    outer = n.windows - 1

    def taken(of_window: int) -> int:
        issued = region + int(kernel_tiles[of_window * n.kernel_tiles + place.kernel_tile])
        return issued + n.burst_cycles - 1 + ENGINE_CYCLES + beat * (n.interval if of_window == outer else 1)

    return TracedCycles(
        start=start,
        issued=region + int(kernel_tiles[window * n.kernel_tiles + place.kernel_tile]),
        result=taken(window),
        written=taken(outer) + n.last_write_cycles,
    )
