"""Write controller: turns a command to write into a word line, beside the senses of its sub-array."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for

from ..common.command import ROW_OFFER, write_command_layout
from ..common.pure_data import data_register


class WriteController(wiring.Component):
    """Runs one write pulse at a time.

    Latency: a command accepted in one cycle holds its word line in the next. Throughput: a pulse every
    ``write_cycles`` cycles; a command is accepted in the last cycle of the one before. A pulse waits while no row is
    offered.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(write_command_layout(machine)))
        ``first``, ``last`` and ``log_clusters`` are the engine's; here every command is obeyed.
    write : In(ROW_OFFER)
        A row is there; it is taken at the end of its pulse.
    write_address, write_enable : Out
        For the decoder of the write word lines.
    wrote : Out(1)
        A write pulse is in its last cycle.
    busy : Out(1)
    pulse : Out(1)
        The word line is held and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: wiring.PureInterface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        row = bits_for(machine.rows - 1)
        super().__init__(
            {
                "command": In(stream.Signature(write_command_layout(machine))),
                "write": In(ROW_OFFER),
                "write_address": Out(row),
                "write_enable": Out(1),
                "wrote": Out(1),
                "busy": Out(1),
                "pulse": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        passed = Signal(range(self.machine.write_cycles))
        address = data_register(m, self.write_address, "address")
        m.d.comb += [
            self.command.ready.eq(~self.busy | self.wrote),
            self.write_enable.eq(self.busy & self.write.valid),
            self.wrote.eq(self.write_enable & (passed == self.machine.write_cycles - 1)),
            self.write.ready.eq(self.wrote),
            self.pulse.eq(self.write_enable & ~self.wrote),
        ]
        with m.If(self.write_enable):
            m.d.sync += passed.eq(Mux(self.wrote, 0, passed + 1))
        with m.If(self.command.ready):
            m.d.sync += self.busy.eq(self.command.valid)
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += address.eq(self.command.payload.row_d)
        return m
