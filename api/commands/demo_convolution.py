"""The first run: a handwritten digit is convolved inside the memory, and every bit of it is checked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.behavioral import convolve
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Graph, Layer
from spinplane.device.technology import Technology
from spinplane.hdl.export.files import export
from spinplane.machine import AcceleratorCounters, Machine, MachineClock, load_machine
from spinplane.machine.arguments import as_path
from spinplane.machine.drawing import Drawing, check_format
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import UNWRITTEN
from spinplane.sim import available_simulators

from ..defaults import DEMO_FOLDER, DIGIT, NETWORK_MACHINE
from ..report.drawing import draw_feature_maps
from ..report.report import Report
from ..samples import KERNELS, QUANTIZATIONS, Quantization, quantize_image, quantize_kernels, sample_digit
from .clock import clock_line, clock_of
from .run import run_network
from .run_result import NetworkRun
from .simulators import usable_simulator

_PADDING = 1
_WAVE_ROWS = 3


@dataclass(frozen=True, kw_only=True)
class DemoConfiguration:
    """One bit-width of the demonstration.

    Parameters
    ----------
    w, i : int
        Bits of the weights and of the inputs.
    coding : str
        Of the weights, in words.
    outputs : int
        How many there are.
    mismatches : int
        Those of the run, and sums of the RTL that differ from the bit-plane oracle of Eq. 3.
    efficiency : float
        Array efficiency, see `NetworkRun`.
    counters : AcceleratorCounters
        Read from the RTL, of the steady run.
    feature_maps : ndarray of shape (kernels, height, width), int64, or None
        From the RTL; None if the demonstration was read from a file, which has them in the picture.
    """

    derived: ClassVar[tuple[str, ...]] = ("cycles",)

    w: int
    i: int
    coding: str
    outputs: int
    mismatches: int
    efficiency: float
    counters: AcceleratorCounters
    feature_maps: np.ndarray | None = field(default=None, repr=False, compare=False, metadata=UNWRITTEN)

    @property
    def cycles(self) -> int:
        """Of the steady run."""
        return self.counters.cycles


@dataclass(frozen=True, kw_only=True, repr=False)
class Demo(Report):
    """Results of the demonstration.

    Parameters
    ----------
    digit : int
    machine : Machine
    simulator : str
    configurations : tuple of DemoConfiguration
    picture, verilog, waves : Path
        What it left behind.
    build_seconds, run_seconds : float
        Of the compilation of the model and of the simulation.
    cached : bool
        Whether the model was compiled already.
    clock : MachineClock or None
        None where nothing is said of the technology, and the default one cannot be the machine's.
    """

    derived: ClassVar[tuple[str, ...]] = ("mismatches",)

    digit: int
    machine: Machine
    simulator: str
    configurations: tuple[DemoConfiguration, ...]
    picture: Path
    verilog: Path
    waves: Path
    build_seconds: float
    run_seconds: float
    cached: bool
    clock: MachineClock | None = None

    @property
    def mismatches(self) -> int:
        """Of all configurations."""
        return sum(configuration.mismatches for configuration in self.configurations)

    def tables(self) -> tuple[Table, ...]:
        """Cycles and events of each configuration."""
        table = Table(
            title=f"A handwritten {self.digit}, {len(KERNELS)} kernels of 3×3, on the RTL of {self.machine.name}",
            caption=self.machine.description,
        )
        headings = ("outputs", "mismatches", "cycles", "array efficiency", "ANDs", "row writes")
        for heading in ("W:I", "weights", *headings):
            table.add_column(heading, justify="right" if heading in headings else "left")
        for c in self.configurations:
            n = c.counters
            counts = f"{c.outputs:,}", f"{c.mismatches:,}", f"{n.cycles:,}"
            events = f"{n.ands:,}", f"{n.row_writes:,}"
            table.add_row(f"{c.w}:{c.i}", c.coding, *counts, f"{c.efficiency:.1%}", *events)
        return (table,)

    @property
    def main_figure(self) -> str:
        """Mismatches."""
        return f"{self.mismatches:,} mismatches"

    def records(self) -> tuple[Record, ...]:
        """A record for each configuration."""
        return tuple({"machine": self.machine.name} | record_of(one) for one in self.configurations)

    def notes(self) -> tuple[str, ...]:
        """The simulator, files."""
        built = "found compiled" if self.cached else f"built in {self.build_seconds:.0f} s"
        times = {f"{c.w}:{c.i}": c.cycles for c in self.configurations}
        return (
            clock_line(self.clock, **times),
            f"{self.simulator}: {built}, ran for {self.run_seconds:.1f} s",
            f"feature maps  {self.picture}",
            f"Verilog       {self.verilog}",
            f"waveform      {self.waves} (the first {_WAVE_ROWS} rows at 1:1, machine tiny)",
        )

    def drawings(self) -> tuple[Path, ...]:
        """The feature maps."""
        return (self.picture,)


def demo(
    *,
    digit: int = DIGIT,
    machine: Machine | str | Path | None = None,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    simulator: str | None = None,
    folder: str | Path = DEMO_FOLDER,
    format: str = "png",
    tell: Callable[[str], None] = lambda line: None,
) -> Demo:
    """Convolve a handwritten digit with a bank of 3×3 kernels at 1:1, 2:2 and 3:4 bits (W:I) on the RTL.

    Each convolution is a network of one layer on the accelerator; counters are those of a steady run, in which the
    kernels are in place.

    Parameters
    ----------
    digit : int
        0 to 9.
    machine : Machine, str or Path, optional
        See `load_machine`; ``paper8`` if not given, ``tiny`` on Amaranth's simulator.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    simulator : {"verilator", "icarus", "amaranth"}, optional
        By default the fastest of those that can be used. Amaranth's own is so slow that it is given every
        third pixel only.
    folder : str or Path
        For the picture, the Verilog and the waveform.
    format : {"png", "svg", "pdf"}
        Of the picture.
    tell : callable
        Is given a line before each long step.

    Raises
    ------
    SpinplaneError
        If the machine, the digit or the simulator is not there, or the clock does not fit.
    BenchFailure
        If the simulated array refuses an operation.
    """
    check_format(format)
    image, folder = sample_digit(digit), as_path("folder", folder)
    simulator = usable_simulator(simulator)
    if machine is None:
        machine = "tiny" if simulator == "amaranth" else NETWORK_MACHINE
    machine = load_machine(machine)
    of_machine = clock_of(machine, technology, clock)
    if simulator == "amaranth":
        image = image[::3, ::3]
        tell(
            "on Amaranth's own simulator, every third pixel: minutes instead of seconds; Verilator is faster"
        )

    tell(f"the Verilog of {machine.name}")
    verilog = export(machine, folder / "rtl", clock=of_machine, kept_in=default_build_root()).folder
    tell(f"simulating {machine.sub_arrays} sub-arrays of {machine.rows}×{machine.columns} on {simulator}")
    runs, configurations, maps = [], [], []
    for q in QUANTIZATIONS:
        pixels = quantize_image(image, q.i)[np.newaxis]
        run = run_network(_convolution(q, pixels.shape), pixels, machine=machine, simulator=simulator)
        sums = _sums(run)
        expected = convolve(pixels[np.newaxis], _kernels(q), w=q.w, i=q.i, padding=_PADDING)[0]
        configurations.append(
            DemoConfiguration(
                w=q.w.bits,
                i=q.i.bits,
                coding=q.w.coding.value.replace("_", " "),
                outputs=sums.size,
                mismatches=run.mismatches + int((sums != expected).sum()),
                efficiency=run.efficiency.steady,
                counters=run.counters.measured,
                feature_maps=sums,
            )
        )
        runs.append(run)
        maps.append(sums)
        told = configurations[-1].mismatches
        tell(f"{q.name} bits: {told} mismatches with functional machine, prediction and Eq. 3")
    tell("a waveform of the first windows")
    waves = _waveform(image, folder)
    draw = partial(
        draw_feature_maps,
        digit=digit,
        inputs=[quantize_image(image, q.i) for q in QUANTIZATIONS],
        outputs=maps,
        rows=[f"W:I = {q.name}" for q in QUANTIZATIONS],
        columns=list(KERNELS),
    )
    drawing = Drawing(name="feature_maps", draw=draw)
    return Demo(
        digit=digit,
        machine=machine,
        simulator=simulator,
        configurations=tuple(configurations),
        picture=drawing.write(folder, format),
        verilog=verilog,
        waves=waves,
        build_seconds=runs[0].build_seconds,
        run_seconds=sum(run.run_seconds for run in runs),
        cached=runs[0].cached,
        clock=of_machine,
        drawn=(drawing,),
    )


def _kernels(quantization: Quantization) -> np.ndarray:
    return quantize_kernels(np.stack(list(KERNELS.values())), quantization.w)[:, np.newaxis]


def _convolution(quantization: Quantization, input_shape: tuple[int, int, int]) -> Graph:
    q = quantization
    layer = Layer(
        name=f"demo {q.name}",
        weights=_kernels(q),
        w=q.w,
        i=q.i,
        bias=np.zeros(len(KERNELS), dtype=np.int64),
        padding=(_PADDING,) * 4,
    )
    return layer_graph(layer, input_shape)


def _sums(run: NetworkRun) -> np.ndarray:
    """What the one layer gives for the one image."""
    outputs = run.layers[0].outputs
    assert outputs is not None
    return outputs[0]


def _waveform(image: np.ndarray, folder: Path) -> Path:
    """A VCD small enough to look at: the machine ``tiny``, the first rows of the image at 1:1."""
    first, simulator = QUANTIZATIONS[0], "icarus" if "icarus" in available_simulators() else "amaranth"
    strip = quantize_image(image, first.i)[np.newaxis, :_WAVE_ROWS]
    graph = _convolution(first, strip.shape)
    waves = run_network(graph, strip, machine="tiny", simulator=simulator, waves=folder).waves
    assert waves is not None
    return waves
