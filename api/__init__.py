"""spinplane: quantized convolutions inside SOT-MRAM, from the bit-plane equation to RTL, Verilog and area.

Each command of ``spinplane`` is one function here that returns a dataclass.
"""

from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from spinplane.machine import Machine, SpinplaneError, load_machine

if TYPE_CHECKING:
    from spinplane.hdl.export import Export
    from spinplane.physical import AreaReport
    from spinplane.sim import BenchFailure

    from .classification import Classification, classify
    from .compilation import Compilation, compile_model
    from .demonstration import Demo, demo
    from .device_report import DeviceReport, report_device
    from .explanation import Explanation, explain
    from .fault_study import AccuracyReport, accuracy
    from .in_memory import (
        InMemoryRun,
        RowCommand,
        and_rows,
        compute_in_memory,
        or_rows,
        read_rows,
        write_rows,
    )
    from .models import load_array, open_model
    from .network_run import NetworkRun
    from .report.page import write_page
    from .report.provenance import Provenance
    from .report.results import read_provenance, read_result, write_result
    from .running import run_network
    from .traced import Trace
    from .tracing import trace
    from .training_run import train

__version__ = version("spinplane")

__all__ = [
    "AccuracyReport",
    "AreaReport",
    "BenchFailure",
    "Classification",
    "Compilation",
    "Demo",
    "DeviceReport",
    "Explanation",
    "Export",
    "InMemoryRun",
    "Machine",
    "NetworkRun",
    "Provenance",
    "RowCommand",
    "SpinplaneError",
    "Trace",
    "accuracy",
    "and_rows",
    "classify",
    "compile_model",
    "compute_in_memory",
    "demo",
    "explain",
    "export",
    "load_array",
    "load_machine",
    "open_model",
    "or_rows",
    "read_provenance",
    "read_result",
    "read_rows",
    "report_device",
    "run_network",
    "synth",
    "trace",
    "train",
    "write_page",
    "write_result",
    "write_rows",
]

# Imported when they are asked for: drawing, simulators and Amaranth take a second, which `--help` need not wait.
_LATE = {
    "AccuracyReport": "spinplane.fault_study.AccuracyReport",
    "AreaReport": "spinplane.physical.AreaReport",
    "BenchFailure": "spinplane.sim.BenchFailure",
    "Classification": "spinplane.classification.Classification",
    "Compilation": "spinplane.compilation.Compilation",
    "Demo": "spinplane.demonstration.Demo",
    "Explanation": "spinplane.explanation.Explanation",
    "DeviceReport": "spinplane.device_report.DeviceReport",
    "Export": "spinplane.hdl.export.Export",
    "InMemoryRun": "spinplane.in_memory.InMemoryRun",
    "NetworkRun": "spinplane.network_run.NetworkRun",
    "Provenance": "spinplane.report.provenance.Provenance",
    "RowCommand": "spinplane.in_memory.RowCommand",
    "StudyResult": "spinplane.training.study.StudyResult",
    "Trace": "spinplane.traced.Trace",
    "TrainingResult": "spinplane.training.train.TrainingResult",
    "accuracy": "spinplane.fault_study.accuracy",
    "and_rows": "spinplane.in_memory.and_rows",
    "classify": "spinplane.classification.classify",
    "compile_model": "spinplane.compilation.compile_model",
    "compute_in_memory": "spinplane.in_memory.compute_in_memory",
    "demo": "spinplane.demonstration.demo",
    "explain": "spinplane.explanation.explain",
    "load_array": "spinplane.models.load_array",
    "open_model": "spinplane.models.open_model",
    "or_rows": "spinplane.in_memory.or_rows",
    "read_provenance": "spinplane.report.results.read_provenance",
    "read_result": "spinplane.report.results.read_result",
    "read_rows": "spinplane.in_memory.read_rows",
    "report_device": "spinplane.device_report.report_device",
    "run_network": "spinplane.running.run_network",
    "trace": "spinplane.tracing.trace",
    "train": "spinplane.training_run.train",
    "write_page": "spinplane.report.page.write_page",
    "write_result": "spinplane.report.results.write_result",
    "write_rows": "spinplane.in_memory.write_rows",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, _, attribute = _LATE[name].rpartition(".")
        return getattr(import_module(module), attribute)


def export(machine: Machine | str | Path, folder: Path) -> "Export":
    """Write a machine's accelerator with a bench that runs a network on it, see `spinplane.hdl.export.export`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    folder : Path
    """
    from .machine_export import export_machine

    return export_machine(load_machine(machine), folder)


def synth(
    machine: Machine | str | Path, *, liberty: Path | None = None, fpga: str | None = None
) -> "AreaReport":
    """Map a machine's logic to cells, see `spinplane.physical.synthesize`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    liberty : Path, optional
    fpga : {"xc7", "ecp5", "ice40"}, optional
    """
    from spinplane.physical import synthesize

    return synthesize(load_machine(machine), liberty=liberty, fpga=fpga)
