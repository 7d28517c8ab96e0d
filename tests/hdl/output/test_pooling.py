# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import Pooling
from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Machine
from spinplane.sim import run_bench


@pytest.mark.parametrize(("sub_arrays", "pool_beats"), [(1, 4), (4, 37)])
def test_bench(sub_arrays: int, pool_beats: int) -> None:
    parameters = {
        "name": "bench",
        "sub_arrays": sub_arrays,
        "rows": 16,
        "columns": 32,
        "segments": 1,
        "pool_beats": pool_beats,
    }
    run = run_bench(
        "spinplane.sim.benches.output.bench_pooling",
        {BANK: bank_model(), **verilog_modules(Pooling(Machine(**parameters)), "pooling")},
        "pooling",
        simulator="icarus",
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 1
