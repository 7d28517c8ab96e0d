"""Reference select in RTL against its golden model."""

import pytest

from spinplane.hdl import ReferenceSelect, Sense
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize("xor_sensing", [False, True])
@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_bench(simulator: str, xor_sensing: bool) -> None:
    run_bench(
        "spinplane.sim.benches.array.bench_reference_select",
        verilog_modules(ReferenceSelect(xor_sensing), "reference_select"),
        "reference_select",
        simulator=simulator,
    ).check()


def test_codes_of_operations() -> None:
    assert [Sense(code) for code in range(4)] == [Sense.NONE, Sense.M, Sense.AND, Sense.OR]
