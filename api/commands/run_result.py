"""The result of running a network on the RTL, layer by layer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.evaluation import Interval
from spinplane.machine import AcceleratorCounters, Machine, MachineClock

from ..report.layer_figures import LayerFigures
from ..report.model_notes import ModelNotes
from ..report.report import UNWRITTEN, Report
from .clock import clock_line, time_us
from .estimate_result import energy_line


@dataclass(frozen=True, kw_only=True)
class LayerRun(LayerFigures):
    """One layer of a run.

    Parameters
    ----------
    compared : bool
        Whether its values could be; if not, a later layer has written over them, and its counters alone were.
    mismatches : int
        Values and counters in which RTL and functional machine differ, counters in which RTL and prediction do,
        and, without faults, values that differ from the oracle's.
    wrong : int
        Values that differ from the oracle's.
    cycles : int
    efficiency : float
        Array efficiency: M · N · MAC ÷ (cycles × sub-arrays × columns).
    utilization : float
        Share of the cycles of all sub-arrays in which two rows are sensed.
    counters : AcceleratorCounters
        Of the RTL in the steady run of the first image, as the three above.
    outputs : ndarray of shape (images, channels, height, width), int64, or None
        Values that left the layer on the RTL; None if they were not compared, or the run was read from a file.
    """

    compared: bool
    mismatches: int
    wrong: int
    cycles: int
    efficiency: float
    utilization: float
    counters: AcceleratorCounters
    outputs: np.ndarray | None = field(default=None, repr=False, compare=False, metadata=UNWRITTEN)


@dataclass(frozen=True, kw_only=True)
class RunCounters:
    """Counters of one run, from the start register to the interrupt.

    Parameters
    ----------
    rtl, functional, predicted : AcceleratorCounters
    """

    rtl: AcceleratorCounters
    functional: AcceleratorCounters
    predicted: AcceleratorCounters


@dataclass(frozen=True, kw_only=True)
class RunEfficiency:
    """Array efficiency of the steady and of the cold run, and of the steady one without the first layer.

    Parameters
    ----------
    steady, cold : float
    without_first : float or None
        None if there is no other layer.
    """

    steady: float
    cold: float
    without_first: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedOutput:
    """An output of a network that has several.

    Parameters
    ----------
    output : str
        The name that the model gives it.
    values : ndarray of float64
        In the network's own units, of its own shape; a batch of images in front.
    """

    output: str
    values: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkRun(Report):
    """A network that ran on the RTL.

    Parameters
    ----------
    network : str
    model : ModelNotes
    machine : Machine
    simulator : str
    mismatches : int
        Of all layers, and counters of whole runs that differ.
    outputs : ndarray of float64
        The network's first output in its own units, of its own shape; a batch of images in front.
    efficiency : RunEfficiency
    utilization : float
        Of the steady run, see `LayerRun`.
    counters, counters_cold : RunCounters
        Of the first image: kernels that stay are in the array, or are loaded in the run.
    layers : tuple of LayerRun
    cached : bool
        Whether the model of the machine was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
    further_outputs : tuple of NamedOutput
        Of a network with several.
    clock : MachineClock or None
        None where nothing is said of the technology, and the default one cannot be the machine's.
    energy : Interval or None
        Of the steady run, from the RTL's counters, in J, see `spinplane.estimate`; None without a clock.
    """

    derived: ClassVar[tuple[str, ...]] = ("wrong", "classes", "cycles", "cycles_cold", "time_us")

    network: str
    model: ModelNotes
    machine: Machine
    simulator: str
    mismatches: int
    outputs: np.ndarray
    efficiency: RunEfficiency
    utilization: float
    counters: RunCounters
    counters_cold: RunCounters
    layers: tuple[LayerRun, ...]
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None
    further_outputs: tuple[NamedOutput, ...] = ()
    clock: MachineClock | None = None
    energy: Interval | None = None

    @property
    def classes(self) -> list[int]:
        """Index of the greatest number of each image's first output."""
        return [int(image.argmax()) for image in self.outputs.reshape(len(self.outputs), -1)]

    @property
    def wrong(self) -> int:
        """Values of all layers that differ from the oracle's."""
        return sum(layer.wrong for layer in self.layers)

    @property
    def cycles(self) -> int:
        """Of the steady run."""
        return self.counters.rtl.cycles

    @property
    def cycles_cold(self) -> int:
        """Of the cold run."""
        return self.counters_cold.rtl.cycles

    @property
    def time_us(self) -> float | None:
        """Of the steady run, in µs."""
        return time_us(self.clock, self.cycles)

    def tables(self) -> tuple[Table, ...]:
        """Each layer's cycles, events and mismatches."""
        table = Table(
            title=f"{self.network} on the RTL of {self.machine.name}",
            caption="a steady run of the first image (kernels in place); all: from the start register to the interrupt",
        )
        table.add_column("layer")
        for heading in (
            *("output", "W:I", "cycles", "array efficiency", "utilisation", "ANDs", "row writes"),
            "mismatches",
        ):
            table.add_column(heading, justify="right")
        for layer in self.layers:
            figures = _figures(layer.counters, layer.efficiency, layer.utilization, layer.mismatches)
            table.add_row(layer.layer, layer.size, layer.bits, *figures)
        table.add_section()
        whole = _figures(self.counters.rtl, self.efficiency.steady, self.utilization, self.mismatches)
        table.add_row("all", "", "", *whole)
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """Classes, efficiency, what was not compared, the simulator, files."""
        figures = self.efficiency
        without = figures.without_first
        lines = [
            f"greatest output  {', '.join(map(str, self.classes))}",
            *(
                f"further output   {one.output}, {'×'.join(map(str, one.values.shape[1:])) or '1'}: from "
                f"{one.values.min():g} to {one.values.max():g}"
                for one in self.further_outputs
            ),
            f"array efficiency {figures.steady:.1%} steady, {figures.cold:.1%} in the first run of "
            f"{self.cycles_cold:,} cycles, which loads the kernels"
            + (f"; {without:.1%} without the first layer" if without is not None else ""),
            clock_line(self.clock, steady=self.cycles, cold=self.cycles_cold),
            *([energy_line(self.energy)] if self.energy else []),
        ]
        if self.wrong and not self.mismatches:
            lines.append(f"wrong values     {self.wrong:,}, caused by the faults of the memory")
        hidden = [layer.layer for layer in self.layers if not layer.compared]
        if hidden:
            lines.append(f"overwritten by later layers, only their counters compared: {', '.join(hidden)}")
        built = "found compiled" if self.cached else f"built in {self.build_seconds:.0f} s"
        lines.append(f"{self.simulator}: {built}, ran for {self.run_seconds:.1f} s")
        lines += [word] if (word := slow_word(self.simulator)) else []
        lines += [f"waveform         {self.waves}"] if self.waves else []
        return (*lines, *self.model.lines())


#: How many times slower than Verilator a simulator is, see docs/performance.md.
_TIMES_SLOWER = {"icarus": "hundreds", "amaranth": "thousands"}


def slow_word(simulator: str) -> str:
    """What is to be said of a slow simulator; empty for a fast one."""
    times = _TIMES_SLOWER.get(simulator)
    return f"{simulator} is used, {times} of times slower than verilator in long runs" if times else ""


def _figures(counters: AcceleratorCounters, efficient: float, utilized: float, mismatches: int) -> list[str]:
    return [
        f"{counters.cycles:,}",
        f"{efficient:.1%}",
        f"{utilized:.1%}",
        f"{counters.ands:,}",
        f"{counters.row_writes:,}",
        f"{mismatches:,}",
    ]
