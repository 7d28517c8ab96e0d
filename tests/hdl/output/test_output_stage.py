# amaranth: UnusedElaboratable=no
import json

import pytest

from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.clock_gate import CLOCK_GATE, ClockGating, clock_gate_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.output.output_stage import OutputStage
from spinplane.machine import Machine
from spinplane.sim import run_bench

#: Rows and segments have nothing to do with the output stage.
COMMON = {"rows": 16, "segments": 1, "image_words": 1024, "parameter_beats": 128, "threshold_beats": 164}
SIZES = [
    {"sub_arrays": 2, "columns": 64, "pool_beats": 40, "multipliers": 2},
    {"sub_arrays": 8, "columns": 128, "row_buses": 8, "pool_beats": 80, "multipliers": 2},
    {"sub_arrays": 4, "columns": 32, "row_buses": 1, "results_per_cycle": 1, "pool_beats": 9},
    {
        "sub_arrays": 8,
        "columns": 16,
        "row_buses": 4,
        "accumulator_bits": 16,
        "pool_beats": 37,
        "image_words": 4096,
    },
]


@pytest.mark.parametrize(
    ("sizes", "simulator", "clock_gating"),
    [
        (SIZES[0], "verilator", ClockGating.ENABLES),
        pytest.param(SIZES[1], "verilator", ClockGating.CELLS, marks=pytest.mark.thorough),
        pytest.param(SIZES[2], "icarus", ClockGating.NONE, marks=pytest.mark.thorough),
        pytest.param(SIZES[3], "verilator", ClockGating.CELLS, marks=pytest.mark.thorough),
    ],
)
def test_bench(sizes: dict[str, int], simulator: str, clock_gating: ClockGating) -> None:
    """Values, cycles and errors, of which a stopped clock changes none."""
    parameters = COMMON | {"name": "bench"} | sizes
    modules = verilog_modules(OutputStage(Machine(**parameters)), "output_stage", clock_gating)
    run = run_bench(
        "spinplane.sim.benches.output.bench_output_stage",
        {BANK: bank_model(), CLOCK_GATE: clock_gate_model(), **modules},
        "output_stage",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(parameters)},
    )
    assert run.check().tests == 8
