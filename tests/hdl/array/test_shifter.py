# amaranth: UnusedElaboratable=no
"""The shifter in RTL against its golden model."""

import pytest

from spinplane.hdl import Shifter
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench

SIZES = ("in_width", "out_width", "amount_bits")


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize(SIZES, [(4, 9, 4), (9, 32, 6)])
def test_bench(in_width: int, out_width: int, amount_bits: int, simulator: str) -> None:
    shifter = Shifter(in_width, out_width, amount_bits)
    modules = verilog_modules(shifter, "shifter")
    run_bench("spinplane.sim.benches.array.bench_shifter", modules, "shifter", simulator=simulator).check()


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ((0, 8, 3), TypeError, "in_width must be a positive integer, not 0"),
        ((4, "8", 3), TypeError, "out_width must be a positive integer, not '8'"),
        ((4, 8, -1), TypeError, "amount_bits must be a positive integer, not -1"),
        ((4, 3, 3), ValueError, "out_width must be at least in_width = 4, not 3"),
    ],
)
def test_refuses_wrong_sizes(
    sizes: tuple[int, int, int],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error) as caught:
        Shifter(*sizes)
    assert str(caught.value) == message
