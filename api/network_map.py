"""Where a network lies on a machine: layers, tiles, passes, rows, column use, events that will happen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from spinplane.compiler.graph import Graph
from spinplane.compiler.mapping import MappedLayer, map_network
from spinplane.machine import Machine, load_machine

from .models import open_model
from .text import table_text


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkMap:
    """A network on a machine.

    Parameters
    ----------
    name : str
        Of the network.
    machine : Machine
    layers : tuple of MappedLayer
    """

    name: str
    machine: Machine
    layers: tuple[MappedLayer, ...]

    def as_dict(self) -> dict[str, Any]:
        """The map as JSON takes it; events are those of one image, kernels loaded anew."""
        return {
            "network": self.name,
            "machine": self.machine.name,
            "layers": [
                {
                    **describe(mapped),
                    "packed": mapped.convolution.layout.packed,
                    "sub_arrays": mapped.convolution.layout.sub_arrays,
                    "tiles": mapped.convolution.layout.tiles,
                    "passes": mapped.convolution.layout.passes,
                    "rows": rows_used(mapped),
                    "column_use": mapped.column_use,
                    "accumulator_bits": mapped.convolution.accumulator_bits,
                    "predicted": _events(mapped),
                }
                for mapped in self.layers
            ],
        }

    def __rich__(self) -> Table:
        table = Table(
            title=f"{self.name} on {self.machine.name}: {self.machine.sub_arrays} sub-arrays of "
            f"{self.machine.rows}×{self.machine.columns}",
            caption="events of one image, kernels loaded anew; a kernel a segment is 'packed', a kernel a row 'plain'",
        )
        table.add_column("layer")
        headings = ("output", "W:I", "mapping", "sub-arrays", "tiles", "passes", "rows", "column use")
        for heading in (*headings, "ANDs", "row writes"):
            table.add_column(heading, justify="right")
        for mapped in self.layers:
            layout, events = mapped.convolution.layout, _events(mapped)
            table.add_row(
                mapped.layer.name,
                "×".join(map(str, mapped.output_shape)),
                f"{mapped.layer.w.bits}:{mapped.layer.i.bits}",
                "packed" if layout.packed else "plain",
                str(layout.sub_arrays),
                str(layout.tiles),
                str(layout.passes),
                str(rows_used(mapped)),
                f"{mapped.column_use:.0%}",
                f"{events['ands']:,}",
                f"{events['row_writes']:,}",
            )
        return table

    def __str__(self) -> str:
        return table_text(self)


def map_model(model: str | Path | Graph, *, machine: Machine | str | Path) -> NetworkMap:
    """Map a network onto a machine.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    machine : Machine, str or Path
        See `load_machine`.

    Raises
    ------
    SpinplaneError
        If the model cannot be read, or a layer does not fit, with the numbers.
    """
    machine, graph = load_machine(machine), open_model(model)
    return NetworkMap(name=graph.name, machine=machine, layers=map_network(graph, machine))


def describe(mapped: MappedLayer) -> dict[str, Any]:
    """Name, shapes and bits of a layer."""
    layer = mapped.layer
    return {
        "layer": layer.name,
        "kernels": list(layer.weights.shape),
        "output": list(mapped.output_shape),
        "w": layer.w.bits,
        "i": layer.i.bits,
        "macs": mapped.macs,
    }


def rows_used(mapped: MappedLayer) -> int:
    """Rows of a sub-array that a pass holds: the window and the kernels beside it."""
    layout = mapped.convolution.layout
    return layout.kernel_row + layout.batch_rows * layout.batches_resident


def _events(mapped: MappedLayer) -> dict[str, int]:
    counters = mapped.convolution.predicted().as_dict()
    return {name: value for name, value in counters.items() if name not in ("cycles", "stalled")}
