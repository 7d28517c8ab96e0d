"""Export of a machine with a network to try it out."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths, Network, NetworkLayer, Pool
from spinplane.compiler.graph import Graph
from spinplane.device.technology import Technology
from spinplane.evaluation import memory_times
from spinplane.hdl.common.clock_gate import ClockGating
from spinplane.hdl.export.files import Export, export
from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.program import Program
from spinplane.sim.exported_bench import exported_bench

from ..defaults import CLOCK_GATING, DIGIT, DIGITS_NETWORK
from ..models import open_model
from ..samples import sample_digit
from .clock import chosen_technology, clock_of

#: For machines too small for a shipped network: two layers with pooling, and one that fits any machine.
_BUILT_IN = (
    (
        Network(
            name="small",
            source="none",
            channels=1,
            side=8,
            layers=(
                NetworkLayer(name="conv1", channels=8, kernel=3, padding=1, pool=Pool(kind="max")),
                NetworkLayer(
                    name="conv2", channels=6, kernel=3, bias=True, batch_norm=False, activation=False
                ),
            ),
        ),
        BitWidths(weight=1, activation=2),
    ),
    (
        Network(
            name="smallest",
            source="none",
            channels=1,
            side=2,
            layers=(NetworkLayer(name="conv", channels=1, kernel=1, batch_norm=False, activation=False),),
        ),
        BitWidths(weight=1, activation=1),
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class BenchCase:
    """A network that tries out a machine.

    Parameters
    ----------
    graph : Graph
    program : Program
    values, codes : ndarray of shape (channels, height, width)
        An image as the first layer takes it, and the codes that stand for it in the program's input map.
    """

    graph: Graph
    program: Program
    values: np.ndarray
    codes: np.ndarray


def export_machine(
    machine: Machine,
    folder: Path,
    *,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    kept_in: Path | None = None,
    asynchronous_reset: bool = False,
    clock_gating: str = CLOCK_GATING,
) -> Export:
    """Write a machine's accelerator with a bench that runs a network on it.

    Parameters
    ----------
    machine : Machine
    folder : Path
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        Of datasheet and bench, see `clock_of`.
    kept_in : Path, optional
        See `spinplane.hdl.export.files.export`.
    asynchronous_reset : bool
        See `spinplane.hdl.export.files.export`.
    clock_gating : {"none", "enables", "cells"}
        See `ClockGating`.

    Raises
    ------
    SpinplaneError
        If no network fits the machine, the clock does not, or `clock_gating` is unknown.
    OSError
        If the folder cannot be written.
    """
    gating = ClockGating.named(clock_gating)
    of_machine = clock_of(machine, technology, clock)
    times = memory_times(machine, chosen_technology(technology)) if of_machine else None
    case = bench_case(machine)
    return export(
        machine,
        folder,
        clock=of_machine,
        kept_in=kept_in,
        bench=exported_bench(case.program, case.codes, of_machine.clock_hz if of_machine else None),
        times=times.middle if times else None,
        asynchronous_reset=asynchronous_reset,
        clock_gating=gating,
    )


def bench_case(machine: Machine) -> BenchCase:
    """A program that fits the machine: of a shipped network if one does, else of a small one with seeded weights.

    Raises
    ------
    SpinplaneError
        If not even the smallest network fits; the message is that network's.
    """
    graph = open_model(DIGITS_NETWORK)
    try:
        program = compile_graph(graph, machine)
    except SpinplaneError:
        return _built_in(machine)
    return _case(graph, program, graph.encode_input(sample_digit(DIGIT))[0])


def _built_in(machine: Machine) -> BenchCase:
    graphs = [build_graph(network, bits) for network, bits in _BUILT_IN]
    for graph in graphs[:-1]:
        try:
            program = compile_graph(graph, machine)
        except SpinplaneError:
            continue
        return _case(graph, program, _random_input(graph))
    return _case(graphs[-1], compile_graph(graphs[-1], machine), _random_input(graphs[-1]))


def _random_input(graph: Graph) -> np.ndarray:
    """Seeded values that the first layer takes."""
    operand = graph.layers[0].i
    return np.random.default_rng(0).integers(0, operand.largest + 1, graph.input_shape)


def _case(graph: Graph, program: Program, values: np.ndarray) -> BenchCase:
    feature_map = program.input
    codes = (values - feature_map.offset) // feature_map.scale
    return BenchCase(graph=graph, program=program, values=values, codes=codes)
