"""What a run of a network on the RTL has shown, layer by layer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from spinplane.machine import AcceleratorCounters, Machine

from .compiled_layer import CompiledLayer, efficiencies, utilization
from .text import table_text


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerRun:
    """One layer of a run.

    Parameters
    ----------
    compiled : CompiledLayer
    outputs : ndarray of shape (images, channels, height, width), int64, or None
        Values that left the layer on the RTL; None if a later layer has written over them.
    mismatches : int
        Values and counters in which RTL and functional machine differ, counters in which RTL and prediction do,
        and, without faults, values that differ from the oracle's.
    wrong : int
        Values that differ from the oracle's.
    rtl : AcceleratorCounters
        Of the steady run of the first image.
    """

    compiled: CompiledLayer
    outputs: np.ndarray | None
    mismatches: int
    wrong: int
    rtl: AcceleratorCounters

    @property
    def efficiency(self) -> float:
        """Array efficiency: M · N · MAC ÷ (cycles × sub-arrays × columns)."""
        return self.compiled.efficiency(self.rtl.cycles)

    @property
    def utilization(self) -> float:
        """Share of the cycles of all sub-arrays in which two rows are sensed."""
        return self.compiled.utilization(self.rtl)


@dataclass(frozen=True, kw_only=True, eq=False)
class RunCounters:
    """Counters of one run, from the start register to the interrupt.

    Parameters
    ----------
    rtl, functional, predicted : AcceleratorCounters
    """

    rtl: AcceleratorCounters
    functional: AcceleratorCounters
    predicted: AcceleratorCounters

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Counters by name and origin."""
        return {name: getattr(self, name).as_dict() for name in ("rtl", "functional", "predicted")}


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
    mismatches : int
        Of all layers, and counters of whole runs that differ.
    steady, cold : RunCounters
        Of the first image: kernels that stay are in the array, or are loaded in the run.
    cached : bool
        Whether the model of the machine was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
    """

    name: str
    machine: Machine
    simulator: str
    layers: tuple[LayerRun, ...]
    outputs: np.ndarray
    mismatches: int
    steady: RunCounters
    cold: RunCounters
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None

    @property
    def classes(self) -> list[int]:
        """Index of the greatest output of each image."""
        return [int(image.argmax()) for image in self.outputs.reshape(len(self.outputs), -1)]

    @property
    def wrong(self) -> int:
        """Values of all layers that differ from the oracle's."""
        return sum(layer.wrong for layer in self.layers)

    @property
    def efficiency(self) -> dict[str, float | None]:
        """Array efficiency of the steady and of the cold run, and of the steady one without the first layer."""
        compiled, first = [layer.compiled for layer in self.layers], self.layers[0].rtl.cycles
        steady, without_first = efficiencies(compiled, self.steady.rtl.cycles, first)
        cold, _ = efficiencies(compiled, self.cold.rtl.cycles, 0)
        return {"steady": steady, "cold": cold, "without_first": without_first}

    def as_dict(self) -> dict[str, Any]:
        """The run as JSON takes it."""
        return {
            "network": self.name,
            "machine": self.machine.name,
            "simulator": self.simulator,
            "mismatches": self.mismatches,
            "wrong": self.wrong,
            "outputs": self.outputs.tolist(),
            "classes": self.classes,
            "cycles": self.steady.rtl.cycles,
            "cycles_cold": self.cold.rtl.cycles,
            "efficiency": self.efficiency,
            "utilization": utilization(self.machine, self.steady.rtl),
            "counters": self.steady.as_dict(),
            "counters_cold": self.cold.as_dict(),
            "layers": [
                {
                    **layer.compiled.as_dict(),
                    "compared": layer.outputs is not None,
                    "mismatches": layer.mismatches,
                    "wrong": layer.wrong,
                    "cycles": layer.rtl.cycles,
                    "efficiency": layer.efficiency,
                    "utilization": layer.utilization,
                    "counters": layer.rtl.as_dict(),
                }
                for layer in self.layers
            ],
            "build_seconds": self.build_seconds,
            "run_seconds": self.run_seconds,
            "waves": str(self.waves) if self.waves else None,
        }

    def __rich__(self) -> Table:
        table = Table(
            title=f"{self.name} on the RTL of {self.machine.name}",
            caption="a steady run of the first image; all from the start register to the interrupt, kernels in place",
        )
        table.add_column("layer")
        for heading in (
            *("output", "W:I", "cycles", "array efficiency", "utilisation", "ANDs", "row writes"),
            "mismatches",
        ):
            table.add_column(heading, justify="right")
        for layer in self.layers:
            operands = layer.compiled.layer
            table.add_row(
                operands.name,
                "×".join(map(str, layer.compiled.output_shape)),
                f"{operands.w.bits}:{operands.i.bits}",
                *_figures(layer.rtl, layer.efficiency, layer.utilization, layer.mismatches),
            )
        table.add_section()
        whole, all_of_it = self.steady.rtl, self.efficiency["steady"]
        assert all_of_it is not None
        table.add_row(
            "all", "", "", *_figures(whole, all_of_it, utilization(self.machine, whole), self.mismatches)
        )
        return table

    def __str__(self) -> str:
        figures = self.efficiency
        without = figures["without_first"]
        lines = [
            f"greatest output  {', '.join(map(str, self.classes))}",
            f"array efficiency {figures['steady']:.1%} steady, {figures['cold']:.1%} in the first run of "
            f"{self.cold.rtl.cycles:,} cycles, which loads kernels"
            + (f"; {without:.1%} without the first layer" if without is not None else ""),
        ]
        if self.wrong and not self.mismatches:
            lines.append(f"wrong values     {self.wrong:,}, by the faults of the memory")
        hidden = [layer.compiled.layer.name for layer in self.layers if layer.outputs is None]
        if hidden:
            lines.append(f"written over by later layers, their counters compared alone: {', '.join(hidden)}")
        built = "found compiled" if self.cached else f"built in {self.build_seconds:.0f} s"
        lines.append(f"{self.simulator}: {built}, ran for {self.run_seconds:.1f} s")
        lines += [f"waveform         {self.waves}"] if self.waves else []
        return table_text(self) + "\n".join(lines)


def _figures(counters: AcceleratorCounters, efficient: float, utilized: float, mismatches: int) -> list[str]:
    return [
        f"{counters.cycles:,}",
        f"{efficient:.1%}",
        f"{utilized:.1%}",
        f"{counters.ands:,}",
        f"{counters.row_writes:,}",
        f"{mismatches:,}",
    ]
