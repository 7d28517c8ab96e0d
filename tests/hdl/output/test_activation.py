# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl import Activation
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.sim import run_bench


@pytest.mark.parametrize(("words", "simulator"), [(256, "verilator"), (256, "icarus"), (200, "icarus")])
def test_bench(words: int, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.output.bench_activation",
        verilog_modules(Activation(words), "activation"),
        "activation",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps({"words": words})},
    )
    assert run.check().tests == 2


def test_refuses_words_that_are_none() -> None:
    with pytest.raises(TypeError, match=r"^words must be a positive integer, not 0$"):
        Activation(0)
