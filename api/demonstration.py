"""The first run: a handwritten digit is convolved inside the memory, and every bit of it is checked."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.behavioral import Engine, convolve
from spinplane.compiler import Convolution
from spinplane.hdl.export import export
from spinplane.machine import Counters, Machine, SpinplaneError, load_machine
from spinplane.sim import BenchFailure, available_simulators
from spinplane.sim.model import default_build_root
from spinplane.sim.run import run_programs

from .drawing import draw_feature_maps
from .report.report import UNWRITTEN, Report
from .samples import KERNELS, QUANTIZATIONS, Quantization, quantize_image, quantize_kernels, sample_digit

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
        Of the weights.
    outputs : int
        How many there are.
    mismatches : int
        Outputs that differ from the numpy oracle of Eq. 3, and counters that differ from those of the
        functional machine.
    counters : Counters
        Read from the RTL.
    feature_maps : ndarray of shape (kernels, height, width), int64, or None
        From the RTL; None if the demonstration was read from a file, which has them in the picture.
    """

    derived: ClassVar[tuple[str, ...]] = ("cycles",)

    w: int
    i: int
    coding: str
    outputs: int
    mismatches: int
    counters: Counters
    feature_maps: np.ndarray | None = field(default=None, repr=False, compare=False, metadata=UNWRITTEN)

    @property
    def cycles(self) -> int:
        """Read from the RTL."""
        return self.counters.cycles


@dataclass(frozen=True, kw_only=True)
class Demo(Report):
    """What the demonstration found.

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
        for heading in (
            "W:I",
            "weights",
            "outputs",
            "mismatches",
            "cycles",
            "ANDs",
            "row writes",
            "row reads",
        ):
            table.add_column(heading, justify="left" if heading in ("W:I", "weights") else "right")
        for c in self.configurations:
            n = c.counters
            figures = (c.outputs, c.mismatches, n.cycles, n.ands, n.row_writes, n.row_reads)
            table.add_row(f"{c.w}:{c.i}", c.coding, *(f"{figure:,}" for figure in figures))
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """The simulator, files."""
        built = "found compiled" if self.cached else f"built in {self.build_seconds:.0f} s"
        return (
            f"{self.simulator}: {built}, ran for {self.run_seconds:.1f} s",
            f"feature maps  {self.picture}",
            f"Verilog       {self.verilog}",
            f"waveform      {self.waves} (the first {_WAVE_ROWS} rows of the 1:1 outputs, machine tiny)",
        )

    def drawings(self) -> tuple[Path, ...]:
        """The feature maps."""
        return (self.picture,)


def demo(
    *,
    digit: int = 3,
    machine: Machine | str | None = None,
    simulator: str | None = None,
    folder: Path = Path("build") / "demo",
    tell: Callable[[str], None] = lambda line: None,
) -> Demo:
    """Convolve a handwritten digit with a bank of 3×3 kernels at 1:1, 2:2 and 3:4 bits (W:I) on the RTL.

    Parameters
    ----------
    digit : int
        0 to 9.
    machine : Machine or str, optional
        See `load_machine`; ``paper8`` if not given, ``tiny`` on Amaranth's simulator.
    simulator : {"verilator", "icarus", "amaranth"}, optional
        The fastest of those that can be used, if not given. Amaranth's own is so slow that it is given every
        other pixel only.
    folder : Path
        For the picture, the Verilog and the waveform.
    tell : callable
        Is given a line before each long step.

    Raises
    ------
    SpinplaneError
        If the machine, the digit or the simulator is not there.
    BenchFailure
        If the simulated array refuses an operation.
    """
    image = sample_digit(digit)
    usable = (*available_simulators(), "amaranth")
    simulator = simulator or usable[0]
    if simulator not in usable:
        raise SpinplaneError(f"simulator {simulator!r} cannot be used here: usable are {', '.join(usable)}")
    machine = load_machine(machine or ("tiny" if simulator == "amaranth" else "paper8"))
    if simulator == "amaranth":
        image = image[::2, ::2]
        tell(
            "on Amaranth's own simulator, every other pixel: minutes instead of seconds; Verilator is faster"
        )
    elif simulator == "icarus":
        tell("on Icarus, several times slower than Verilator with a C++ compiler")
    layers = [_layer(machine, quantization, image.shape) for quantization in QUANTIZATIONS]
    inputs = [quantize_image(image, q.i)[np.newaxis, np.newaxis] for q in QUANTIZATIONS]
    programs = [layer.program(x) for layer, x in zip(layers, inputs, strict=True)]

    tell(f"the Verilog of {machine.name}")
    verilog = export(machine, folder / "rtl", kept_in=default_build_root() / "verilog").folder
    tell(f"simulating {machine.sub_arrays} sub-arrays of {machine.rows}×{machine.columns} on {simulator}")
    rtl = run_programs(programs, simulator=simulator)
    tell("comparing with the functional machine and with the oracle of Eq. 3")
    functional = Engine(machine)
    configurations, maps = [], []
    for layer, x, program, run, q in zip(layers, inputs, programs, rtl.runs, QUANTIZATIONS, strict=True):
        outputs = layer.outputs(run.results)[0]
        expected = convolve(x, _kernels(q), w=q.w, i=q.i, padding=_PADDING)[0]
        counted = functional.run(program).counters.as_dict()
        maps.append(outputs)
        different = [name for name, value in run.counters.as_dict().items() if value != counted[name]]
        configurations.append(
            DemoConfiguration(
                w=q.w.bits,
                i=q.i.bits,
                coding=q.w.coding.value.replace("_", " "),
                outputs=outputs.size,
                mismatches=int((outputs != expected).sum()) + len(different),
                counters=run.counters,
                feature_maps=outputs,
            )
        )
    tell("a waveform of the first windows")
    waves = _waveform(image, folder)
    picture = draw_feature_maps(
        folder / "feature_maps.png",
        digit=digit,
        inputs=[x[0, 0] for x in inputs],
        outputs=maps,
        rows=[f"W:I = {q.name}" for q in QUANTIZATIONS],
        columns=list(KERNELS),
    )
    return Demo(
        digit=digit,
        machine=machine,
        simulator=simulator,
        configurations=tuple(configurations),
        picture=picture,
        verilog=verilog,
        waves=waves,
        build_seconds=rtl.build_seconds,
        run_seconds=rtl.run_seconds,
        cached=rtl.cached,
    )


def _kernels(quantization: Quantization) -> np.ndarray:
    return quantize_kernels(np.stack(list(KERNELS.values())), quantization.w)[:, np.newaxis]


def _layer(machine: Machine, quantization: Quantization, shape: tuple[int, ...]) -> Convolution:
    q, (height, width) = quantization, shape
    return Convolution(
        machine, _kernels(q), (1, height, width), w=q.w, i=q.i, padding=_PADDING, name=f"demo {q.name}"
    )


def _waveform(image: np.ndarray, folder: Path) -> Path:
    """A VCD small enough to read: the machine ``tiny``, the first rows of outputs at 1:1."""
    tiny, first = load_machine("tiny"), QUANTIZATIONS[0]
    strip = quantize_image(image, first.i)[:_WAVE_ROWS]
    program = _layer(tiny, first, strip.shape).program(strip[np.newaxis, np.newaxis])
    with TemporaryDirectory() as scratch:
        simulator = "icarus" if "icarus" in available_simulators() else "amaranth"
        run = run_programs([program], simulator=simulator, waves=True, run_folder=Path(scratch) / "run")
        if run.waves is None:
            raise BenchFailure(f"{simulator} wrote no waveform")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(run.waves, folder / "waves.vcd"))
