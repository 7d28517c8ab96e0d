# amaranth: UnusedElaboratable=no
"""Layer controller in RTL against its golden model."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.control.layer_controller import LayerController
from spinplane.machine import Machine
from spinplane.sim import run_bench


def machine(**sizes: Any) -> Machine:
    least = {"rows": 64, "accumulator_bits": 16, "descriptors": 6}
    return Machine(name="bench", **least | sizes)


MACHINES = [
    machine(sub_arrays=4, columns=64, segments=2),
    machine(sub_arrays=8, columns=128, segments=4, row_buses=2, descriptors=9, memory_operations=True),
]


@pytest.mark.parametrize(
    ("sizes", "simulator"),
    [
        *((sizes, "icarus") for sizes in MACHINES),
        pytest.param(MACHINES[0], "verilator", marks=pytest.mark.thorough),
    ],
    ids=lambda value: value if isinstance(value, str) else f"columns{value.columns}",
)
def test_bench(sizes: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.control.bench_layer_controller",
        verilog_modules(LayerController(sizes), "layer_controller"),
        "layer_controller",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(sizes))},
    )
    assert run.check().tests == 7


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench_of_memory_operations(simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.control.bench_memory_descriptors",
        verilog_modules(LayerController(MACHINES[1]), "layer_controller"),
        "layer_controller",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(MACHINES[1]))},
    )
    assert run.check().tests == 2
