# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.input.input_address_generator import InputAddressGenerator
from spinplane.sim import run_bench

SIZES = {"name": "bench", "sub_arrays": 8, "rows": 64, "columns": 64, "segments": 2, "image_words": 64}


@pytest.mark.parametrize(("row_buses", "simulator"), [(1, "icarus"), (8, "icarus"), (4, "verilator")])
def test_bench(row_buses: int, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.input.bench_input_address_generator",
        verilog_modules(InputAddressGenerator(), "input_address_generator"),
        "input_address_generator",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps({**SIZES, "row_buses": row_buses})},
    )
    assert run.check().tests == 4
