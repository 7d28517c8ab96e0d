# amaranth: UnusedElaboratable=no
import pytest

from spinplane.hdl import BatchNorm
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator: str) -> None:
    modules = verilog_modules(BatchNorm(), "batch_norm")
    run = run_bench(
        "spinplane.sim.benches.output.bench_batch_norm", modules, "batch_norm", simulator=simulator
    )
    assert run.check().tests == 1
