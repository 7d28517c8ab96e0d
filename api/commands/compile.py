"""A network compiled for a machine: each layer's placement, passes and predicted cycles."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.table import Table

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.predict import Prediction, predict
from spinplane.device.technology import Technology
from spinplane.machine import AcceleratorCounters, Machine, MachineClock, load_machine
from spinplane.machine.arguments import as_optional_path
from spinplane.machine.drawing import Drawing, picture_format
from spinplane.machine.reporting.records import Record, record_of

from ..defaults import NETWORK_MACHINE
from ..models import Model, open_network
from ..report.layer_figures import LayerFigures
from ..report.model_notes import ModelNotes
from ..report.report import Report
from .clock import batch_line, clock_line, clock_of, images_per_s, time_us
from .compiled_layer import CompiledLayer, compiled_layers, efficiencies
from .layer_codes import LayerCodes, codes_table, layer_codes
from .row_drawing import draw_rows

_WAYS = {
    "folded": "averages folded into the kernels",
    "split": "overlapping maxima in passes of their own",
}


@dataclass(frozen=True, kw_only=True)
class PredictedLayer(LayerFigures):
    """A layer, and its predicted figures for a run.

    Parameters
    ----------
    column_use : float
        See `CompiledLayer.column_use`.
    cycles, cycles_cold : int
        Of a steady and of a cold run.
    efficiency, utilization : float
        Of a steady run, see `CompiledLayer`.
    counters : AcceleratorCounters
        Of a steady run.
    """

    column_use: float
    cycles: int
    cycles_cold: int
    efficiency: float
    utilization: float
    counters: AcceleratorCounters


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Cycles and array efficiency of a run; those without the first layer are None for a network of one layer.

    Parameters
    ----------
    cycles : int
    efficiency : float
    cycles_without_first : int or None
    efficiency_without_first : float or None
    """

    cycles: int
    efficiency: float
    cycles_without_first: int | None
    efficiency_without_first: float | None

    def __str__(self) -> str:
        line = f"{self.cycles:,} cycles, array efficiency {self.efficiency:.1%}"
        if self.efficiency_without_first is not None:
            line += f"; without the first layer {self.cycles_without_first:,} cycles, "
            line += f"{self.efficiency_without_first:.1%}"
        return line


