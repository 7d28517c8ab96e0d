"""Commands about networks: compile, estimate, run, trace, compare."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import spinplane
from spinplane.defaults import ACCELERATORS, CLOCK_GATING, NETWORK_MACHINE, SAMPLES, SEED, TECHNOLOGY
from spinplane.machine import load_machine
from spinplane.models import drawn_seed

from .answer import Answer, technology_of
from .options import (
    AS_FILE,
    REPORT,
    ArrayTechnology,
    Batch,
    Check,
    Clock,
    Dask,
    FoldPools,
    InputFile,
    InputOptions,
    MachineName,
    ModelName,
    OutputFile,
    OutputFolder,
    PictureFile,
    ReportOptions,
    Rtl,
    RtlSimulator,
)
from .speech import telling, working


def compile(
    model: ModelName,
    *,
    machine: MachineName = NETWORK_MACHINE,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    batch: Batch = 1,
    fold_pools: FoldPools = False,
    explain: Annotated[bool, Parameter(negative=())] = False,
    check: Check = True,
    output: Annotated[OutputFile, Parameter(alias="-o")] = None,
    picture: PictureFile = None,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Compile a network for a machine, and report the placement, cycles and events of each layer.

    Parameters
    ----------
    explain
        Tell how each layer's sums become codes: roundings, methods by channel, near-ties, widths.
    output
        Write the program to this file; by default it is only described.
    picture
        Draw the rows that each layer occupies to this .png, .svg or .pdf; by default to a PNG beside the program.
    """
    with working("compiling"):
        result = spinplane.compile_model(
            given.of(model),
            machine=machine,
            technology=technology,
            clock=clock,
            batch=batch,
            fold_pools=fold_pools,
            explain=explain,
            check=check,
            output=output,
            picture=picture,
        )
    return Answer(
        result=result, files=files, technology=technology_of(result, technology), seed=drawn_seed(model)
    )


def estimate(
    model: ModelName,
    *,
    machine: MachineName = NETWORK_MACHINE,
    technology: Annotated[
        str,
        Parameter(
            help="Technologies of the array, side by side, with commas between them: shipped ones (sot-mram, stt-mram, "
            "stt-aggressive), or TOML files; or other hardware: sram, rram-crossbar, rram-binary."
        ),
    ] = TECHNOLOGY,
    clock: Clock = None,
    layers: Annotated[bool, Parameter(negative=())] = False,
    clock_gating: Literal["none", "cells"] = CLOCK_GATING,
    baselines: Annotated[bool, Parameter(negative=())] = False,
    batch: Batch = 1,
    fold_pools: FoldPools = False,
    check: Check = True,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Tell what an image costs: energy by category, time, area, operations for a joule, storage, currents, lifetime.

    Parameters
    ----------
    layers
        Show each layer's energy by category.
    clock_gating
        With cells, flip-flops of idle units have no clock, as often as follows from the passes.
    baselines
        Add a digital array of multipliers, a processor that fetches its operands, and published figures.
    """
    with working("estimating"):
        result = spinplane.estimate(
            given.of(model),
            machine=machine,
            technologies=technology.split(","),
            clock=clock,
            batch=batch,
            fold_pools=fold_pools,
            check=check,
            by_layer=layers,
            clock_gating=clock_gating,
            baselines=baselines,
        )
    return Answer(result=result, files=files, seed=drawn_seed(model))


def run(
    model: ModelName,
    *,
    input: InputFile,
    machine: MachineName = NETWORK_MACHINE,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    batch: Batch = 1,
    fold_pools: FoldPools = False,
    check: Check = True,
    rtl: Rtl = True,
    simulator: RtlSimulator = None,
    waves: OutputFolder = None,
    faults: Path | None = None,
    jobs: int = ACCELERATORS,
    dask: Dask = None,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Run a whole network on the RTL of the accelerator, and check every layer bit by bit.

    The host writes the program and the image over the bus, and reads the result. Between the start register and the
    interrupt the accelerator runs alone.

    Parameters
    ----------
    waves
        Folder for a waveform, waves.vcd, and its views: waves.gtkw for GTKWave, waves.sucl for Surfer.
    faults
        A fault map (.npz of `FaultMap.save`): stuck cells, drifted references and varying cells of the memory.
    jobs
        Accelerators among which many images are shared, each simulated in a process of one thread.
    """
    with telling() as (tell, advance):
        result = spinplane.run_network(
            given.of(model),
            input,
            machine=machine,
            technology=technology,
            clock=clock,
            batch=batch,
            fold_pools=fold_pools,
            check=check,
            rtl=rtl,
            simulator=simulator,
            waves=waves,
            faults=faults,
            jobs=jobs,
            dask=dask,
            tell=tell,
            advance=advance,
        )
    return Answer(
        result=result, files=files, technology=technology_of(result, technology), seed=drawn_seed(model)
    )


def trace(
    model: ModelName,
    *,
    input: InputFile,
    output: str,
    layer: str | None = None,
    machine: MachineName = NETWORK_MACHINE,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    fold_pools: FoldPools = False,
    check: Check = True,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Follow one value of a network back into the memory: window, rows, AND, counts, sums, code and cycles.

    The first image of a batch is traced.

    Parameters
    ----------
    output
        Kernel, line and column of the value: k,y,x.
    layer
        The layer that outputs the value; by default the last one.
    """
    with working("tracing"):
        result = spinplane.trace(
            given.of(model),
            input,
            output=output,
            layer=layer,
            machine=machine,
            technology=technology,
            clock=clock,
            fold_pools=fold_pools,
            check=check,
        )
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=technology_of(result, technology),
        seed=drawn_seed(model),
    )


def compare(
    model: ModelName,
    *,
    input: Annotated[Path | None, Parameter(name="--input")] = None,
    samples: int = SAMPLES,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Compare an imported network with its file's own executor, node by node, each on the executor's inputs.

    Ends with 0 if all values are equal or near-ties, 1 if others differ, 2 for a wrong request.

    Parameters
    ----------
    input
        The network's input as a .npy file, one image or a batch; by default random images.
    samples
        How many of these.
    """
    with working("comparing"):
        result = spinplane.compare(given.of(model), input, samples=samples)
    return Answer(result=result, files=files, seed=None if input else SEED)
