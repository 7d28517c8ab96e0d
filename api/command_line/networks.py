"""Commands about networks: compile, estimate, run, trace, compare."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import spinplane
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.files import write_whole
from spinplane.models import SEED, drawn_seed

from .answer import Answer, technology_of
from .options import (
    AS_FILE,
    REPORT,
    ArrayTechnology,
    Check,
    Clock,
    FoldPools,
    InputFile,
    InputOptions,
    MachineName,
    ModelName,
    OutputFile,
    OutputFolder,
    ReportOptions,
    RtlSimulator,
)
from .speech import telling, working


def compile(
    model: ModelName,
    *,
    machine: MachineName = "paper8",
    technology: ArrayTechnology = None,
    clock: Clock = None,
    fold_pools: FoldPools = False,
    explain: Annotated[bool, Parameter(negative=())] = False,
    check: Check = True,
    output: Annotated[OutputFile, Parameter(alias="-o")] = None,
    picture: OutputFile = None,
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
        Draw the rows that each layer occupies to this PNG; by default beside the program or the report.
    """
    if files.html and not output and not picture:
        picture = files.html.with_name(f"{files.html.name}.png")
    with working("compiling"):
        result = spinplane.compile_model(
            given.of(model),
            machine=machine,
            technology=technology,
            clock=clock,
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
    machine: MachineName = "paper8",
    technology: Annotated[
        str,
        Parameter(
            help="Technologies of the array, side by side, with commas between them: shipped ones (sot-mram, stt-mram, "
            "stt-aggressive), or TOML files; or other hardware: sram, rram-crossbar, rram-binary."
        ),
    ] = "sot-mram",
    clock: Clock = None,
    layers: Annotated[bool, Parameter(negative=())] = False,
    clock_gating: Literal["none", "cells"] = "none",
    baselines: Annotated[bool, Parameter(negative=())] = False,
    fold_pools: FoldPools = False,
    check: Check = True,
    csv: OutputFile = None,
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
    csv
        Write all figures to this file, one a line, in J, s and m².
    """
    with working("estimating"):
        result = spinplane.estimate(
            given.of(model),
            machine=machine,
            technologies=technology.split(","),
            clock=clock,
            fold_pools=fold_pools,
            check=check,
            by_layer=layers,
            clock_gating=clock_gating,
            baselines=baselines,
        )
    if csv is not None:
        write_whole(csv, result.csv().encode())
    return Answer(result=result, files=files, seed=drawn_seed(model))


def run(
    model: ModelName,
    *,
    input: InputFile,
    machine: MachineName = "paper8",
    technology: ArrayTechnology = None,
    clock: Clock = None,
    fold_pools: FoldPools = False,
    check: Check = True,
    simulator: RtlSimulator = None,
    waves: OutputFolder = None,
    faults: Path | None = None,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Run a whole network on the RTL of the accelerator, and check every layer bit by bit.

    The host writes the program and the image over the bus, and reads the result. Between the start register and the
    interrupt the accelerator runs alone.

    Parameters
    ----------
    waves
        Folder for a waveform.
    faults
        A fault map (.npz of `FaultMap.save`): stuck cells, drifted references and varying cells of the memory.
    """
    values = spinplane.load_array(input)
    with telling() as (tell, advance):
        result = spinplane.run_network(
            given.of(model),
            values,
            machine=machine,
            technology=technology,
            clock=clock,
            fold_pools=fold_pools,
            check=check,
            simulator=simulator,
            waves=waves,
            faults=FaultMap.load(faults) if faults else None,
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
    machine: MachineName = "paper8",
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
    parts = output.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts):
        raise SpinplaneError(f"output {output!r}: expected k,y,x, such as 3,0,0")
    k, y, x = map(int, parts)
    values = spinplane.load_array(input)
    with working("tracing"):
        result = spinplane.trace(
            given.of(model),
            values,
            output=(k, y, x),
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
    samples: int = 16,
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
    values = spinplane.load_array(input) if input else None
    with working("comparing"):
        result = spinplane.compare(given.of(model), values, samples=samples)
    return Answer(result=result, files=files, seed=None if input else SEED)
