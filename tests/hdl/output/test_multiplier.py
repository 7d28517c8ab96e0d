# amaranth: UnusedElaboratable=no
import pytest

from spinplane.hdl import Multiplier
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator: str) -> None:
    modules = verilog_modules(Multiplier(), "multiplier")
    run = run_bench(
        "spinplane.sim.benches.output.bench_multiplier", modules, "multiplier", simulator=simulator
    )
    assert run.check().tests == 1
