# amaranth: UnusedElaboratable=no
import json
from dataclasses import asdict

import pytest

from spinplane.hdl.common.bank import BANK, bank_model
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.machine import Machine
from spinplane.sim import run_bench
from spinplane.sim.benches.host.units_with_banks import RegistersWithLog
from spinplane.sim.runner import WARNINGS

SMALL = Machine(name="small", sub_arrays=1, rows=8, columns=64, segments=1, descriptors=5)
MOST_DESCRIPTORS = Machine(name="most", sub_arrays=1, rows=8, columns=64, segments=1, descriptors=1024)


@pytest.mark.parametrize(
    ("machine", "simulator"), [(SMALL, "icarus"), (MOST_DESCRIPTORS, "icarus"), (SMALL, "verilator")]
)
def test_bench(machine: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.host.bench_axi_registers",
        {BANK: bank_model(), **verilog_modules(RegistersWithLog(machine), "registers_with_log")},
        "registers_with_log",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(asdict(machine)), "PYTHONWARNINGS": WARNINGS},
    )
    assert run.check().tests == 9
