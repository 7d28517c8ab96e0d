# amaranth: UnusedElaboratable=no
"""Row decoder in RTL against its golden model."""

import json

import pytest

from spinplane.hdl import RowDecoder
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("rows", [5, 512])
def test_bench(rows: int, simulator: str) -> None:
    parameters = {"rows": rows}
    run_bench(
        "spinplane.sim.benches.array.bench_row_decoder",
        verilog_modules(RowDecoder(**parameters), "row_decoder"),
        "row_decoder",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    ).check()


@pytest.mark.parametrize(
    ("rows", "message"),
    [(0, "rows must be a positive integer, not 0"), ("8", "rows must be a positive integer, not '8'")],
)
def test_refuses_wrong_rows(rows: object, message: str) -> None:
    with pytest.raises(TypeError) as error:
        RowDecoder(rows)  # type: ignore[arg-type]
    assert str(error.value) == message
