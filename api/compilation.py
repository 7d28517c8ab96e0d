"""A network as a program of a machine: where each layer lies, how it runs, and what is predicted of it."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table

from spinplane.compiler.graph import Graph
from spinplane.compiler.predict import Prediction, predict
from spinplane.compiler.program import compile_graph
from spinplane.machine import Machine, load_machine
from spinplane.machine.program import NetworkProgram

from .compiled_layer import CompiledLayer, compiled_layers, efficiencies
from .models import open_model
from .row_drawing import draw_rows
from .text import table_text, write_whole

_WAYS = {
    "folded": "averages folded into the kernels",
    "split": "overlapping maxima in passes of their own",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Compilation:
    """A compiled network.

    Parameters
    ----------
    program : NetworkProgram
    layers : tuple of CompiledLayer
    steady, cold : Prediction
        Of a run whose resident kernels are in the array, and of the first one.
    file, picture : Path or None
        What was left behind.
    """

    program: NetworkProgram
    layers: tuple[CompiledLayer, ...]
    steady: Prediction
    cold: Prediction
    file: Path | None
    picture: Path | None

    @property
    def resident(self) -> bool:
        """Whether the kernels of all layers stay in the array."""
        return all(layer.resident for layer in self.layers)

    def totals(self) -> dict[str, dict[str, float | int | None]]:
        """Cycles and array efficiency, steady and cold, with and without the first layer."""
        totals: dict[str, dict[str, float | int | None]] = {}
        for name, prediction in (("steady", self.steady), ("cold", self.cold)):
            cycles = prediction.total.cycles
            first = self.layers[0].sum_of(prediction.passes).cycles
            whole, without_first = efficiencies(self.layers, cycles, first)
            totals[name] = {
                "cycles": cycles,
                "efficiency": whole,
                "cycles_without_first": cycles - first if len(self.layers) > 1 else None,
                "efficiency_without_first": without_first,
            }
        return totals

    def as_dict(self) -> dict[str, Any]:
        """The compilation as JSON takes it; counters are those of one image."""
        machine, program = self.program.machine, self.program
        layers = []
        for layer in self.layers:
            steady, cold = layer.sum_of(self.steady.passes), layer.sum_of(self.cold.passes)
            layers.append(
                {
                    **layer.as_dict(),
                    "column_use": layer.column_use(steady),
                    "cycles": steady.cycles,
                    "cycles_cold": cold.cycles,
                    "efficiency": layer.efficiency(steady.cycles),
                    "utilization": layer.utilization(steady),
                    "counters": steady.as_dict(),
                }
            )
        return {
            "network": program.name,
            "machine": machine.name,
            "resident": self.resident,
            **self.totals(),
            "counters": self.steady.total.as_dict(),
            "counters_cold": self.cold.total.as_dict(),
            "descriptors": len(program.descriptors),
            "kernel_words": len(program.kernel_rows),
            "parameter_beats": len(program.parameters),
            "threshold_beats": len(program.thresholds),
            "layers": layers,
            "file": str(self.file) if self.file else None,
            "picture": str(self.picture) if self.picture else None,
        }

    def __rich__(self) -> Table:
        machine = self.program.machine
        table = Table(
            title=f"{self.program.name} on {machine.name}: {machine.sub_arrays} sub-arrays of "
            f"{machine.rows}×{machine.columns}",
            caption="rows of input lines and of kernels (↻: loaded at each run); predicted cycles of a steady run",
            collapse_padding=True,
            pad_edge=False,
        )
        table.add_column("layer")
        headings = ("output", "W:I", "slots", "planes", "groups", "unit", "passes", "rounds", "rows")
        for heading in (*headings, "column use", "cycles", "efficiency"):
            table.add_column(heading, justify="right")
        for layer in self.layers:
            steady = layer.sum_of(self.steady.passes)
            table.add_row(
                layer.layer.name,
                "×".join(map(str, layer.output_shape)),
                f"{layer.layer.w.bits}:{layer.layer.i.bits}",
                str(layer.slots),
                str(layer.planes),
                "×".join(map(str, layer.groups)),
                layer.unit,
                str(len(layer.passes)),
                str(layer.rounds),
                f"{layer.ring_rows}+{layer.kernel_rows}{'' if layer.resident else '↻'}",
                f"{layer.column_use(steady):.0%}",
                f"{steady.cycles:,}",
                f"{layer.efficiency(steady.cycles):.1%}",
            )
        return table

    def __str__(self) -> str:
        lines = []
        for name, total in self.totals().items():
            line = f"{name:<8}{total['cycles']:,} cycles, array efficiency {total['efficiency']:.1%}"
            if total["efficiency_without_first"] is not None:
                line += (
                    f"; without the first layer {total['cycles_without_first']:,} cycles, "
                    f"{total['efficiency_without_first']:.1%}"
                )
            lines.append(line)
        loaded = [layer.layer.name for layer in self.layers if not layer.resident]
        lines.append(
            f"kernels loaded at each run: {', '.join(loaded)}" if loaded else "all kernels stay in the array"
        )
        for way, told in _WAYS.items():
            names = [layer.layer.name for layer in self.layers if layer.way == way]
            lines += [f"{told}: {', '.join(names)}"] if names else []
        lines += [f"program  {self.file}"] if self.file else []
        lines += [f"picture  {self.picture}"] if self.picture else []
        return table_text(self) + "\n".join(lines)


def compile_model(
    model: str | Path | Graph,
    *,
    machine: Machine | str | Path,
    fold_pools: bool = False,
    output: Path | None = None,
    picture: Path | None = None,
) -> Compilation:
    """Compile a network for a machine.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    machine : Machine, str or Path
        See `load_machine`.
    fold_pools : bool
        Whether average pooling may be folded into kernels, see `compile_graph`.
    output : Path, optional
        File for the program, see `NetworkProgram.save`.
    picture : Path, optional
        PNG of the rows that each layer takes; if not given, beside `output`, under its name with ``.png``.

    Raises
    ------
    SpinplaneError
        If the model cannot be read, or a layer does not fit, with the numbers.
    """
    machine, graph = load_machine(machine), open_model(model)
    program = compile_graph(graph, machine, fold_pools=fold_pools)
    layers = compiled_layers(program)
    if picture is None and output is not None:
        picture = output.with_name(f"{output.name}.png")
    if output is not None:
        with TemporaryDirectory() as scratch:
            program.save(Path(scratch) / "program")
            write_whole(output, (Path(scratch) / "program").read_bytes())
    if picture is not None:
        draw_rows(picture, title=f"{graph.name} on {machine.name}", layers=layers)
    return Compilation(
        program=program,
        layers=layers,
        steady=predict(program, resident=True),
        cold=predict(program, resident=False),
        file=output,
        picture=picture,
    )