@dataclass(frozen=True, kw_only=True, repr=False)
class Compilation(Report):
    """A compiled network; cycles and counters are those of a run, which takes one image, or a batch.

    Parameters
    ----------
    network : str
    model : ModelNotes
    machine : Machine
    steady, cold : Totals
        Of a run whose resident kernels are in the array, and of the first one.
    counters, counters_cold : AcceleratorCounters
    descriptors, kernel_words, parameter_beats, threshold_beats : int
        Words that the program takes of its banks.
    layers : tuple of PredictedLayer
    codes : tuple of LayerCodes or None
        How sums become codes, if that was asked for.
    file, picture : Path or None
        What was left behind.
    clock : MachineClock or None
        None where nothing is said of the technology, and the default one cannot be the machine's.
    batch : int
        Images that a run takes.
    """

    derived: ClassVar[tuple[str, ...]] = ("resident", "time_us", "cycles_per_image", "images_per_s")

    network: str
    model: ModelNotes
    machine: Machine
    steady: Totals
    cold: Totals
    counters: AcceleratorCounters
    counters_cold: AcceleratorCounters
    descriptors: int
    kernel_words: int
    parameter_beats: int
    threshold_beats: int
    layers: tuple[PredictedLayer, ...]
    codes: tuple[LayerCodes, ...] | None
    file: Path | None
    picture: Path | None
    clock: MachineClock | None = None
    batch: int = 1

    @property
    def time_us(self) -> float | None:
        """Of a steady run, in µs."""
        return time_us(self.clock, self.steady.cycles)

    @property
    def cycles_per_image(self) -> float:
        """Of a steady run."""
        return self.steady.cycles / self.batch

    @property
    def images_per_s(self) -> float | None:
        """Of steady runs without a pause; None without a clock."""
        return images_per_s(self.clock, self.steady.cycles, self.batch)

    @property
    def resident(self) -> bool:
        """Whether the kernels of all layers stay in the array."""
        return all(layer.resident for layer in self.layers)

    def tables(self) -> tuple[Table, ...]:
        """Each layer's shape, mapping and cycles, and how its sums become codes."""
        machine = self.machine
        table = Table(
            title=f"{self.network} on {machine.name}: {machine.sub_arrays} sub-arrays of "
            f"{machine.rows}×{machine.columns}",
            caption="rows: input lines + kernels (↻ loaded in each run); cycles: predicted for a steady run"
            + (f" of {self.batch} images" if self.batch > 1 else ""),
            collapse_padding=True,
            pad_edge=False,
        )
        table.add_column("layer")
        headings = ("output", "W:I", "slots", "planes", "clusters", "unit", "passes", "kernel tiles", "rows")
        for heading in (*headings, "column use", "cycles", "efficiency"):
            table.add_column(heading, justify="right")
        for layer in self.layers:
            table.add_row(
                layer.layer,
                layer.size,
                layer.bits,
                str(layer.slots),
                str(layer.planes),
                "×".join(map(str, layer.clusters)),
                layer.unit,
                str(layer.passes),
                str(layer.kernel_tiles),
                f"{layer.ring_rows}+{layer.kernel_rows}{'' if layer.resident else '↻'}",
                f"{layer.column_use:.0%}",
                f"{layer.cycles:,}",
                f"{layer.efficiency:.1%}",
            )
        return (table, codes_table(self.codes)) if self.codes else (table,)

    @property
    def main_figure(self) -> str:
        """Cycles and efficiency of a steady run."""
        return f"{self.steady.cycles:,} cycles, array efficiency {self.steady.efficiency:.1%}"

    def records(self) -> tuple[Record, ...]:
        """A record for each layer."""
        program = {"network": self.network, "machine": self.machine.name}
        return tuple(program | record_of(layer) for layer in self.layers)

    def notes(self) -> tuple[str, ...]:
        """Those of program and model."""
        return (*self.program_notes(), *self.model.lines())

    def program_notes(self) -> tuple[str, ...]:
        """Totals, where kernels stay, how pools are computed, files."""
        lines = [f"steady  {self.steady}", f"cold    {self.cold}"]
        lines.append(clock_line(self.clock, steady=self.steady.cycles, cold=self.cold.cycles))
        if self.batch > 1:
            lines.append(batch_line(self.batch, self.clock, steady=self.steady.cycles, cold=self.cold.cycles))
        loaded = [layer.layer for layer in self.layers if not layer.resident]
        lines.append(
            f"kernels loaded in each run: {', '.join(loaded)}" if loaded else "all kernels stay in the array"
        )
        for way, told in _WAYS.items():
            names = [layer.layer for layer in self.layers if layer.pool == way]
            lines += [f"{told}: {', '.join(names)}"] if names else []
        copied = [layer.layer for layer in self.layers if layer.copies]
        lines += (
            [f"maps copied, to lie beside others that are taken with them: {', '.join(copied)}"]
            if copied
            else []
        )
        widened = [layer.layer for layer in self.layers if layer.widened]
        lines += (
            [f"groups widened to powers of two in passes of their own: {', '.join(widened)}"]
            if widened
            else []
        )
        lines += [f"program  {self.file}"] if self.file else []
        lines += [f"picture  {self.picture}"] if self.picture else []
        return tuple(lines)

    def drawings(self) -> tuple[Path, ...]:
        """The rows that each layer takes."""
        return (self.picture,) if self.picture else ()


