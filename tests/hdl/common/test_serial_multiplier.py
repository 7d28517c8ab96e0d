# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl.common.serial_multiplier import SerialMultiplier
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize(("count_bits", "step_bits", "latency"), [(16, 24, 5), (5, 3, 3), (1, 1, 2)])
def test_bench(count_bits: int, step_bits: int, latency: int) -> None:
    product = SerialMultiplier(count_bits, step_bits)
    assert product.latency == latency
    run = run_bench(
        "spinplane.sim.benches.common.bench_serial_multiplier",
        verilog_modules(product, "serial_multiplier"),
        "serial_multiplier",
        simulator="icarus",
        environment={"BENCH_PARAMETERS": json.dumps({"count_bits": count_bits, "step_bits": step_bits})},
    )
    assert run.check().tests == 1


def test_refuses_wrong_sizes() -> None:
    with pytest.raises(TypeError, match=r"^count_bits must be a positive integer, not 0$"):
        SerialMultiplier(0, 1)
    with pytest.raises(TypeError, match=r"^step_bits must be a positive integer, not 1.5$"):
        SerialMultiplier(1, 1.5)
