# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.input.window_sum import WindowSum
from spinplane.machine import Machine
from spinplane.sim import run_bench


@pytest.mark.parametrize(
    ("row_buses", "rows", "simulator"),
    [(1, 64, "icarus"), (2, 33, "icarus"), (4, 100, "icarus"), (4, 100, "verilator")],
)
def test_bench(row_buses: int, rows: int, simulator: str) -> None:
    parameters = {
        "name": "bench",
        "sub_arrays": 4,
        "rows": rows,
        "columns": 64,
        "segments": 2,
        "row_buses": row_buses,
    }
    run = run_bench(
        "spinplane.sim.benches.input.bench_window_sum",
        {BANK: bank_model(), **verilog_modules(WindowSum(Machine(**parameters)), "window_sum")},
        "window_sum",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 3
