# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import Activation
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize(("width", "simulator"), [(63, "verilator"), (63, "icarus"), (50, "icarus")])
def test_bench(width: int, simulator: str) -> None:
    modules = verilog_modules(Activation(width), "activation")
    assert list(modules) == ["quantizer_shifter", "quantizer", "activation"]
    run = run_bench(
        "spinplane.sim.benches.output.bench_activation",
        modules,
        "activation",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps({"width": width})},
    )
    assert run.check().tests == 2


def test_refuses_widths_that_cannot_hold_an_offset() -> None:
    with pytest.raises(TypeError, match=r"^width must be a positive integer, not 0$"):
        Activation(0)
    with pytest.raises(ValueError, match=r"^width must be at least 50, not 49$"):
        Activation(49)
