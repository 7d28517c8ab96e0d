"""Accelerator: the engine with its banks, address generators, digital units, controller and buses."""

from dataclasses import replace

from amaranth.hdl import Cat, Const, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import COUNTER_BITS, COUNTER_NAMES, Machine
from spinplane.machine.descriptor import Kind
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.memory_map import BankSize, MemoryMap
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS
from spinplane.machine.registers import Error

from .array.engine import Engine
from .common.bank import Bank, WideBank
from .common.beat import PARAMETER_PARTS, SCALE_PARTS
from .common.channel_bank import ChannelBank, field_parts, lane_parts
from .common.verilog import place
from .control.layer_controller import LayerController
from .control.sequencer import Sequencer
from .host.axi_bank import AxiBank, axi4
from .host.axi_registers import ACCELERATOR_COUNTERS, AxiRegisters, axi4_lite
from .input.input_streamer import InputStreamer
from .input.window_sum import WindowSum
from .output.output_stage import OutputStage
from .output.row_store import RowStore
from .output.scale_reader import scale_channels, scale_words

#: Bits of an AXI4 transaction's ID.
ID_BITS = 4


class Accelerator(wiring.Component):
    """A network accelerator behind AXI4 and AXI4-Lite: ``docs/accelerator.md`` draws it.

    A reset of one cycle or more brings any state of the flip-flops to idle. While it is high no word line is, and a
    row whose write it cuts is unknown; an abort ends a program without cutting one. The cells and the banks keep
    their contents.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    axil : In(axi4_lite())
        Registers, see `spinplane.machine.registers`.
    axi : In(axi4(bus_bits, ID_BITS))
        Banks, see `spinplane.machine.memory_map`.
    interrupt : Out(1)
        A program is done, and ``CONTROL`` lets it be told.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {"axil": In(axi4_lite()), "axi": In(axi4(machine.bus_bits, ID_BITS)), "interrupt": Out(1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine = self.machine
        memory = memories(machine)
        self._registers = place(m, platform, "axi_registers", AxiRegisters(machine))
        self._bus = place(m, platform, "axi_bank", AxiBank(memory, ID_BITS))
        self._controller = place(m, platform, "layer_controller", LayerController(machine))
        units_reset = self._units_reset(m)
        units = {
            "input_streamer": InputStreamer(machine),
            "window_sum": WindowSum(machine),
            "sequencer": Sequencer(machine),
            "engine": Engine(machine),
            "output_stage": OutputStage(machine),
            **({"row_store": RowStore(machine)} if machine.memory_operations else {}),
        }
        for name, unit in units.items():
            setattr(self, f"_{name}", place(m, platform, name, unit, units_reset))
        self._join_units(m)
        self._control(m)
        self._banks(m, platform, memory)
        self._count(m, platform)
        return m

    def _units_reset(self, m: Module) -> Signal:
        """Reset of all that a program sets to work: that of the accelerator, or the end of an abort."""
        units_reset = Signal()
        m.d.comb += units_reset.eq(ResetSignal() | self._controller.halt)
        return units_reset

    def _join_units(self, m: Module) -> None:
        streamer, sums, sequencer = self._input_streamer, self._window_sum, self._sequencer
        engine, output_stage, controller = self._engine, self._output_stage, self._controller
        m.d.comb += [
            # Also before the first edge, when the flip-flops hold anything.
            engine.standby.eq(ResetSignal()),
            sequencer.layer.eq(controller.layer),
            sequencer.start.eq(controller.unit_start),
            sequencer.load.eq(controller.load),
            sums.row_write.eq(sequencer.row_write),
            sums.burst.eq(sequencer.burst),
        ]
        starts_layer: Value = controller.unit_start
        if self.machine.memory_operations:
            starts_layer &= controller.layer.kind == Kind.LAYER.value
            self._join_row_store(m)
        for unit in (streamer, output_stage):
            m.d.comb += [unit.layer.eq(controller.layer), unit.start.eq(starts_layer)]
        wiring.connect(m, streamer.rows, sequencer.rows)
        wiring.connect(m, sequencer.command, engine.command)
        wiring.connect(m, sequencer.write, engine.write)
        if self.machine.overlaps_writes:
            wiring.connect(m, sequencer.write_command, engine.write_command)
        wiring.connect(m, engine.result, output_stage.results)
        wiring.connect(m, sums.sums, output_stage.sums)

    def _join_row_store(self, m: Module) -> None:
        store, engine = self._row_store, self._engine
        m.d.comb += [
            store.layer.eq(self._controller.layer),
            store.start.eq(self._controller.unit_start),
            store.sensed.eq(engine.sensed),
            store.row.eq(engine.row),
            engine.row_of.eq(store.row_of),
            engine.columns.eq(self._sequencer.columns),
        ]

    def _control(self, m: Module) -> None:
        registers, controller = self._registers, self._controller
        streamer, sequencer, output_stage = self._input_streamer, self._sequencer, self._output_stage
        stores = self._row_store.busy if self.machine.memory_operations else Const(0)
        m.d.comb += [
            controller.start.eq(registers.start),
            controller.abort.eq(registers.abort),
            controller.program.eq(registers.program),
            controller.pulse.eq(self._engine.pulse),
            controller.units_busy.eq(
                streamer.busy | sequencer.busy | self._engine.busy | output_stage.busy | stores
            ),
            registers.busy.eq(controller.busy),
            registers.done.eq(controller.done),
            registers.error.eq(controller.error),
            registers.error_word.eq(controller.error_word),
            registers.descriptor.eq(controller.descriptor),
            registers.resident.eq(controller.resident),
            self.interrupt.eq(registers.interrupt),
        ]
        with m.If(streamer.bank_error):
            m.d.comb += controller.unit_error.eq(Error.IMAGE_BANK.value)
        with m.Elif(sequencer.error != Error.NONE.value):
            m.d.comb += controller.unit_error.eq(sequencer.error)
        with m.Else():
            m.d.comb += controller.unit_error.eq(output_stage.error)
        wiring.connect(m, wiring.flipped(self.axil), registers.axil)

    def _banks(self, m: Module, platform: object, memory: MemoryMap) -> None:
        """Each bank is the walkers' while a program runs, and the host's otherwise."""
        bus, busy = self._bus, self._controller.busy
        wiring.connect(m, wiring.flipped(self.axi), bus.axi)
        m.d.comb += bus.busy.eq(busy | self._registers.start)

        readers = {
            "kernel": self._sequencer.kernel,
            "program": self._controller.memory,
        }
        for name, reader in readers.items():
            size, written, read = (
                memory.banks[name],
                getattr(bus, f"{name}_write"),
                getattr(bus, f"{name}_read"),
            )
            bank = place(m, platform, f"{name}_bank", Bank(size.words, size.width))
            wiring.connect(m, written, bank.write)
            m.d.comb += [
                bank.read.enable.eq(reader.enable | read.enable),
                bank.read.address.eq(Mux(busy, reader.address, read.address)),
                reader.data.eq(bank.read.data),
                read.data.eq(bank.read.data),
            ]

        self._channel_banks(m, platform, memory)

        image = place(m, platform, "image_bank", WideBank(memory.image.words, memory.image.width))
        written, read, result = bus.image_write, bus.image_read, self._output_stage.write
        residual = self._output_stage.residual
        host_address = Cat(Const(0, exact_log2(memory.image.width)), read.address)
        wiring.connect(m, self._input_streamer.read, image.read[0])
        m.d.comb += [
            image.write.enable.eq(written.enable | result.enable),
            image.write.address.eq(Mux(busy, result.address, written.address)),
            image.write.data.eq(Mux(busy, result.data, written.data)),
            image.write.mask.eq(Mux(busy, result.mask, written.mask)),
            image.read[1].enable.eq(residual.enable | read.enable),
            image.read[1].address.eq(Mux(busy, residual.address, host_address)),
            residual.data.eq(image.read[1].data),
            read.data.eq(image.read[1].data),
        ]
        if self.machine.memory_operations:
            stored = self._row_store.write
            with m.If(stored.enable & busy):
                m.d.comb += [
                    image.write.enable.eq(1),
                    image.write.address.eq(stored.address),
                    image.write.data.eq(stored.data),
                    image.write.mask.eq(stored.mask),
                ]

    def _channel_banks(self, m: Module, platform: object, memory: MemoryMap) -> None:
        """The banks of which the output stage reads parts."""
        machine, output_stage = self.machine, self._output_stage
        lanes = machine.results_per_cycle
        parts = {
            "parameters": field_parts(PARAMETER_FIELDS, PARAMETER_PARTS, lanes),
            "scales": field_parts(SCALE_FIELDS, SCALE_PARTS, scale_channels(machine)),
            "thresholds": lane_parts(lanes),
        }
        for name, of_word in parts.items():
            size = memory.banks[name]
            bank = place(m, platform, f"{name}_bank", ChannelBank(size.words, size.width, of_word))
            wiring.connect(m, getattr(self._bus, f"{name}_write"), bank.write)
            wiring.connect(m, getattr(self._bus, f"{name}_read"), bank.host)
            if name == "thresholds":
                for lane, read in enumerate(output_stage.thresholds):
                    wiring.connect(m, read, getattr(bank.reads, f"lane_{lane}"))
            else:
                wiring.connect(m, getattr(output_stage, name), bank.reads)

    def _count(self, m: Module, platform: object) -> None:
        """Events of the engine are counted there; the others here, and all of them are copied for each descriptor."""
        events = self._output_stage.events
        counters = Signal(ACCELERATOR_COUNTERS)
        stores = self._row_store.busy if self.machine.memory_operations else Const(0)
        m.d.comb += [
            getattr(counters, name).eq(getattr(self._engine.counters, name))
            for name in COUNTER_NAMES
            if name not in ("cycles", "stalled")
        ]
        happened = {
            "cycles": self._controller.busy,
            "stalled": self._sequencer.stalled,
            "image_reads": self._input_streamer.reads + events.residual_read,
            "image_writes": events.image_write | stores,
            "kernel_reads": self._sequencer.kernel_read,
            "parameter_reads": events.parameter_read,
        }
        for name, number in happened.items():
            register = getattr(counters, name)
            total = Signal(COUNTER_BITS, name=name)
            m.d.sync += total.eq(total + number)
            m.d.comb += register.eq(total)
        # Counters have the descriptor's last cycle in the one after it.
        log = place(m, platform, "log_bank", Bank(self.machine.descriptors, ACCELERATOR_COUNTERS.size))
        m.d.sync += [
            log.write.enable.eq(self._controller.log),
            log.write.address.eq(self._controller.descriptor),
        ]
        m.d.comb += [
            log.write.data.eq(counters),
            log.write.mask.eq(~0),
            self._registers.counters.eq(counters),
        ]
        wiring.connect(m, self._registers.log, log.read)


def memories(machine: Machine) -> MemoryMap:
    """The memory map, its words as the memories behind it have them: those of scales hold the channels of a turn."""
    width = scale_channels(machine) * CHANNEL_BITS
    return replace(MemoryMap.of(machine), scales=BankSize(words=scale_words(machine), width=width))
