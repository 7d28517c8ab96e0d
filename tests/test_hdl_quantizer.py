# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import Quantizer
from spinplane.hdl.verilog import verilog_modules
from spinplane.sim.runner import run_bench

NARROW = {"width": 4, "multiplier_bits": 2, "out_width": 3}


@pytest.mark.parametrize("parameters", [NARROW, {"width": 32}, {"width": 48}], ids=["4", "32", "48"])
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator, parameters):
    sources = verilog_modules(Quantizer(**parameters), "quantizer")
    assert list(sources) == ["quantizer_shifter", "quantizer"]
    run = run_bench(
        "spinplane.sim.bench_quantizer",
        sources,
        "quantizer",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 3


@pytest.mark.parametrize("name", ["width", "multiplier_bits", "out_width"])
def test_refuses_widths_that_are_none(name):
    with pytest.raises(TypeError, match=f"^{name} must be a positive integer, not 0$"):
        Quantizer(**NARROW | {name: 0})
