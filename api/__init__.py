"""spinplane: quantized convolutions inside SOT-MRAM, from the bit-plane equation to RTL, Verilog and area.

Each command of ``spinplane`` is one function here that returns a dataclass.
"""

from importlib.metadata import version
from pathlib import Path

from spinplane.hdl.export import Export
from spinplane.hdl.export import export as _export
from spinplane.machine import Machine, SpinplaneError, load_machine
from spinplane.physical import AreaReport, synthesize
from spinplane.training.launch import launch as train

from .demonstration import Demo, demo
from .explanation import Explanation, explain

__version__ = version("spinplane")

__all__ = [
    "AreaReport",
    "Demo",
    "Explanation",
    "Export",
    "Machine",
    "SpinplaneError",
    "demo",
    "explain",
    "export",
    "load_machine",
    "synth",
    "train",
]


def export(machine: Machine | str | Path, folder: Path) -> Export:
    """Write a machine's Verilog and what belongs to it, see `spinplane.hdl.export.export`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    folder : Path
    """
    return _export(load_machine(machine), folder)


def synth(
    machine: Machine | str | Path, *, liberty: Path | None = None, fpga: str | None = None
) -> AreaReport:
    """Map a machine's logic to cells, see `spinplane.physical.synthesize`.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    liberty : Path, optional
    fpga : {"xc7", "ecp5", "ice40"}, optional
    """
    return synthesize(load_machine(machine), liberty=liberty, fpga=fpga)
