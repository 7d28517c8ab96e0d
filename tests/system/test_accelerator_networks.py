# amaranth: UnusedElaboratable=no
"""Random networks on the RTL, the functional machine and the compiler's prediction: every bit, event and cycle."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from network_strategies import networks

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.hdl.export.machine_verilog import ACCELERATOR, accelerator_sources
from spinplane.machine import Coding, Machine, Operand, SpinplaneError, load_machine
from spinplane.machine.program import FeatureMap, Program
from spinplane.machine.registers import Error
from spinplane.sim import run_bench
from spinplane.sim.accelerator import input_step, output_codes, output_step, program_steps
from spinplane.sim.axi import WARNINGS
from spinplane.sim.host_script import (
    RECORD_FILE,
    SCRIPT_VARIABLE,
    HostRun,
    Record,
    Step,
    load_record,
    save_script,
)
from spinplane.sim.model import default_build_root
from tests.compiler.codegen.test_program import inputs_of
from tests.compiler.test_residual import downsampled_block, identity_block

TINY = load_machine("tiny")
SLOW = Machine(
    name="slow",
    sub_arrays=4,
    rows=64,
    columns=64,
    segments=2,
    row_buses=4,
    results_per_cycle=2,
    sense_cycles=2,
    write_cycles=3,
    image_words=4096,
)
#: Every result in one beat, every write in one cycle: nothing hides behind another wait.
FAST = Machine(
    name="fast",
    sub_arrays=8,
    rows=128,
    columns=64,
    segments=4,
    accumulator_bits=16,
    row_buses=8,
    results_per_cycle=4,
    write_cycles=1,
    image_words=4096,
)

#: Writes beside senses.
TINY_OVERLAP, SLOW_OVERLAP, FAST_OVERLAP = (
    replace(machine, name=f"{machine.name}-overlap", write_overlap="same_array")
    for machine in (TINY, SLOW, FAST)
)

#: Of the random networks.
SEED = 5

Case = tuple[Graph, Program, np.ndarray]


def compiled_networks(machine: Machine, count: int) -> list[Case]:
    """Programs of random graphs with an input each, no two with the same kernels; of ten graphs the compiler may
    refuse two.
    """
    cases: dict[int, Case] = {}
    refusals: list[str] = []

    # Without it the text of the function would be the seed.
    @seed(SEED)
    @settings(
        max_examples=2 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def draw(network: tuple[Graph, np.ndarray]) -> None:
        if len(cases) == count:
            return
        graph, inputs = network
        try:
            program = compile_graph(graph, machine)
        except SpinplaneError as error:
            refusals.append(str(error))
        else:
            tag = program.header.tag
            cases.setdefault(tag, (graph, program, inputs[:1]))

    draw()
    assert len(cases) == count
    assert len(refusals) <= count // 4, refusals
    return list(cases.values())


def input_codes(program: Program, inputs: np.ndarray) -> np.ndarray:
    return ((inputs - program.input.offset) // program.input.scale)[0]


def run_twice(machine: Machine, cases: list[Case], simulator: str, folder: Path) -> Record:
    """Each program is written, and run twice, in one simulation without a reset."""
    steps: list[Step] = []
    for _, program, inputs in cases:
        steps += program_steps(program)
        for _ in range(2):
            steps.append(input_step(program, input_codes(program, inputs)))
            steps.append(HostRun(program=0, descriptors=len(program.descriptors), limit=200_000))
            steps += [output_step(layer.output, machine) for layer in program.layers if layer.kept]
    script = folder / "script.npz"
    save_script(script, machine, steps, stall=0, seed=0)
    run_bench(
        "spinplane.sim.benches.bench_accelerator",
        accelerator_sources(machine, default_build_root() / "verilog"),
        ACCELERATOR,
        simulator=simulator,
        environment={SCRIPT_VARIABLE: str(script), "PYTHONWARNINGS": WARNINGS},
        run_folder=folder / "run",
        timeout_s=3600,
    ).check()
    return load_record(folder / "run" / RECORD_FILE)


def values_of(feature_map: FeatureMap, codes: np.ndarray) -> np.ndarray:
    return codes if feature_map.layout == "raw" else codes * feature_map.scale + feature_map.offset


def compare(machine: Machine, cases: list[Case], record: Record) -> Iterator[str]:
    """Differences between the four of them."""
    functional = Accelerator(machine)
    runs, reads = iter(record.runs), iter(record.reads)
    for number, (graph, program, inputs) in enumerate(cases):
        functional.load(program)
        wanted = run_graph(graph, inputs)
        for resident in (False, True):
            where = f"network {number}, {'steady' if resident else 'cold'}"
            functional.write_map(program.input, input_codes(program, inputs))
            expected, predicted, found = functional.run(), predict(program, resident=resident), next(runs)
            if not found.error == expected.error == Error.NONE:
                yield f"{where}: {found.error.name}, {expected.error.name}"
            if not found.counters == expected.counters == predicted.total:
                yield f"{where}: {found.counters}, {expected.counters}, {predicted.total}"
            for at, layers in enumerate(zip(found.layers, expected.layers, predicted.passes, strict=True)):
                values = zip(*(layer.as_dict().items() for layer in layers), strict=True)
                differences = [items for items in values if len({value for _, value in items}) > 1]
                if differences:
                    yield f"{where}, descriptor {at}: {differences}"
            for layer, want in zip(program.layers, wanted, strict=True):
                if layer.kept:
                    codes = output_codes(layer.output, machine, next(reads))
                    if not (values_of(layer.output, codes) == want[0]).all():
                        yield f"{where}, {layer.name}: not what the graph gives"
                    if not (functional.read_map(layer.output) == codes).all():
                        yield f"{where}, {layer.name}: not what the functional machine gives"


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        (TINY, 20),
        (TINY_OVERLAP, 8),
        pytest.param(TINY, 200, marks=pytest.mark.thorough),
        pytest.param(SLOW, 60, marks=pytest.mark.thorough),
        pytest.param(FAST, 60, marks=pytest.mark.thorough),
        pytest.param(TINY_OVERLAP, 60, marks=pytest.mark.thorough),
        pytest.param(SLOW_OVERLAP, 20, marks=pytest.mark.thorough),
        pytest.param(FAST_OVERLAP, 20, marks=pytest.mark.thorough),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_three_clocks_agree(machine: Machine, count: int, tmp_path: Path) -> None:
    cases = compiled_networks(machine, count)
    record = run_twice(machine, cases, "verilator", tmp_path)
    assert not list(compare(machine, cases, record))


def test_residual_blocks_agree(tmp_path: Path) -> None:
    graphs = [
        identity_block(3, Operand(bits=1)),
        downsampled_block(Operand(bits=1)),
        downsampled_block(Operand(bits=1, coding=Coding.BIPOLAR)),
    ]
    cases = [(graph, compile_graph(graph, TINY), inputs_of(graph, count=1)) for graph in graphs]
    record = run_twice(TINY, cases, "verilator", tmp_path)
    assert not list(compare(TINY, cases, record))
