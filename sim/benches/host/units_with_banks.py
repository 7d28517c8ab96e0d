# amaranth: UnusedElaboratable=no
"""Units of the bus with the banks that their benches need behind them."""

from amaranth.hdl import Cat, Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from spinplane.hdl.common.bank import Bank, WideBank, bank_write
from spinplane.hdl.common.verilog import place
from spinplane.hdl.host.axi_bank import AxiBank, axi4
from spinplane.hdl.host.axi_registers import ACCELERATOR_COUNTERS, AxiRegisters
from spinplane.machine import Machine
from spinplane.machine.memory_map import MemoryMap


class AxiBankWithBanks(wiring.Component):
    """`AxiBank` with its banks, which someone else reads while it is busy; images lie in a wide bank.

    Parameters
    ----------
    memory : MemoryMap
    """

    def __init__(self, memory: MemoryMap) -> None:
        self.memory = memory
        super().__init__({"axi": In(axi4(memory.bus_bits, 4)), "busy": In(1), "other_address": In(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        unit = place(m, platform, "axi_bank", AxiBank(self.memory))
        wiring.connect(m, wiring.flipped(self.axi), unit.axi)
        m.d.comb += unit.busy.eq(self.busy)
        for name, size in self.memory.banks.items():
            wide = name == "image"
            bank = place(m, platform, f"{name}_bank", (WideBank if wide else Bank)(size.words, size.width))
            write, read = getattr(unit, f"{name}_write"), getattr(unit, f"{name}_read")
            wiring.connect(m, write, bank.write)
            port = bank.read[0] if wide else bank.read
            address = Cat(Const(0, exact_log2(size.width)), read.address) if wide else read.address
            other = self.other_address % (size.bits if wide else size.words)
            m.d.comb += [
                port.enable.eq(read.enable | self.busy),
                port.address.eq(Mux(self.busy, other, address)),
                read.data.eq(port.data),
            ]
        return m


class RegistersWithLog(wiring.Component):
    """`AxiRegisters` with the bank of its log, which a bench can write.

    Parameters
    ----------
    machine : Machine
    """

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
