"""Commands about the hardware: a first demonstration, a machine's Verilog and its area."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter, validators

import spinplane
from spinplane.defaults import (
    ADDERS,
    CLOCK_GATING,
    DEMO_FOLDER,
    DIGIT,
    EXCHANGE_BITS,
    EXCHANGE_FOLDER,
    NETWORK_MACHINE,
    TECHNOLOGY,
)
from spinplane.machine import SpinplaneError, load_machine

from .answer import Answer, technology_of, used_technology
from .options import (
    FILE,
    MACHINE,
    REPORT,
    ArrayTechnology,
    Clock,
    FileOptions,
    MachineName,
    PictureFormat,
    ReportOptions,
    ResultFolder,
    Switch,
    TechnologyName,
    folder_for,
)
from .speech import telling


def demo(
    *,
    digit: int = DIGIT,
    machine: Annotated[str | None, MACHINE] = None,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    simulator: Literal["verilator", "icarus", "amaranth"] | None = None,
    output: ResultFolder = DEMO_FOLDER,
    conv: Switch = False,
    explain: Switch = False,
    format: PictureFormat = "png",
    files: ReportOptions = REPORT,
) -> Answer:
    """Classify a handwritten digit with a network at 1:4 bits (W:I) inside the memory, and check every bit.

    Parameters
    ----------
    digit
        The digit, 0 to 9.
    simulator
        Simulator of the RTL; by default the fastest of those installed.
    output
        Folder for the picture, the Verilog and the waveform.
    conv
        Convolve the digit with eight kernels instead, at 1:1, 2:2 and 3:4 bits. Amaranth's simulator, for who
        has no other, supports only this.
    explain
        Walk through one output of the paper's Fig. 6 instead: rows, AND, count, shift, sum.
    """
    if explain:
        explained = spinplane.explain(technology=technology, clock=clock, simulator=simulator)
        return Answer(
            result=explained,
            files=files,
            machine=load_machine("tiny"),
            technology=technology_of(explained, technology),
        )
    conv = conv or simulator == "amaranth"
    result: spinplane.Demo | spinplane.Classification
    with telling() as (tell, advance):
        if conv:
            result = spinplane.demo(
                digit=digit,
                machine=machine,
                technology=technology,
                clock=clock,
                simulator=simulator,
                folder=folder_for(output),
                format=format,
                tell=tell,
            )
        else:
            result = spinplane.classify(
                digit=digit,
                machine=machine or NETWORK_MACHINE,
                technology=technology,
                clock=clock,
                simulator=simulator,
                folder=folder_for(output),
                format=format,
                tell=tell,
                advance=advance,
            )
    return Answer(result=result, files=files, technology=technology_of(result, technology))


def export(
    *,
    machine: MachineName,
    output: ResultFolder,
    technology: ArrayTechnology = None,
    clock: Clock = None,
    asynchronous_reset: Switch = False,
    clock_gating: Literal["none", "enables", "cells"] = CLOCK_GATING,
    files: FileOptions = FILE,
) -> Answer:
    """Export a machine's accelerator: Verilog, file lists, C header, register map, datasheet, FuseSoC core and a bench.

    Parameters
    ----------
    output
        Folder to write to.
    asynchronous_reset
        Assert the reset without a clock, and release it by two flip-flops.
    clock_gating
        Stop the flip-flops of idle units: by an enable of each, as FPGAs have, or by a clock-gate cell a unit.
    """
    result = spinplane.export(
        machine,
        output,
        technology=technology,
        clock=clock,
        asynchronous_reset=asynchronous_reset,
        clock_gating=clock_gating,
    )
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=technology_of(result, technology),
    )


def exchange(
    *,
    machine: MachineName = NETWORK_MACHINE,
    technology: TechnologyName = TECHNOLOGY,
    bits: str = EXCHANGE_BITS,
    clock: Clock = None,
    tool: Annotated[list[Literal["zigzag", "accelforge", "nvsim"]] | None, Parameter(negative=())] = None,
    output: ResultFolder = EXCHANGE_FOLDER,
    files: ReportOptions = REPORT,
) -> Answer:
    """Write a machine for other tools that model hardware: ZigZag and AccelForge (YAML), and its cell for NVSim.

    Parameters
    ----------
    bits
        W:I of the layers that will be set on it.
    tool
        Write for this tool; repeat it for further ones. By default for all.
    output
        Folder to write to.
    """
    result = spinplane.exchange(
        machine,
        folder_for(output),
        technology=technology,
        bits=bits,
        clock=clock,
        **({"tools": tool} if tool else {}),
    )
    return Answer(result=result, files=files, technology=used_technology(technology))


def synth(
    *,
    machine: MachineName,
    liberty: Path | None = None,
    fpga: Literal["xc7", "ecp5", "ice40"] | None = None,
    adders: Literal["ripple", "fast"] = ADDERS,
    period_ns: float | None = None,
    timing: bool | None = None,
    clock_gating: Literal["none", "enables", "cells"] = CLOCK_GATING,
    technology: ArrayTechnology = None,
    check: Switch = False,
    files: ReportOptions = REPORT,
) -> Answer:
    """Map a machine's logic with Yosys: the resources of each block, arrays, banks, worst paths and the clock's limits.

    Parameters
    ----------
    liberty
        Cell library; by default the package's 45 nm cells.
    fpga
        Count the look-up tables of an FPGA family instead.
    adders
        Carries that ripple, the smallest, or prefix adders and Booth's multipliers.
    period_ns
        Map for this clock period, with buffers, in place of the smallest area.
    timing
        Tell worst paths, by OpenSTA where it is installed, else by ABC; by default if the library has timing.
    clock_gating
        Stop the flip-flops of idle units: by an enable of each, or by a clock-gate cell a unit, then without paths.
    check
        Compare each unit's gates with its RTL, and run its bench on them, instead of listing resources.
    """
    if check:
        if fpga is not None or period_ns is not None or timing or technology is not None:
            raise SpinplaneError(
                "--check takes a library and adders: no FPGA family, period, timing or technology"
            )
        if clock_gating != "none":
            raise SpinplaneError("--check takes no clock gating: its proofs are in docs/proofs.md")
        with telling() as (tell, advance):
            gates = spinplane.check_gates(machine, liberty=liberty, adders=adders, tell=tell, advance=advance)
        return Answer(result=gates, files=files, machine=load_machine(machine))
    result = spinplane.synth(
        machine,
        liberty=liberty,
        fpga=fpga,
        adders=adders,
        period_ns=period_ns,
        timing=timing,
        clock_gating=clock_gating,
        technology=technology,
    )
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=None if fpga else used_technology(technology),
    )


def cache(
    *,
    clear: Switch = False,
    limit: Annotated[int | None, Parameter(validator=validators.Number(gte=0))] = None,
    files: FileOptions = FILE,
) -> Answer:
    """Show where compiled models and other intermediate results are kept, and how much room they take.

    Parameters
    ----------
    clear
        Remove all that no running process uses.
    limit
        Size in MB that the cache may have from now on; what was used longest ago is removed first.
    """
    return Answer(result=spinplane.tidy_cache(clear=clear, limit_mb=limit), files=files)


def doctor(*, files: ReportOptions = REPORT) -> Answer:
    """Tell what is installed of all that spinplane can use, and the commands that bring what is missing.

    Ends with 1 if `spinplane demo` cannot run.
    """
    return Answer(result=spinplane.doctor(), files=files)
