"""A program with the compiler's findings."""

from dataclasses import dataclass

from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, Program

from .graph import Graph
from .mapping.kernel_allocation import Allocation
from .mapping.stages import Stage
from .requantization.parameters import Requantization


@dataclass(frozen=True, kw_only=True, eq=False)
class PlacedStage:
    """A stage of a network in a program: its placement, its maps, its passes.

    Parameters
    ----------
    stage : Stage
        With all ways to compute and to place it.
    allocation : Allocation
        The chosen placement; its `Placement.layer` is what is computed, with the pooling folded or not.
    steps : Requantization
    sources : tuple of FeatureMap
        What it takes, side by side.
    target : FeatureMap
        What it writes.
    residual : FeatureMap, optional
        What it adds.
    numbers : tuple of int
        Of its descriptors in the program.
    passes : tuple of Pass
    """

    stage: Stage
    allocation: Allocation
    steps: Requantization
    sources: tuple[FeatureMap, ...]
    target: FeatureMap
    residual: FeatureMap | None
    numbers: tuple[int, ...]
    passes: tuple[Pass, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class CompiledProgram(Program):
    """A program that knows the stages of its network; `save` writes only the program.

    Parameters
    ----------
    graph : Graph
    stages : tuple of PlacedStage
        In the order in which they run.
    """

    graph: Graph
    stages: tuple[PlacedStage, ...]
