# amaranth: UnusedElaboratable=no
"""Multi-line row decoder in RTL against its golden model."""

import json

import pytest

from spinplane.hdl import MultiLineRowDecoder
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("rows", [5, 512])
def test_bench(rows: int, simulator: str) -> None:
    parameters = {"rows": rows}
    run_bench(
        "spinplane.sim.benches.array.bench_multi_line_row_decoder",
        verilog_modules(MultiLineRowDecoder(**parameters), "multi_line_row_decoder"),
        "multi_line_row_decoder",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    ).check()


def test_refuses_wrong_rows() -> None:
    with pytest.raises(TypeError) as error:
        MultiLineRowDecoder(-1)
    assert str(error.value) == "rows must be a positive integer, not -1"
