# amaranth: UnusedElaboratable=no
"""Sequencer in RTL against the loops of a layer."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.control.sequencer import Sequencer
from spinplane.machine import Machine
from spinplane.sim import run_bench


def machine(**sizes: Any) -> Machine:
    least = {
        "sub_arrays": 1,
        "rows": 64,
        "columns": 32,
        "segments": 2,
        "accumulator_bits": 16,
        "kernel_words": 96,
    }
    return Machine(name="bench", **least | sizes)


MACHINES = [
    machine(write_cycles=1),
    machine(sub_arrays=2, rows=71, columns=64, segments=4, memory_operations=True, xor_sensing=True),
    machine(sub_arrays=4, rows=100, sense_cycles=2, write_cycles=3, memory_operations=True),
]


@pytest.mark.parametrize(
    ("sizes", "simulator"),
    [
        (MACHINES[1], "verilator"),
        (MACHINES[2], "icarus"),
        *(pytest.param(sizes, "icarus", marks=pytest.mark.thorough) for sizes in MACHINES[:2]),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else f"buses{value.row_buses}_sense{value.sense_cycles}"
    ),
)
def test_bench(sizes: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.control.bench_sequencer",
        verilog_modules(Sequencer(sizes), "sequencer"),
        "sequencer",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(sizes))},
    )
    assert run.check().tests == 4


@pytest.mark.parametrize(
    ("sizes", "simulator"),
    [(MACHINES[1], "verilator"), (MACHINES[2], "icarus")],
    ids=lambda value: value if isinstance(value, str) else f"sense{value.sense_cycles}",
)
def test_bench_of_memory_operations(sizes: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.control.bench_memory_operations",
        verilog_modules(Sequencer(sizes), "sequencer"),
        "sequencer",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(sizes))},
    )
    assert run.check().tests == 2
