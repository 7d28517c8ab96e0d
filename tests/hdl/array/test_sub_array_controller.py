# amaranth: UnusedElaboratable=no
"""Sub-array controller in RTL against the list of its duties."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from spinplane.hdl import SubArrayController
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Machine
from spinplane.sim import run_bench


def machine(**sizes: Any) -> Machine:
    least = {"sub_arrays": 1, "rows": 24, "columns": 32, "segments": 2, "accumulator_bits": 16}
    return Machine(name="bench", **least | sizes)


@pytest.mark.parametrize(
    "sizes",
    [
        machine(write_cycles=1, memory_operations=True),
        machine(rows=31, columns=64, segments=4, sense_cycles=3, write_cycles=2, memory_operations=True),
        machine(memory_operations=True, xor_sensing=True),
        machine(sense_cycles=2),
    ],
    ids=lambda m: f"sense{m.sense_cycles}_write{m.write_cycles}" + "_xor" * m.xor_sensing,
)
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator: str, sizes: Machine) -> None:
    run_bench(
        "spinplane.sim.benches.array.bench_sub_array_controller",
        verilog_modules(SubArrayController(sizes), "sub_array_controller"),
        "sub_array_controller",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(sizes))},
    ).check()
