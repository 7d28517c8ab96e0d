# amaranth: UnusedElaboratable=no
import pytest

from spinplane.hdl import WindowCorrection
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator: str) -> None:
    modules = verilog_modules(WindowCorrection(), "window_correction")
    run = run_bench(
        "spinplane.sim.benches.output.bench_window_correction",
        modules,
        "window_correction",
        simulator=simulator,
    )
    assert run.check().tests == 1


@pytest.mark.parametrize("name", ["window_sum_bits", "scale_bits"])
def test_refuses_widths_that_are_none(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a positive integer, not 0$"):
        WindowCorrection(**{name: 0})
