"""A whole network on the RTL of the accelerator, from its bus alone, checked layer by layer.

The host writes the program and the image, starts, waits for the interrupt and reads; the hardware does the rest.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.behavioral.accelerator import AcceleratorRun as FunctionalRun
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import Prediction, predict
from spinplane.device import load_technology
from spinplane.device.technology import Technology
from spinplane.machine import AcceleratorCounters, Machine, SpinplaneError, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.files import making_folders, note_written, scratch_folder, temporary_folder
from spinplane.machine.program import Program
from spinplane.machine.registers import Error
from spinplane.sim import BenchFailure, available_simulators
from spinplane.sim.accelerator import RtlAcceleratorRun, run_accelerator

from ..models import Model, open_network
from .clock import DEFAULT_TECHNOLOGY, clock_of
from .compiled_layer import CompiledLayer, compiled_layers, efficiencies, efficiency, utilization
from .estimate import run_energy
from .run_result import LayerRun, NamedOutput, NetworkRun, RunCounters, RunEfficiency

_WAVES = "waves.vcd"


def run_network(
    model: Model,
    values: np.ndarray,
    *,
    machine: Machine | str | Path,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    fold_pools: bool = False,
    check: bool = True,
    simulator: str | None = None,
    waves: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> NetworkRun:
    """Run a network on the RTL of a machine's accelerator.

    The first image runs twice, first with the kernels loaded and then steadily, if any kernels stay in the array.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_network`.
    values : ndarray
        Input of the network, see `Graph.encode_input`.
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
    simulator : {"verilator", "icarus", "amaranth"}, optional
        By default the faster of the first two that can be used. Amaranth's own needs nothing but Python, and
        hours for a network.
    waves : Path, optional
        Folder for a VCD, ``waves.vcd``.
    faults : FaultMap, optional
        Of the memory: RTL and functional machine compute the same wrong values.
    tell : callable
        Is given a line before each long step, and the layer at work.
    advance : callable
        Is given the cycles that have been simulated, layer by layer, and those of all runs.

    Raises
    ------
    SpinplaneError
        If the model, the input or the machine is not as it should be, or a layer or the clock does not fit.
    BenchFailure
        If the simulated array refuses an operation, or the accelerator ends with an error.
    """
    machine = load_machine(machine)
    of_machine = clock_of(machine, technology, clock)
    network = open_network(model, check=check)
    simulator, graph = usable_simulator(simulator), network.graph
    inputs, notes = network.encode(values)
    tell("compiling the network")
    program = compile_graph(graph, machine, fold_pools=fold_pools)
    layers = compiled_layers(program)
    expected = run_graph(graph, inputs)
    steady, cold = predict(program, resident=True), predict(program, resident=False)
    # Which image each run takes: the first one again, if its kernels are in place then.
    repeated = [0] if any(layer.resident for layer in layers) else []
    order = [0, *repeated, *range(1, len(inputs))]
    predictions = [cold] + [steady] * (len(order) - 1)

    codes = (inputs - program.input.offset) // program.input.scale
    images = [codes[at] for at in order]
    tell("functional machine")
    functional = _run_functional(program, images, faults)
    tell(f"{simulator}: building the model of {machine.name}, unless it is there")
    rtl = _run_rtl(
        program,
        images,
        simulator=simulator,
        waves=waves,
        faults=faults,
        limit=max(run.counters.cycles for run, _ in functional),
        tell=_progress(program, predictions, tell, advance),
    )

    runs = [
        _Run(
            prediction=prediction,
            functional=functional_run,
            functional_maps=maps,
            rtl=image.record.counters,
            rtl_passes=image.record.layers,
            rtl_maps=image.maps,
            expected=tuple(values[at] for values in expected),
        )
        for prediction, (functional_run, maps), image, at in zip(
            predictions, functional, rtl.images, order, strict=True
        )
    ]
    first = len(repeated)
    compared = tuple(
        _compare(number, layer, runs, first=first, faulty=faults is not None)
        for number, layer in enumerate(layers)
    )
    outputs = graph.decode_outputs([layer.outputs for layer in compared])
    counters, counters_cold = runs[first].counters, runs[0].counters
    whole, without_first = efficiencies(layers, counters.rtl.cycles, compared[0].cycles)
    # Beside those of layers there are the counters of the header, of END and of the whole.
    ends = (0, len(program.descriptors) - 1)
    others = sum(
        _different(run.rtl, run.functional.counters, run.prediction.total)
        + sum(_different(run.rtl_passes[n], run.functional.layers[n], run.prediction.passes[n]) for n in ends)
        for run in runs
    )
    return NetworkRun(
        network=graph.name,
        model=notes,
        machine=machine,
        simulator=simulator,
        mismatches=sum(layer.mismatches for layer in compared) + others,
        outputs=outputs[0],
        further_outputs=tuple(
            NamedOutput(output=output.name, values=values)
            for output, values in zip(graph.outputs[1:], outputs[1:], strict=True)
        ),
        efficiency=RunEfficiency(
            steady=whole,
            cold=efficiency(layers, counters_cold.rtl.cycles),
            without_first=without_first,
        ),
        utilization=utilization(machine, counters.rtl),
        counters=counters,
        counters_cold=counters_cold,
        layers=compared,
        cached=rtl.cached,
        build_seconds=rtl.build_seconds,
        run_seconds=rtl.run_seconds,
        waves=rtl.waves,
        clock=of_machine,
        energy=run_energy(
            program, counters.rtl, load_technology(technology or DEFAULT_TECHNOLOGY), of_machine
        )
        if of_machine
        else None,
    )


def usable_simulator(simulator: str | None) -> str:
    """A simulator that can run the accelerator here; the fastest, if none is named.

    Raises
    ------
    SpinplaneError
        If it cannot.
    """
    usable = available_simulators()
    if simulator == "amaranth":
        return simulator
    if not usable:
        raise SpinplaneError("no simulator found: running a network needs Verilator or Icarus Verilog")
    if simulator is not None and simulator not in usable:
        raise SpinplaneError(f"simulator {simulator!r} cannot be used here: use one of {', '.join(usable)}")
    return simulator or usable[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Run:
    """One run: its prediction and its outcome."""

    prediction: Prediction
    functional: FunctionalRun
    functional_maps: tuple[np.ndarray | None, ...]
    rtl: AcceleratorCounters
    rtl_passes: tuple[AcceleratorCounters, ...]
    rtl_maps: tuple[np.ndarray | None, ...]
    expected: tuple[np.ndarray, ...]

    @property
    def counters(self) -> RunCounters:
        return RunCounters(rtl=self.rtl, functional=self.functional.counters, predicted=self.prediction.total)


def _run_functional(
    program: Program, images: Sequence[np.ndarray], faults: FaultMap | None
) -> list[tuple[FunctionalRun, tuple[np.ndarray | None, ...]]]:
    """Run after run, with the maps that are left."""
    accelerator = Accelerator(program.machine, faults)
    accelerator.load(program)
    runs = []
    for codes in images:
        accelerator.write_map(program.input, codes)
        run = accelerator.run()
        maps = tuple(accelerator.read_map(layer.output) if layer.kept else None for layer in program.layers)
        runs.append((run, maps))
    return runs


def _run_rtl(
    program: Program,
    images: Sequence[np.ndarray],
    *,
    simulator: str,
    waves: Path | None,
    faults: FaultMap | None,
    limit: int,
    tell: Callable[[int], None],
) -> RtlAcceleratorRun:
    """Run after run; the waveform is moved to the folder `waves`, nothing else in which is touched."""
    with _scratch(waves) as scratch:
        rtl = run_accelerator(
            program,
            images,
            simulator=simulator,
            limit=limit,
            waves=waves is not None,
            run_folder=scratch / "run",
            faults=faults,
            tell=tell,
        )
        for image in rtl.images:
            if image.record.error is not Error.NONE:
                raise BenchFailure(
                    f"the accelerator ended with {image.record.error.name} at descriptor {image.record.descriptor}, "
                    f"word {image.record.word}"
                )
        if waves is None:
            return rtl
        if rtl.waves is None:
            raise BenchFailure(f"{simulator} wrote no waveform")
        os.replace(rtl.waves, waves / _WAVES)
        note_written(waves / _WAVES)
    return replace(rtl, waves=waves / _WAVES)


@contextmanager
def _scratch(waves: Path | None) -> Iterator[Path]:
    """A folder for the simulation, from which its waveform can be moved."""
    if waves is None:
        with temporary_folder() as folder:
            yield folder
    else:
        with making_folders(waves), scratch_folder(waves) as scratch:
            yield scratch


def _progress(
    program: Program,
    predictions: Sequence[Prediction],
    tell: Callable[[str], None],
    advance: Callable[[int, int], None],
) -> Callable[[int], None]:
    """What takes the number of the descriptor at work, of one run after the other, and tells of layer and cycles."""
    names = {n: layer.name for layer in program.layers for n in layer.descriptors}
    all_cycles = sum(prediction.total.cycles for prediction in predictions)
    run, last = 0, 0

    def at(descriptor: int) -> None:
        nonlocal run, last
        # A number that falls belongs to the next run.
        run = min(run + (descriptor < last), len(predictions) - 1)
        last = descriptor
        done = sum(prediction.total.cycles for prediction in predictions[:run])
        done += sum(counters.cycles for counters in predictions[run].passes[:descriptor])
        if descriptor in names:
            tell(f"run {run + 1} of {len(predictions)}: layer {names[descriptor]}")
        advance(done, all_cycles)

    return at


def _compare(
    number: int, layer: CompiledLayer, runs: Sequence[_Run], *, first: int, faulty: bool
) -> LayerRun:
    """A layer over all runs, those of the images from `first` on."""
    mismatches = wrong = 0
    outputs = []
    for at, run in enumerate(runs):
        rtl, functional = run.rtl_maps[number], run.functional_maps[number]
        for n in layer.placed.descriptors:
            mismatches += _different(run.rtl_passes[n], run.functional.layers[n], run.prediction.passes[n])
        if rtl is None or functional is None:
            continue
        values = layer.placed.output.values(rtl)
        not_right = int((values != run.expected[number]).sum())
        mismatches += int((rtl != functional).sum()) + (0 if faulty else not_right)
        if at >= first:
            outputs.append(values)
            wrong += not_right
    counters = layer.sum_of(runs[first].rtl_passes)
    return LayerRun(
        **vars(layer.figures()),
        compared=bool(outputs),
        mismatches=mismatches,
        wrong=wrong,
        cycles=counters.cycles,
        efficiency=layer.efficiency(counters.cycles),
        utilization=layer.utilization(counters),
        counters=counters,
        outputs=np.stack(outputs) if outputs else None,
    )


def _different(
    rtl: AcceleratorCounters, functional: AcceleratorCounters, predicted: AcceleratorCounters
) -> int:
    """Counters in which the three are not one."""
    others = (functional.as_dict(), predicted.as_dict())
    return sum(any(other[name] != count for other in others) for name, count in rtl.as_dict().items())
