# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.input.input_streamer import InputStreamer
from spinplane.machine import Machine
from spinplane.sim import run_bench

SIZES = {
    "one bus": {"sub_arrays": 2, "rows": 64, "columns": 64, "segments": 2, "row_buses": 1},
    "two buses": {"sub_arrays": 2, "rows": 64, "columns": 64, "segments": 2, "row_buses": 2},
    "four buses": {"sub_arrays": 4, "rows": 100, "columns": 128, "segments": 4, "row_buses": 4},
    "least": {"sub_arrays": 1, "rows": 33, "columns": 16, "segments": 1, "accumulator_bits": 16},
    "wide": {"sub_arrays": 8, "rows": 256, "columns": 512, "segments": 8, "row_buses": 8},
}


@pytest.mark.parametrize(
    ("sizes", "simulator"),
    [
        ("two buses", "icarus"),
        *(
            pytest.param(sizes, "icarus", marks=pytest.mark.thorough)
            for sizes in ("one bus", "four buses", "least")
        ),
        pytest.param("wide", "verilator", marks=pytest.mark.thorough),
    ],
)
def test_bench(sizes: str, simulator: str) -> None:
    parameters = {"name": "bench", "image_words": 64, **SIZES[sizes]}
    run = run_bench(
        "spinplane.sim.benches.input.bench_input_streamer",
        verilog_modules(InputStreamer(Machine(**parameters)), "input_streamer"),
        "input_streamer",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 6
