# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import OutputPacker
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench

SIZES = [(1, 16), (4, 64), (8, 256), (16, 16)]


@pytest.mark.parametrize(
    ("lanes", "width", "simulator"), [*((*size, "icarus") for size in SIZES), (4, 64, "verilator")]
)
def test_bench(lanes: int, width: int, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.output.bench_output_packer",
        verilog_modules(OutputPacker(lanes, width), "output_packer"),
        "output_packer",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps({"lanes": lanes, "width": width})},
    )
    assert run.check().tests == 1


@pytest.mark.parametrize(
    ("lanes", "width", "error", "message"),
    [
        (0, 16, TypeError, "lanes must be a positive integer, not 0"),
        (4, "16", TypeError, "width must be a positive integer, not '16'"),
        (3, 16, ValueError, "lanes must be a power of two, not 3"),
        (4, 24, ValueError, "width must be a power of two, not 24"),
        (32, 16, ValueError, "width must be at least lanes = 32, not 16"),
    ],
)
def test_refuses_wrong_sizes(lanes: int, width: int, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        OutputPacker(lanes, width)
    assert str(caught.value) == message
