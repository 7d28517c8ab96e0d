# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import WindowCorrection
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Machine
from spinplane.sim import run_bench


@pytest.mark.parametrize(
    ("lanes", "accumulator_bits", "simulator"), [(1, 16, "icarus"), (4, 48, "icarus"), (2, 32, "verilator")]
)
def test_bench(lanes: int, accumulator_bits: int, simulator: str) -> None:
    parameters = {
        "name": "bench",
        "sub_arrays": lanes,
        "rows": 16,
        "columns": 32,
        "segments": 1,
        "accumulator_bits": accumulator_bits,
    }
    run = run_bench(
        "spinplane.sim.benches.output.bench_window_correction",
        verilog_modules(WindowCorrection(Machine(**parameters)), "window_correction"),
        "window_correction",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 1