def compile_model(
    model: Model,
    *,
    machine: Machine | str | Path = NETWORK_MACHINE,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    batch: int = 1,
    fold_pools: bool = False,
    explain: bool = False,
    check: bool = True,
    output: str | Path | None = None,
    picture: str | Path | None = None,
) -> Compilation:
    """Compile a network for a machine.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`.
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    batch : int
        Images that a run takes, see `compile_graph`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    explain : bool
        Whether to tell how each layer's sums become codes, see `LayerCodes`.
    check : bool
        Whether to compare the import with the file's own executor.
    output : str or Path, optional
        File for the program, see `Program.save`.
    picture : str or Path, optional
        The rows that each layer takes, as .png, .svg or .pdf; if not given, a PNG beside `output`, under its name with
        ``.png``.

    Raises
    ------
    SpinplaneError
        If the model cannot be read, a layer, the batch or the clock does not fit, with the numbers, or the picture is
        none of these.
    """
    machine = load_machine(machine)
    output, picture = as_optional_path("output", output), as_optional_path("picture", picture)
    of_machine = clock_of(machine, technology, clock)
    if picture is not None:
        picture_format(picture)
    elif output is not None:
        picture = output.with_name(f"{output.name}.png")
    network = open_network(model, check=check)
    program = compile_graph(network.graph, machine, batch=batch, fold_pools=fold_pools)
    if output is not None:
        program.save(output)
    return describe_program(
        program, network.notes, clock=of_machine, explain=explain, file=output, picture=picture
    )


def describe_program(
    program: CompiledProgram,
    notes: ModelNotes,
    *,
    clock: MachineClock | None,
    explain: bool = False,
    file: Path | None = None,
    picture: Path | None = None,
) -> Compilation:
    """Describe a compiled network, see `compile_model`.

    Parameters
    ----------
    program : CompiledProgram
    notes : ModelNotes
        Of its network.
    clock : MachineClock or None
    explain : bool
    file : Path, optional
        Where the program has been saved.
    picture : Path, optional
        Of the rows that each layer takes, which is drawn.
    """
    layers = compiled_layers(program)
    title = f"{program.name} on {program.machine.name}"
    rows = Drawing(name="rows", draw=partial(draw_rows, title=title, layers=layers))
    if picture is not None:
        rows.draw(picture)
    steady, cold = predict(program, resident=True), predict(program, resident=False)
    return Compilation(
        network=program.name,
        model=notes,
        machine=program.machine,
        steady=_totals(layers, steady),
        cold=_totals(layers, cold),
        counters=steady.total,
        counters_cold=cold.total,
        descriptors=len(program.descriptors),
        kernel_words=len(program.kernel_rows),
        parameter_beats=len(program.parameters),
        threshold_beats=len(program.thresholds),
        layers=tuple(_predicted(layer, steady, cold) for layer in layers),
        codes=tuple(map(layer_codes, layers)) if explain else None,
        file=file,
        picture=picture,
        clock=clock,
        drawn=(rows,),
        batch=program.batch,
    )


def _totals(layers: Sequence[CompiledLayer], prediction: Prediction) -> Totals:
    cycles = prediction.total.cycles
    first = layers[0].sum_of(prediction.passes).cycles
    whole, without_first = efficiencies(layers, cycles, first)
    return Totals(
        cycles=cycles,
        efficiency=whole,
        cycles_without_first=cycles - first if len(layers) > 1 else None,
        efficiency_without_first=without_first,
    )


def _predicted(layer: CompiledLayer, steady: Prediction, cold: Prediction) -> PredictedLayer:
    counters = layer.sum_of(steady.passes)
    return PredictedLayer(
        **vars(layer.figures()),
        column_use=layer.column_use(counters),
        cycles=counters.cycles,
        cycles_cold=layer.sum_of(cold.passes).cycles,
        efficiency=layer.efficiency(counters.cycles),
        utilization=layer.utilization(counters),
        counters=counters,
    )
