"""A whole network through the memory: every convolution on the RTL of the engine, checked layer by layer.

The host carries the feature maps: it writes windows, takes accumulators, pools and requantizes. Every dot product is
computed in the arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from spinplane.behavioral import Engine
from spinplane.compiler.graph import Graph
from spinplane.compiler.mapping import MappedLayer, layer_inputs, layer_outputs, map_network
from spinplane.compiler.oracle import run_graph
from spinplane.machine import COUNTER_NAMES, Counters, Machine, SpinplaneError, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.sim import available_simulators
from spinplane.sim.run import run_programs

from .models import open_model
from .network_map import describe
from .text import table_text


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerRun:
    """One layer of a run.

    Parameters
    ----------
    mapped : MappedLayer
    outputs : ndarray of shape (images, channels, height, width), int64
        Values that leave the layer, from the RTL's accumulators.
    mismatches : int
        Values and counters in which RTL and functional machine differ, and, without faults, the oracle.
    wrong : int
        Values that differ from those of the network without faults.
    rtl, functional, predicted : Counters
        ``predicted`` has no cycles and no stalls.
    """

    mapped: MappedLayer
    outputs: np.ndarray
    mismatches: int
    wrong: int
    rtl: Counters
    functional: Counters
    predicted: Counters

    @property
    def efficiency(self) -> float:
        """Array efficiency: M · N · MAC ÷ (cycles × sub-arrays × columns), kernels loaded within the cycles."""
        return _efficiency([self])

    @property
    def utilization(self) -> float:
        """Cycles with an AND ÷ cycles, over all sub-arrays."""
        return self.rtl.ands / (self.rtl.cycles * self.mapped.convolution.machine.sub_arrays)


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkRun:
    """A network that ran on the RTL.

    Parameters
    ----------
    name : str
    machine : Machine
    simulator : str
    layers : tuple of LayerRun
    outputs : ndarray of float64
        The network's outputs in its own units, of its own shape; a batch of images in front.
    build_seconds, run_seconds : float
    waves : Path or None
    """

    name: str
    machine: Machine
    simulator: str
    layers: tuple[LayerRun, ...]
    outputs: np.ndarray
    build_seconds: float
    run_seconds: float
    waves: Path | None

    @property
    def mismatches(self) -> int:
        """Of all layers."""
        return sum(layer.mismatches for layer in self.layers)

    @property
    def classes(self) -> list[int]:
        """Index of the greatest output of each image."""
        return [int(image.argmax()) for image in self.outputs.reshape(len(self.outputs), -1)]

    def as_dict(self) -> dict[str, Any]:
        """The run as JSON takes it."""
        totals = {
            name: {
                counter: sum(getattr(getattr(layer, name), counter) for layer in self.layers)
                for counter in counters
            }
            for name, counters in (
                ("rtl", COUNTER_NAMES),
                ("functional", COUNTER_NAMES),
                ("predicted", [c for c in COUNTER_NAMES if c not in ("cycles", "stalled")]),
            )
        }
        cycles = totals["rtl"]["cycles"]
        return {
            "network": self.name,
            "machine": self.machine.name,
            "simulator": self.simulator,
            "mismatches": self.mismatches,
            "outputs": self.outputs.tolist(),
            "classes": self.classes,
            "cycles": cycles,
            "efficiency": {
                "cold": _efficiency(self.layers),
                "cold_without_first": _efficiency(self.layers[1:]) if self.layers[1:] else None,
            },
            "utilization": totals["rtl"]["ands"] / (cycles * self.machine.sub_arrays),
            "counters": totals,
            "layers": [
                {
                    **describe(layer.mapped),
                    "mismatches": layer.mismatches,
                    "wrong": layer.wrong,
                    "cycles": layer.rtl.cycles,
                    "efficiency": layer.efficiency,
                    "utilization": layer.utilization,
                    "counters": layer.rtl.as_dict(),
                }
                for layer in self.layers
            ],
            "waves": str(self.waves) if self.waves else None,
        }

    def __rich__(self) -> Table:
        table = Table(
            title=f"{self.name} on the RTL of {self.machine.name}",
            caption="cycles of the engine, kernels loaded within them; the host pools and requantizes between layers",
        )
        table.add_column("layer")
        headings = (
            "output",
            "W:I",
            "cycles",
            "array efficiency",
            "utilisation",
            "ANDs",
            "row writes",
            "mismatches",
        )
        for heading in headings:
            table.add_column(heading, justify="right")
        for layer in self.layers:
            mapped, counters = layer.mapped, layer.rtl
            table.add_row(
                mapped.layer.name,
                "×".join(map(str, mapped.output_shape)),
                f"{mapped.layer.w.bits}:{mapped.layer.i.bits}",
                f"{counters.cycles:,}",
                f"{layer.efficiency:.1%}",
                f"{layer.utilization:.1%}",
                f"{counters.ands:,}",
                f"{counters.row_writes:,}",
                f"{layer.mismatches:,}",
            )
        cycles = sum(layer.rtl.cycles for layer in self.layers)
        table.add_section()
        table.add_row(
            "all",
            "",
            "",
            f"{cycles:,}",
            f"{_efficiency(self.layers):.1%}",
            "",
            "",
            "",
            f"{self.mismatches:,}",
        )
        return table

    def __str__(self) -> str:
        classes = ", ".join(map(str, self.classes))
        waves = f"\nwaveform         {self.waves}" if self.waves else ""
        count = sum(layer.wrong for layer in self.layers)
        wrong = (
            f"wrong values     {count:,}, by the faults of the memory\n"
            if count and not self.mismatches
            else ""
        )
        return (
            f"{table_text(self)}"
            f"greatest output  {classes}\n"
            f"{wrong}"
            f"{self.simulator}: built in {self.build_seconds:.0f} s, ran for {self.run_seconds:.1f} s{waves}"
        )


def run_network(
    model: str | Path | Graph,
    values: np.ndarray,
    *,
    machine: Machine | str | Path,
    simulator: str | None = None,
    waves: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> NetworkRun:
    """Run a network on the RTL of a machine, every layer on the one compiled model.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    values : ndarray
        Input of the network, see `Graph.encode_input`.
    machine : Machine, str or Path
        See `load_machine`.
    simulator : {"verilator", "icarus", "amaranth"}, optional
        The fastest of those that can be used, if not given.
    waves : Path, optional
        Folder for a VCD.
    faults : FaultMap, optional
        Of the memory: RTL and functional machine compute the same wrong values.
    tell : callable
        Is given a line before each long step.

    Raises
    ------
    SpinplaneError
        If the model, the input or the machine is not as it should be, or a layer does not fit.
    BenchFailure
        If the simulated array refuses an operation.
    """
    machine, graph = load_machine(machine), open_model(model)
    usable = (*available_simulators(), "amaranth")
    simulator = simulator or usable[0]
    if simulator not in usable:
        raise SpinplaneError(f"simulator {simulator!r} cannot be used here: usable are {', '.join(usable)}")
    inputs = graph.encode_input(values)
    mapped = map_network(graph, machine)
    expected = run_graph(graph, inputs)

    functional = Engine(machine, faults)
    programs, functional_runs, given = [], [], inputs
    for at, layer in enumerate(mapped):
        tell(f"functional machine: layer {layer.layer.name}, {at + 1} of {len(mapped)}")
        program = layer.convolution.program(layer_inputs(layer, given))
        run = functional.run(program)
        given = layer_outputs(layer, run.results)
        programs.append(program)
        functional_runs.append(run)
    tell(f"{simulator}: {sum(len(p.commands) for p in programs):,} commands on the RTL of {machine.name}")
    rtl = run_programs(
        programs, simulator=simulator, waves=waves is not None, run_folder=waves, faults=faults
    )

    layers = []
    for layer, program_run, functional_run, right in zip(
        mapped, rtl.runs, functional_runs, expected, strict=True
    ):
        outputs = layer_outputs(layer, program_run.results)
        predicted = layer.convolution.predicted(len(inputs))
        layers.append(
            LayerRun(
                mapped=layer,
                outputs=outputs,
                mismatches=(int((outputs != right).sum()) if faults is None else 0)
                + int((program_run.results != functional_run.results).sum())
                + _different(program_run.counters, functional_run.counters, COUNTER_NAMES)
                + _different(
                    program_run.counters,
                    predicted,
                    [n for n in COUNTER_NAMES if n not in ("cycles", "stalled")],
                ),
                wrong=int((outputs != right).sum()),
                rtl=program_run.counters,
                functional=functional_run.counters,
                predicted=predicted,
            )
        )
    return NetworkRun(
        name=graph.name,
        machine=machine,
        simulator=simulator,
        layers=tuple(layers),
        outputs=graph.decode_output(layers[-1].outputs),
        build_seconds=rtl.build_seconds,
        run_seconds=rtl.run_seconds,
        waves=rtl.waves,
    )


def _different(a: Counters, b: Counters, names: tuple[str, ...] | list[str]) -> int:
    return sum(getattr(a, name) != getattr(b, name) for name in names)


def _efficiency(layers: tuple[LayerRun, ...] | list[LayerRun]) -> float:
    machine = layers[0].mapped.convolution.machine
    needed = sum(layer.mapped.binary_operations * len(layer.outputs) for layer in layers)
    return needed / (sum(layer.rtl.cycles for layer in layers) * machine.sub_arrays * machine.columns)
