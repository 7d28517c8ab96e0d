"""The result of running a network on the RTL, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.evaluation import Interval
from spinplane.machine import AcceleratorCounters, Machine, MachineClock
from spinplane.machine.drawing import Drawing
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import UNWRITTEN

from ..report.drawing import draw_network
from ..report.layer_figures import LayerFigures
from ..report.model_notes import ModelNotes
from ..report.report import Report
from .clock import batch_line, clock_line, images_per_s, time_us
from .estimate_result import energy_line

#: Columns of all sub-arrays times cycles that Verilator simulates in a second, see docs/performance.md.
_COLUMN_CYCLES_A_SECOND = 3e8


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
        Of the RTL, or without it of the functional machine, in the first steady run, as the three above.
    outputs : ndarray of shape (images, channels, height, width), int64, or None
        Values that left the layer there; None if they were not compared, or the run was read from a file.
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
    rtl : AcceleratorCounters or None
        None if the RTL was left out.
    functional, predicted : AcceleratorCounters
    """

    rtl: AcceleratorCounters | None
    functional: AcceleratorCounters
    predicted: AcceleratorCounters

    @property
    def measured(self) -> AcceleratorCounters:
        """The RTL's, or without it the functional machine's."""
        return self.rtl or self.functional


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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetworkRun(Report):
    """A network that ran on the RTL, or on the functional machine alone.

    Parameters
    ----------
    network : str
    model : ModelNotes
    machine : Machine
    simulator : str or None
        None if the RTL was left out.
    mismatches : int
        Of all layers, and counters of whole runs that differ.
    outputs : ndarray of float64
        The network's first output in its own units, of its own shape; a batch of images in front.
    efficiency : RunEfficiency
    utilization : float
        Of the steady run, see `LayerRun`.
    counters, counters_cold : RunCounters
        Of a run of the first images: kernels that stay are in the array, or are loaded in the run.
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
        Of an image of the steady run, from its counters, in J, see `spinplane.estimate`; None without a clock.
    batch : int
        Images that a run takes.
    """

    derived: ClassVar[tuple[str, ...]] = (
        *("wrong", "classes", "cycles", "cycles_cold", "time_us"),
        *("cycles_per_image", "images_per_s"),
    )

    network: str
    model: ModelNotes
    machine: Machine
    simulator: str | None
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
    batch: int = 1

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
        return self.counters.measured.cycles

    @property
    def cycles_cold(self) -> int:
        """Of the cold run."""
        return self.counters_cold.measured.cycles

    @property
    def time_us(self) -> float | None:
        """Of the steady run, in µs."""
        return time_us(self.clock, self.cycles)

    @property
    def rtl_seconds(self) -> float:
        """About how long Verilator takes for all runs."""
        return rtl_seconds(self.machine, self.cycles_cold + -(-len(self.outputs) // self.batch) * self.cycles)

    @property
    def failure(self) -> str:
        """Why the command that shows it fails; empty if it does not."""
        if self.simulator or not self.mismatches:
            return super().failure
        return f"{self.mismatches} mismatches between the functional machine and its reference"

    @property
    def cycles_per_image(self) -> float:
        """Of the steady run."""
        return self.cycles / self.batch

    @property
    def images_per_s(self) -> float | None:
        """Of steady runs without a pause; None without a clock."""
        return images_per_s(self.clock, self.cycles, self.batch)

    def tables(self) -> tuple[Table, ...]:
        """Each layer's cycles, events and mismatches."""
        table = Table(
            title=f"{self.network} on the {'RTL' if self.simulator else 'functional machine'} of {self.machine.name}",
            caption=f"a steady run of the first {'image' if self.batch == 1 else f'{self.batch} images'} (kernels in "
            "place); all: from the start register to the interrupt",
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
        whole = _figures(self.counters.measured, self.efficiency.steady, self.utilization, self.mismatches)
        table.add_row("all", "", "", *whole)
        return (table,)

    @property
    def main_figure(self) -> str:
        """Cycles and mismatches."""
        return f"{self.cycles:,} cycles, {self.mismatches:,} mismatches"

    def records(self) -> tuple[Record, ...]:
        """A record for each layer, in a steady run of the first image."""
        run = {"network": self.network, "machine": self.machine.name}
        return tuple(run | record_of(layer) for layer in self.layers)

    def notes(self) -> tuple[str, ...]:
        """Those of run and model."""
        return (*self.run_notes(), *self.model.lines())

    def run_notes(self) -> tuple[str, ...]:
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
            *([batch_line(self.batch, self.clock, steady=self.cycles)] if self.batch > 1 else []),
            *([energy_line(self.energy)] if self.energy else []),
        ]
        if self.wrong and not self.mismatches:
            lines.append(f"wrong values     {self.wrong:,}, caused by the faults of the memory")
        hidden = [layer.layer for layer in self.layers if not layer.compared]
        if hidden:
            lines.append(f"overwritten by later layers, only their counters compared: {', '.join(hidden)}")
        if self.simulator:
            built = "found compiled" if self.cached else f"built in {self.build_seconds:.0f} s"
            lines.append(f"{self.simulator}: {built}, ran for {self.run_seconds:.1f} s")
            lines += [word] if (word := slow_word(self.simulator)) else []
        else:
            lines.append(f"RTL left out: {duration_text(self.rtl_seconds)} of simulation on Verilator")
        if self.waves:
            name = self.waves.stem
            lines.append(f"waveform         {self.waves}")
            lines.append(
                f"its views        gtkwave {name}.vcd {name}.gtkw, surfer {name}.vcd --command-file {name}.sucl"
            )
        return tuple(lines)


def run_drawing(title: str, image: np.ndarray, layers: Sequence[LayerRun]) -> tuple[Drawing, ...]:
    """The picture of a run: the image beside the values of all layers that were compared, if there are any.

    Parameters
    ----------
    title : str
    image : ndarray of shape (channels, height, width)
    layers : sequence of LayerRun
    """
    seen = [layer for layer in layers if layer.outputs is not None]
    if not seen:
        return ()
    draw = partial(
        draw_network,
        title=title,
        image=image,
        layers=[layer.layer for layer in seen],
        values=[layer.outputs[0] for layer in seen if layer.outputs is not None],
    )
    return (Drawing(name="network", draw=draw),)


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


def rtl_seconds(machine: Machine, cycles: int) -> float:
    """About how long Verilator takes to simulate a machine for so many cycles."""
    return cycles * machine.sub_arrays * machine.columns / _COLUMN_CYCLES_A_SECOND


def duration_text(seconds: float) -> str:
    """A rough time in words."""
    if seconds < 90:
        return f"about {max(seconds, 1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.0f} h"
