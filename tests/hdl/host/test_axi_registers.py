# amaranth: UnusedElaboratable=no
import json
from dataclasses import asdict

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spinplane.hdl.common.bank import BANK, Bank, bank_model, bank_write
from spinplane.hdl.common.verilog import place, verilog_modules
from spinplane.hdl.host.axi_registers import ACCELERATOR_COUNTERS, AxiRegisters
from spinplane.machine import Machine
from spinplane.sim import run_bench
from spinplane.sim.axi import WARNINGS

SMALL = Machine(name="small", sub_arrays=1, rows=8, columns=64, segments=1, descriptors=5)
MOST_DESCRIPTORS = Machine(name="most", sub_arrays=1, rows=8, columns=64, segments=1, descriptors=1024)


class RegistersWithLog(wiring.Component):
    """The unit with the bank of its log, which a bench can write."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        members = {
            name: member for name, member in AxiRegisters(machine).signature.members.items() if name != "log"
        }
        entry = bank_write(machine.descriptors, ACCELERATOR_COUNTERS.size)
        super().__init__({**members, "entry": In(entry)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        unit = place(m, platform, "axi_registers", AxiRegisters(self.machine))
        log = place(m, platform, "log", Bank(self.machine.descriptors, ACCELERATOR_COUNTERS.size))
        wiring.connect(m, wiring.flipped(self.entry), log.write)
        wiring.connect(m, unit.log, log.read)
        wiring.connect(m, wiring.flipped(self.axil), unit.axil)
        for name, member in self.signature.members.items():
            if name in ("axil", "entry"):
                continue
            inner, outer = getattr(unit, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        return m


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
