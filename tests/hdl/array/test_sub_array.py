# amaranth: UnusedElaboratable=no
"""Sub-array in RTL against the functional machine."""

import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import pytest

from spinplane.hdl import SubArray
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Machine
from spinplane.sim import run_bench


def machine(**sizes: Any) -> Machine:
    least = {"sub_arrays": 1, "rows": 24, "columns": 32, "segments": 2, "accumulator_bits": 16}
    return Machine(name="bench", **least | sizes)


# Rows that are no power of two; one segment; as many as fit; slow and fast pulses; with memory operations and without.
MACHINES = [
    machine(write_cycles=1, memory_operations=True),
    machine(columns=64, segments=1, sense_cycles=2, write_cycles=3),
    machine(rows=31, columns=64, segments=4, sense_cycles=3, write_cycles=2, memory_operations=True),
    machine(sense_cycles=2, memory_operations=True, xor_sensing=True),
]


def sources(sizes: Machine) -> dict[str, str]:
    array = (files("spinplane.hdl.array") / "sot_mram_array.v").read_text(encoding="utf-8")
    return {"sot_mram_array": array, **verilog_modules(SubArray(sizes), "sub_array")}


@pytest.mark.parametrize("sizes", MACHINES, ids=lambda m: f"sense{m.sense_cycles}_write{m.write_cycles}")
@pytest.mark.parametrize("simulator", [pytest.param("verilator", marks=pytest.mark.thorough), "icarus"])
def test_bench(simulator: str, sizes: Machine) -> None:
    run_bench(
        "spinplane.sim.benches.array.bench_sub_array",
        sources(sizes),
        "sub_array",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(sizes))},
    ).check()
