"""spinplane: quantized convolutions inside SOT-MRAM, from the bit-plane equation to RTL, Verilog and area.

Each sub-command of ``spinplane`` is one function here, which returns a dataclass. All functions take the same things,
and have the defaults of the commands:

- a path as text or as a ``Path``;
- a model as a path, a name (``"digits-1-4"``, ``"svhn:1:4"``), a ``Graph``, a `ModelFile` or an ``onnx.ModelProto``;
- a machine or a technology as a name, the path of a TOML file, or the object itself;
- an array of numbers as itself or as the path of a .npy file.

`catalogue` lists all that has a name. What cannot be is a `SpinplaneError` in one line, before any work is done.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from .defaults import ADDERS, CLOCK_GATING, PAPER_MACHINE, TECHNOLOGY

if TYPE_CHECKING:
    from spinplane.device import Technology
    from spinplane.evaluation import ChipArea, EnergyReport
    from spinplane.hdl.export.files import Export
    from spinplane.machine import Machine, SpinplaneError, load_machine
    from spinplane.physical import AreaReport, GateReport
    from spinplane.sim import BenchFailure

    from .arguments import load_array
    from .commands.accuracy import AccuracyReport, accuracy
    from .commands.cache import CacheReport, tidy_cache
    from .commands.catalogue import Catalogue, catalogue
    from .commands.compare import Comparison, compare
    from .commands.compile import Compilation, compile_model
    from .commands.demo import Classification, classify
    from .commands.demo_convolution import Demo, demo
    from .commands.device import DeviceReport, report_device
    from .commands.device_sweep import DeviceSweep, sweep_device
    from .commands.doctor import DoctorReport, doctor
    from .commands.estimate import estimate
    from .commands.estimate_result import Estimate
    from .commands.exchange import Exchange, exchange
    from .commands.explain import Explanation, explain
    from .commands.in_memory import (
        InMemoryRun,
        RowCommand,
        and_rows,
        compute_in_memory,
        or_rows,
        read_rows,
        write_rows,
        xor_rows,
    )
    from .commands.network_report import NetworkReport
    from .commands.report_network import report_network
    from .commands.run import run_network
    from .commands.run_result import NetworkRun
    from .commands.trace import trace
    from .commands.trace_result import Trace
    from .commands.train import train
    from .exploration.sweep import sweep
    from .exploration.sweep_report import SweepReport
    from .models import ModelFile, open_model
    from .report.page import write_page
    from .report.provenance import Provenance
    from .report.results import read_provenance, read_result, write_result
    from .reproduction.paper import paper
    from .reproduction.paper_report import PaperReport
    from .training.study import StudyResult
    from .training.train import TrainingResult

__version__ = version("spinplane")

__all__ = [
    "AccuracyReport",
    "AreaReport",
    "BenchFailure",
    "CacheReport",
    "Catalogue",
    "ChipArea",
    "Classification",
    "Comparison",
    "Compilation",
    "Demo",
    "DeviceReport",
    "DeviceSweep",
    "DoctorReport",
    "EnergyReport",
    "Estimate",
    "Exchange",
    "Explanation",
    "Export",
    "InMemoryRun",
    "Machine",
    "ModelFile",
    "NetworkReport",
    "NetworkRun",
    "PaperReport",
    "Provenance",
    "RowCommand",
    "SpinplaneError",
    "StudyResult",
    "SweepReport",
    "Trace",
    "TrainingResult",
    "accuracy",
    "and_rows",
    "catalogue",
    "check_gates",
    "classify",
    "compare",
    "compile_model",
    "compute_in_memory",
    "demo",
    "doctor",
    "estimate",
    "event_energies",
    "exchange",
    "explain",
    "export",
    "load_array",
    "load_machine",
    "open_model",
    "or_rows",
    "paper",
    "read_provenance",
    "read_result",
    "read_rows",
    "report_device",
    "report_network",
    "run_network",
    "sweep",
    "sweep_device",
    "synth",
    "tidy_cache",
    "trace",
    "train",
    "write_page",
    "write_result",
    "write_rows",
    "xor_rows",
]

# Imported when they are asked for: drawing, simulators and Amaranth take a second, which `--help` need not wait; and
# nothing takes long before the command can answer an interrupt.
_LATE = {
    "AccuracyReport": "spinplane.commands.accuracy.AccuracyReport",
    "AreaReport": "spinplane.physical.AreaReport",
    "BenchFailure": "spinplane.sim.BenchFailure",
    "CacheReport": "spinplane.commands.cache.CacheReport",
    "Catalogue": "spinplane.commands.catalogue.Catalogue",
    "ChipArea": "spinplane.evaluation.ChipArea",
    "Classification": "spinplane.commands.demo.Classification",
    "Comparison": "spinplane.commands.compare.Comparison",
    "Compilation": "spinplane.commands.compile.Compilation",
    "Demo": "spinplane.commands.demo_convolution.Demo",
    "Estimate": "spinplane.commands.estimate_result.Estimate",
    "Exchange": "spinplane.commands.exchange.Exchange",
    "Explanation": "spinplane.commands.explain.Explanation",
    "DeviceReport": "spinplane.commands.device.DeviceReport",
    "DeviceSweep": "spinplane.commands.device_sweep.DeviceSweep",
    "DoctorReport": "spinplane.commands.doctor.DoctorReport",
    "EnergyReport": "spinplane.evaluation.EnergyReport",
    "Export": "spinplane.hdl.export.files.Export",
    "InMemoryRun": "spinplane.commands.in_memory.InMemoryRun",
    "Machine": "spinplane.machine.Machine",
    "ModelFile": "spinplane.models.ModelFile",
    "NetworkReport": "spinplane.commands.network_report.NetworkReport",
    "NetworkRun": "spinplane.commands.run_result.NetworkRun",
    "PaperReport": "spinplane.reproduction.paper_report.PaperReport",
    "Provenance": "spinplane.report.provenance.Provenance",
    "RowCommand": "spinplane.commands.in_memory.RowCommand",
    "SpinplaneError": "spinplane.machine.SpinplaneError",
    "StudyResult": "spinplane.training.study.StudyResult",
    "SweepReport": "spinplane.exploration.sweep_report.SweepReport",
    "Trace": "spinplane.commands.trace_result.Trace",
    "TrainingResult": "spinplane.training.train.TrainingResult",
    "accuracy": "spinplane.commands.accuracy.accuracy",
    "and_rows": "spinplane.commands.in_memory.and_rows",
    "catalogue": "spinplane.commands.catalogue.catalogue",
    "classify": "spinplane.commands.demo.classify",
    "compare": "spinplane.commands.compare.compare",
    "compile_model": "spinplane.commands.compile.compile_model",
    "compute_in_memory": "spinplane.commands.in_memory.compute_in_memory",
    "demo": "spinplane.commands.demo_convolution.demo",
    "doctor": "spinplane.commands.doctor.doctor",
    "estimate": "spinplane.commands.estimate.estimate",
    "exchange": "spinplane.commands.exchange.exchange",
    "explain": "spinplane.commands.explain.explain",
    "load_array": "spinplane.arguments.load_array",
    "load_machine": "spinplane.machine.load_machine",
    "open_model": "spinplane.models.open_model",
    "or_rows": "spinplane.commands.in_memory.or_rows",
    "paper": "spinplane.reproduction.paper.paper",
    "read_provenance": "spinplane.report.results.read_provenance",
    "read_result": "spinplane.report.results.read_result",
    "read_rows": "spinplane.commands.in_memory.read_rows",
    "report_device": "spinplane.commands.device.report_device",
    "report_network": "spinplane.commands.report_network.report_network",
    "run_network": "spinplane.commands.run.run_network",
    "sweep": "spinplane.exploration.sweep.sweep",
    "sweep_device": "spinplane.commands.device_sweep.sweep_device",
    "tidy_cache": "spinplane.commands.cache.tidy_cache",
    "trace": "spinplane.commands.trace.trace",
    "train": "spinplane.commands.train.train",
    "write_page": "spinplane.report.page.write_page",
    "write_result": "spinplane.report.results.write_result",
    "write_rows": "spinplane.commands.in_memory.write_rows",
    "xor_rows": "spinplane.commands.in_memory.xor_rows",
}

if not TYPE_CHECKING:

    def __dir__() -> list[str]:
        return __all__

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _LATE[name].rpartition(".")
        return getattr(import_module(module), attribute)


def export(
    machine: "Machine | str | Path",
    folder: str | Path,
    *,
    technology: "Technology | str | Path | None" = None,
    clock: str | None = None,
    asynchronous_reset: bool = False,
    clock_gating: str = CLOCK_GATING,
) -> "Export":
    """Write a machine's accelerator with a bench that runs a network on it, see `spinplane.hdl.export.files.export`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    folder : str or Path
    technology : Technology, str or Path, optional
        Of the array, see `spinplane.commands.clock.clock_of`.
    clock : str, optional
        Of datasheet and bench.
    asynchronous_reset : bool
    clock_gating : {"none", "enables", "cells"}
    """
    from spinplane.machine import load_machine
    from spinplane.machine.arguments import as_path

    from .commands.export import export_machine

    return export_machine(
        load_machine(machine),
        as_path("folder", folder),
        technology=technology,
        clock=clock,
        asynchronous_reset=asynchronous_reset,
        clock_gating=clock_gating,
    )


def synth(
    machine: "Machine | str | Path",
    *,
    liberty: str | Path | None = None,
    fpga: str | None = None,
    adders: str = ADDERS,
    period_ns: float | None = None,
    timing: bool | None = None,
    clock_gating: str = CLOCK_GATING,
    technology: "Technology | str | Path | None" = None,
) -> "ChipArea":
    """Map a machine's logic to cells, and add the areas of its arrays and banks.

    See `spinplane.physical.synthesize` and `spinplane.evaluation.chip_area`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    liberty : str or Path, optional
    fpga : {"xc7", "ecp5", "ice40"}, optional
    adders : {"ripple", "fast"}
    period_ns : float, optional
    timing : bool, optional
    clock_gating : {"none", "enables", "cells"}
    technology : Technology, str or Path, optional
        Of the array: its area, and its times in the worst paths; sot-mram if not given.
    """
    from spinplane.evaluation import chip_area, memory_times
    from spinplane.machine import load_machine
    from spinplane.machine.arguments import as_optional_path
    from spinplane.machine.external.cache_folder import default_build_root
    from spinplane.physical import synthesize

    from .commands.clock import chosen_technology

    root = default_build_root()
    machine, chosen = load_machine(machine), chosen_technology(technology)
    logic = synthesize(
        machine,
        liberty=as_optional_path("liberty", liberty),
        fpga=fpga,
        adders=adders,
        period_ns=period_ns,
        timing=timing,
        times=memory_times(machine, chosen),
        clock_gating=clock_gating,
        kept_in=root,
    )
    return chip_area(machine, chosen, logic, root)


def event_energies(
    machine: "Machine | str | Path" = PAPER_MACHINE,
    technology: "Technology | str | Path" = TECHNOLOGY,
    *,
    clock: str | None = None,
) -> "EnergyReport":
    """Energies of a machine's events, see `spinplane.evaluation.event_energies`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path
        See `spinplane.device.load_technology`.
    clock : str, optional
        See `spinplane.machine.clock_hz`; by default the fastest at which the machine's sense and write cycles hold.
    """
    from spinplane.device import load_technology
    from spinplane.evaluation import event_energies
    from spinplane.machine import clock_hz, load_machine

    hertz = None if clock is None else clock_hz(clock)
    return event_energies(load_machine(machine), load_technology(technology), clock_hz=hertz)


def check_gates(
    machine: "Machine | str | Path",
    *,
    liberty: str | Path | None = None,
    adders: str = ADDERS,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> "GateReport":
    """Compare a machine's netlists with its RTL, unit by unit, see `spinplane.physical.check_gates`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    liberty : str or Path, optional
    adders : {"ripple", "fast"}
    tell, advance : callable
        Are given a line for each unit, and the number of those done and of all.
    """
    from spinplane.machine import load_machine
    from spinplane.machine.arguments import as_optional_path
    from spinplane.physical import check_gates
    from spinplane.sim.benches.host.bus_cases import NetworkCase

    from .commands.export import bench_case

    machine, library = load_machine(machine), as_optional_path("liberty", liberty)
    case = bench_case(machine)
    return check_gates(
        machine,
        liberty=library,
        adders=adders,
        case=NetworkCase.of(case.program, case.codes),
        tell=tell,
        advance=advance,
    )
