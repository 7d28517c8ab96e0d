"""A whole network on the RTL of the accelerator, from its bus alone, checked layer by layer.

The host writes the program and the image, starts, waits for the interrupt and reads; the hardware does the rest.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import Prediction, predict
from spinplane.device.technology import Technology
from spinplane.machine import Machine, MachineClock, SpinplaneError, load_machine
from spinplane.machine.arguments import as_optional_path
from spinplane.machine.faults import FaultMap
from spinplane.machine.program import Program

from ..arguments import as_array, as_fault_map
from ..defaults import ACCELERATORS, NETWORK_MACHINE
from ..models import Model, open_network
from ..report.model_notes import ModelNotes
from ..tasks.engine import Engine
from .clock import chosen_technology, clock_of
from .compiled_layer import compiled_layers, efficiencies, efficiency, utilization
from .estimate import run_energy
from .rtl_runs import RtlTask, batches, simulate, simulate_shared
from .run_comparison import ComparedRun, compare_layer, functional_outcomes, mismatches_outside, rtl_outcome
from .run_result import NamedOutput, NetworkRun, RunEfficiency, duration_text, rtl_seconds, run_drawing
from .simulators import simulator_for

#: Seconds of simulation from which a user is told before.
_LONG = 60


def run_network(
    model: Model,
    values: np.ndarray | str | Path,
    *,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    batch: int = 1,
    fold_pools: bool = False,
    check: bool = True,
    rtl: bool = True,
    simulator: str | None = None,
    waves: str | Path | None = None,
    faults: FaultMap | str | Path | None = None,
    jobs: int = ACCELERATORS,
    dask: str | None = None,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> NetworkRun:
    """Run a network on the RTL of a machine's accelerator.

    The first batch runs twice, first with the kernels loaded and then steadily, if any kernels stay in the array. The
    last one is filled up with its last image. Many images may be shared among accelerators (`jobs`), each of which
    begins in this way.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`.
    values : ndarray, str or Path
        Input of the network, see `Graph.encode_input`, or its .npy file.
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    batch : int
        Images that a run takes, see `compile_graph`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    check : bool
        Whether to compare the import with the file's own executor.
    rtl : bool
        Whether to simulate the RTL; if not, the functional machine is compared with oracle and prediction alone.
    simulator : {"verilator", "icarus", "amaranth"}, optional
        By default the faster of the first two that can be used. Amaranth's own needs nothing but Python, and
        hours for a network.
    waves : str or Path, optional
        Folder for a VCD, ``waves.vcd``, and for its views in GTKWave and Surfer, see `spinplane.sim.wave_views`.
    faults : FaultMap, str or Path, optional
        Of the memory, or the file that `FaultMap.save` wrote: RTL and functional machine compute the same wrong values.
    jobs : int
        Accelerators among which the images are shared, each simulated in a process of one thread; each also makes the
        run with which kernels are loaded.
    dask : str, optional
        Address of a Dask scheduler, whose workers simulate them instead.
    tell : callable
        Is given a line before each long step, and the layer at work.
    advance : callable
        Is given the cycles that have been simulated, layer by layer, and those of all runs.

    Raises
    ------
    SpinplaneError
        If the model, the input or the machine is not as it should be, a layer or the clock does not fit, or images are
        to be shared whose runs hang together.
    BenchFailure
        If the simulated array refuses an operation, or the accelerator ends with an error.
    """
    machine = load_machine(machine)
    values, faults = as_array("values", values), as_fault_map(faults)
    waves = as_optional_path("waves", waves)
    of_machine = clock_of(machine, technology, clock)
    engine = Engine(jobs=jobs, dask=dask)
    network = open_network(model, check=check)
    shared = jobs != ACCELERATORS or dask is not None
    if shared and waves is not None:
        raise SpinplaneError(
            "jobs, dask: a waveform is that of one accelerator; leave out the waves or these"
        )
    if shared and faults is not None and faults.transient is not None:
        raise SpinplaneError(
            "jobs, dask: transient faults of an image follow from those before it; leave these out"
        )
    simulator = simulator_for(simulator, rtl=rtl, waves=waves, shared=shared)
    inputs, notes = network.encode(values)
    tell("compiling the network")
    program = compile_graph(network.graph, machine, batch=batch, fold_pools=fold_pools)
    with engine:
        return run_program(
            program,
            inputs,
            notes,
            technology=chosen_technology(technology),
            clock=of_machine,
            simulator=simulator,
            engine=engine,
            waves=waves,
            faults=faults,
            tell=tell,
            advance=advance,
        )


def run_program(
    program: CompiledProgram,
    inputs: np.ndarray,
    notes: ModelNotes,
    *,
    technology: Technology,
    clock: MachineClock | None,
    simulator: str | None,
    engine: Engine,
    waves: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> NetworkRun:
    """Run a compiled network, see `run_network`.

    Parameters
    ----------
    program : CompiledProgram
    inputs : ndarray of shape (images, channels, height, width), int64
        Values of the network's input.
    notes : ModelNotes
        Of the network and of these.
    technology : Technology
        Of the array.
    clock : MachineClock or None
    simulator : str or None
        One that can be used here; None leaves the RTL out.
    engine : Engine
        Simulates the images; a share of them in each of its processes.
    waves, faults, tell, advance
        See `run_network`.

    Raises
    ------
    BenchFailure
        See `run_network`.
    """
    graph, machine, layers = program.graph, program.machine, compiled_layers(program)
    expected = run_graph(graph, inputs)
    steady, cold = predict(program, resident=True), predict(program, resident=False)
    # The first run is made again, if its kernels are in place then.
    repeated = any(layer.resident for layer in layers)
    shares = _shares(len(inputs), program.batch, engine.jobs, repeated=repeated)
    order = [numbers for share in shares for numbers in share]
    predictions = [cold if not at else steady for share in shares for at in range(len(share))]

    codes = (inputs - program.input.offset) // program.input.scale
    images = [[codes[at] for numbers in share for at in numbers] for share in shares]
    tell("functional machine")
    functional = [run for of_share in images for run in functional_outcomes(program, of_share, faults)]
    rtl = None
    if simulator is not None:
        tell(f"{simulator}: building the model of {machine.name}, unless it is there")
        all_cycles = sum(prediction.total.cycles for prediction in predictions)
        seconds = rtl_seconds(machine, all_cycles // len(shares))
        if simulator == "verilator" and seconds > _LONG:
            tell(f"then {duration_text(seconds)} of simulation")
        limit = max(run.counters.cycles for run in functional)
        tasks = [
            RtlTask(program=program, images=of_share, simulator=simulator, faults=faults, limit=limit)
            for of_share in images
        ]
        if engine.shares(len(tasks)):
            rtl = simulate_shared(
                tasks, engine, lambda done, of: advance(all_cycles * done // of, all_cycles)
            )
        else:
            rtl = simulate(tasks[0], waves=waves, tell=_progress(program, predictions, tell, advance))
    simulated = list(map(rtl_outcome, batches(rtl.images, program.batch))) if rtl else [None] * len(order)
    runs = [
        ComparedRun(
            prediction=prediction,
            functional=by_functional,
            rtl=by_rtl,
            expected=tuple(values[numbers] for values in expected),
            images=0 if repeated and prediction is cold else len(set(numbers)),
        )
        for prediction, by_functional, by_rtl, numbers in zip(
            predictions, functional, simulated, order, strict=True
        )
    ]
    told = runs[int(repeated)]
    compared = tuple(
        compare_layer(number, layer, runs, told=told, faulty=faults is not None)
        for number, layer in enumerate(layers)
    )
    outputs = graph.decode_outputs([layer.outputs for layer in compared])
    counters, counters_cold = told.counters, runs[0].counters
    whole, without_first = efficiencies(layers, counters.measured.cycles, compared[0].cycles)
    return NetworkRun(
        network=graph.name,
        model=notes,
        machine=machine,
        simulator=simulator,
        mismatches=sum(layer.mismatches for layer in compared) + mismatches_outside(runs),
        outputs=outputs[0],
        further_outputs=tuple(
            NamedOutput(output=output.name, values=values)
            for output, values in zip(graph.outputs[1:], outputs[1:], strict=True)
        ),
        efficiency=RunEfficiency(
            steady=whole,
            cold=efficiency(layers, counters_cold.measured.cycles),
            without_first=without_first,
        ),
        utilization=utilization(machine, counters.measured),
        counters=counters,
        counters_cold=counters_cold,
        layers=compared,
        cached=rtl.cached if rtl else False,
        build_seconds=rtl.build_seconds if rtl else 0.0,
        run_seconds=rtl.run_seconds if rtl else 0.0,
        waves=rtl.waves if rtl else None,
        clock=clock,
        energy=run_energy(program, counters.measured, technology, clock) if clock else None,
        batch=program.batch,
        drawn=run_drawing(f"{graph.name}: values of every layer", codes[0], compared),
    )


def _shares(images: int, batch: int, jobs: int, *, repeated: bool) -> list[list[list[int]]]:
    """Numbers of the images that each run takes, of each accelerator; a last run is filled up with its last image."""
    last = images - 1
    runs = [[min(at, last) for at in range(begin, begin + batch)] for begin in range(0, images, batch)]
    parts = min(jobs, len(runs))
    ends = [len(runs) * part // parts for part in range(parts + 1)]
    return [[runs[begin]] * repeated + runs[begin:end] for begin, end in pairwise(ends)]


def _progress(
    program: Program,
    predictions: Sequence[Prediction],
    tell: Callable[[str], None],
    advance: Callable[[int, int], None],
) -> Callable[[int], None]:
    """What takes the number of the descriptor at work, of one run after the other, and tells of layer and cycles."""
    names = {n: layer.name for layer in program.layers for n in layer.descriptors}
    all_cycles = sum(prediction.total.cycles for prediction in predictions)
    run, last, told = 0, 0, ""

    def at(descriptor: int) -> None:
        nonlocal run, last, told
        # A number that falls belongs to the next run.
        run = min(run + (descriptor < last), len(predictions) - 1)
        last = descriptor
        done = sum(prediction.total.cycles for prediction in predictions[:run])
        done += sum(counters.cycles for counters in predictions[run].passes[:descriptor])
        if descriptor in names and told != (
            line := f"run {run + 1} of {len(predictions)}: layer {names[descriptor]}"
        ):
            told = line
            tell(line)
        advance(done, all_cycles)

    return at
