# amaranth: UnusedElaboratable=no
import pytest

from spinplane.hdl import Quantizer
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize(("width", "simulator"), [(6, "icarus"), (64, "icarus"), (64, "verilator")])
def test_bench(width: int, simulator: str) -> None:
    modules = verilog_modules(Quantizer(width), "quantizer")
    assert list(modules) == ["quantizer_shifter", "quantizer"]
    run = run_bench("spinplane.sim.benches.output.bench_quantizer", modules, "quantizer", simulator=simulator)
    assert run.check().tests == 2


def test_refuses_widths_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"^width must be a positive integer, not 0$"):
        Quantizer(0)
