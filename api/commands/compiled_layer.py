"""Figures of a layer in a program: its needs, its placement, and how well it uses the machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from spinplane.compiler.compiled_program import CompiledProgram, PlacedStage
from spinplane.compiler.graph import Layer
from spinplane.compiler.mapping.parts import Part
from spinplane.machine import AcceleratorCounters, Machine
from spinplane.machine.descriptor import Load, Pool
from spinplane.machine.passes import Pass
from spinplane.machine.program import ProgramLayer

from ..report.layer_figures import LayerFigures


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledLayer:
    """A layer of a network and its passes.

    What the layer needs is that of the network; where it lies is said of the passes that have its sums. Those that copy
    maps or widen groups before, and those that go on from codes afterwards, count in cycles, passes, kernel tiles and
    rows alone.

    Parameters
    ----------
    machine : Machine
    batch : int
        Images that a run takes.
    layer : Layer
    placed : ProgramLayer
    stages : tuple of PlacedStage
        One, or several that compute parts of it; all but copies.
    copies : tuple of PlacedStage
        That copy maps, for the layer to take them beside others.
    """

    machine: Machine
    batch: int
    layer: Layer
    placed: ProgramLayer
    stages: tuple[PlacedStage, ...]
    copies: tuple[PlacedStage, ...]

    @property
    def passes(self) -> tuple[Pass, ...]:
        """Those of all copies and stages, for all images."""
        return tuple(layer_pass for stage in (*self.copies, *self.stages) for layer_pass in stage.passes)

    @property
    def sums(self) -> PlacedStage:
        """The stage that has the layer's own sums."""
        return next(placed for placed in self.stages if placed.stage.part is Part.SUMS)

    def kernel_of_sums(self, kernel: int) -> int:
        """Number that a kernel of the layer has in the stage of its sums: another one where its groups are widened."""
        last = self.stages[-1].stage
        if last.part is not Part.NARROWING:
            return kernel
        return int(last.variants[0].lowered.layer.weights[kernel].argmax())

    @property
    def _first(self) -> Pass:
        """The first one that has the layer's own sums."""
        return self.sums.passes[0]

    @property
    def folded(self) -> bool:
        """Whether average pooling is folded into the kernels."""
        pool = self.layer.pool
        averages = pool is not None and pool.kind == "sum" and pool.size != (1, 1)
        return averages and self._first.pool is Pool.NONE

    @property
    def way(self) -> str:
        """How its pooling is computed, if not window by window: ``folded`` or ``split``, else nothing."""
        if self.folded:
            return "folded"
        last = self.stages[-1]
        return "split" if last is not self.sums and last.passes[0].pool is not Pool.NONE else ""

    @property
    def widened(self) -> bool:
        """Whether its groups are widened to powers of two, in passes of their own."""
        return any(placed.stage.part in (Part.WIDENING, Part.NARROWING) for placed in self.stages)

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of what leaves the layer."""
        return self.placed.output.channels, self.placed.output.height, self.placed.output.width

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        height, width = self.sums.stage.windows
        return self.layer.weights.size * height * width

    @property
    def binary_operations(self) -> int:
        """Single-bit products that the layer needs for one image: M · N · MAC."""
        return self.layer.w.bits * self.layer.i.bits * self.macs

    @property
    def slots(self) -> int:
        """Kernels beside each other in a row."""
        return self._first.slots

    @property
    def planes(self) -> int:
        """Planes beside each other in a row."""
        return self._first.planes

    @property
    def clusters(self) -> tuple[int, int]:
        """Clusters of sub-arrays, vertical and horizontal."""
        first = self._first
        return first.clusters // first.clusters_x, first.clusters_x

    @property
    def unit(self) -> str:
        """What is written together: a pixel, or the strip of pixels that a window sees in a line."""
        return "strips" if self.sums.allocation.placement.strips else "pixels"

    @property
    def kernel_tiles(self) -> int:
        """Kernel tiles of all passes of an image, those over each stripe of a wide map included."""
        return sum(layer_pass.kernel_tiles for layer_pass in self.passes) // self.batch

    @property
    def ring_rows(self) -> int:
        """Rows of a sub-array that hold input lines."""
        return max(layer_pass.ring_lines * layer_pass.line_rows for layer_pass in self.passes)

    @property
    def resident(self) -> bool:
        """Whether the kernels stay in rows of their own."""
        return all(layer_pass.load is not Load.ALWAYS for layer_pass in self.passes)

    @property
    def kernel_rows(self) -> int:
        """Rows of a sub-array that hold kernels: of all passes if they stay, else of the longest."""

        def rows(load: Load) -> list[int]:
            return [layer_pass.load_rows for layer_pass in self.passes if layer_pass.load is load]

        return sum(rows(Load.UNLESS_RESIDENT)) + max(rows(Load.ALWAYS), default=0)

    def sum_of(self, passes: Sequence[AcceleratorCounters]) -> AcceleratorCounters:
        """Counters of the layer, from those of all descriptors of the program."""
        own = [passes[number].as_dict() for number in self.placed.descriptors]
        return AcceleratorCounters(**{name: sum(counters[name] for counters in own) for name in own[0]})

    def utilization(self, counters: AcceleratorCounters) -> float:
        """Share of the cycles of all sub-arrays in which two rows are sensed."""
        return utilization(self.machine, counters)

    def efficiency(self, cycles: int) -> float:
        """Array efficiency, see `efficiency`."""
        return efficiency([self], cycles)

    def column_use(self, counters: AcceleratorCounters) -> float:
        """Single-bit products that are needed ÷ columns of all pairs of rows that are sensed.

        Folded kernels may need fewer than the network has: then it is more than 1.
        """
        return self.batch * self.binary_operations / (counters.ands * self.machine.columns)

    def figures(self) -> LayerFigures:
        """Name, shapes, bits and mapping; passes and kernel tiles of an image."""
        layer = self.layer
        return LayerFigures(
            layer=layer.name,
            kernels=layer.weights.shape,
            output=self.output_shape,
            w=layer.w.bits,
            i=layer.i.bits,
            macs=self.macs,
            slots=self.slots,
            planes=self.planes,
            clusters=self.clusters,
            unit=self.unit,
            pool=self.way or None,
            passes=len(self.passes) // self.batch,
            kernel_tiles=self.kernel_tiles,
            ring_rows=self.ring_rows,
            kernel_rows=self.kernel_rows,
            resident=self.resident,
            copies=len(self.copies),
            widened=self.widened,
        )


def compiled_layers(program: CompiledProgram) -> tuple[CompiledLayer, ...]:
    """The layers of a network and of its program, side by side."""
    groups = groupby(program.stages, key=lambda placed: placed.stage.number)
    stages = [tuple(of_layer) for _, of_layer in groups]
    return tuple(
        CompiledLayer(
            machine=program.machine,
            batch=program.batch,
            layer=layer,
            placed=placed,
            stages=tuple(one for one in own if one.stage.part is not Part.COPY),
            copies=tuple(one for one in own if one.stage.part is Part.COPY),
        )
        for layer, placed, own in zip(program.graph.layers, program.layers, stages, strict=True)
    )


def efficiency(layers: Sequence[CompiledLayer], cycles: int) -> float:
    """Array efficiency of layers: M · N · MAC of all images ÷ (cycles of a run × sub-arrays × columns).

    M and N are the bits that the network has; what a mapping adds counts for nothing, and what folded pooling saves
    counts in full.
    """
    machine = layers[0].machine
    needed = layers[0].batch * sum(layer.binary_operations for layer in layers)
    return needed / (cycles * machine.sub_arrays * machine.columns)


def utilization(machine: Machine, counters: AcceleratorCounters) -> float:
    """Share of the cycles of all sub-arrays in which two rows are sensed."""
    return counters.ands * machine.sense_cycles / (counters.cycles * machine.sub_arrays)


def efficiencies(layers: Sequence[CompiledLayer], total: int, first: int) -> tuple[float, float | None]:
    """Array efficiency of a network, and without its first layer, if it has more than one.

    Parameters
    ----------
    layers : sequence of CompiledLayer
    total : int
        Cycles from the start to the interrupt.
    first : int
        Cycles of the first layer among them.
    """
    without = efficiency(layers[1:], total - first) if len(layers) > 1 else None
    return efficiency(layers, total), without
