# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import Pooling
from spinplane.hdl.verilog import verilog_modules
from spinplane.sim.runner import run_bench


@pytest.mark.parametrize("width", [4, 32])
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator, width):
    sources = verilog_modules(Pooling(width), "pooling")
    assert list(sources) == ["pooling_sum", "pooling_shifter", "pooling"]
    parameters = {"BENCH_PARAMETERS": json.dumps({"width": width})}
    run = run_bench(
        "spinplane.sim.bench_pooling", sources, "pooling", simulator=simulator, environment=parameters
    )
    assert run.check().tests == 3


@pytest.mark.parametrize("width", [0, 8.0])
def test_refuses_widths_that_are_none(width):
    with pytest.raises(TypeError, match=f"^width must be a positive integer, not {width}$"):
        Pooling(width)
