"""Faults of memories, drawn, and a shipped network in them."""

from dataclasses import replace

import numpy as np

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.device import draw_fault_map, load_technology
from spinplane.machine import Machine, load_machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.transient import TransientFaults
from spinplane.models import open_model
from spinplane.samples import sample_digit
from spinplane.sim import available_simulators
from spinplane.sim.accelerator import run_accelerator


def random_faults(machine: Machine, rng: np.random.Generator, cells: int, drifted: float) -> FaultMap:
    """Stuck cells, and amplifiers with any threshold; seldom so many that every sum is noise."""
    shape = (machine.sub_arrays, machine.rows, machine.columns)
    chosen = rng.choice(np.prod(shape), cells, replace=False)
    stuck = np.stack([*np.unravel_index(chosen, shape), rng.integers(0, 2, cells)], axis=1)
    none = FaultMap.none(machine)
    thresholds = {}
    for name, most in (("read", 2), ("and", 3), ("or", 3)):
        nominal = getattr(none, f"{name}_thresholds")
        drift = rng.random(nominal.shape) < drifted
        thresholds[f"{name}_thresholds"] = np.where(drift, rng.integers(0, most + 1, nominal.shape), nominal)
    return FaultMap(sub_arrays=shape[0], rows=shape[1], columns=shape[2], stuck=stuck, **thresholds)


def varied_faults(machine: Machine, rng: np.random.Generator, seed: int) -> FaultMap:
    """Cells that vary, seldom little."""
    return draw_fault_map(
        machine,
        load_technology("sot-mram"),
        seed,
        sigma_ra=rng.uniform(0.02, 0.2),
        sigma_tmr=rng.uniform(0.05, 0.4),
        offset_sigma=10 ** rng.uniform(-3, -1.7),
        weak_cells=10 ** rng.uniform(-5, -2),
    )


def with_transient(faults: FaultMap, rng: np.random.Generator, seed: int, rate: float) -> FaultMap:
    """Transient faults of some rate beside what a map has."""
    write, disturb = rate * rng.random(2), 0.05 * rate * rng.random(12)
    transient = TransientFaults(seed=seed, write=tuple(write), disturb=tuple(disturb), decay=1e-4 * rate)
    return replace(faults, transient=transient)


def transient_faults(machine: Machine, seed: int, decades: tuple[float, float] = (-6.5, -3.0)) -> FaultMap:
    """Of rates from rare to frequent; every fifth with stuck cells and drifted amplifiers, too."""
    rng = np.random.default_rng(seed)
    static = FaultMap.none(machine) if seed % 5 else random_faults(machine, rng, cells=1000, drifted=0.001)
    return with_transient(static, rng, seed, 10 ** rng.uniform(*decades))


class Shipped:
    """A shipped network on the RTL and the functional machine, with the same faults."""

    def __init__(self) -> None:
        self.machine, graph = load_machine("paper8"), open_model("digits-1-4")
        self.program = compile_graph(graph, self.machine)
        inputs = graph.encode_input(sample_digit(5))
        self.codes = ((inputs - self.program.input.offset) // self.program.input.scale)[0]
        self.right = run_graph(graph, inputs)

    def wrong_values(self, faults: FaultMap) -> int:
        """Both have the same values in every map; returns those of the last that are wrong."""
        program = self.program
        functional = Accelerator(self.machine, faults)
        functional.load(program)
        functional.write_map(program.input, self.codes)
        expected = functional.run()
        rtl = run_accelerator(
            program,
            [self.codes],
            simulator=available_simulators()[0],
            limit=expected.counters.cycles,
            faults=faults,
        ).images[0]
        assert rtl.record.counters == expected.counters
        for layer, values in zip(program.layers, rtl.maps, strict=True):
            assert (values == functional.read_map(layer.output)).all(), layer.name
        return int((functional.read_map(program.layers[-1].output) != self.right[-1][0]).sum())
