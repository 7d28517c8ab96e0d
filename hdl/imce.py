"""IMCE: the in-memory convolution engine and its digital processing unit, as one block."""

from amaranth.hdl import Module, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine

from .command import command_layout, row_layout
from .counters import COUNTERS
from .dpu import DPU_CONFIGURATION, Dpu
from .engine import Engine, result_layout
from .verilog import place


class Imce(wiring.Component):
    """`Engine` and `Dpu` side by side; who drives them carries results to the digital unit.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command, write : In
        Commands and rows for the engine, see `Engine`.
    row, result : Out
        Sensed rows and accumulators from the engine, see `Engine`.
    counters : Out(COUNTERS)
    busy, pulse : Out(1)
        Of the engine.
    configuration, values : In
        For the digital unit, see `Dpu`.
    codes : Out
        From the digital unit, see `Dpu`.
    """

    command: stream.Interface
    write: stream.Interface
    row: stream.Interface
    result: stream.Interface
    values: stream.Interface
    codes: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        value = data.StructLayout({"value": signed(machine.accumulator_bits), "last": 1})
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(row_layout(machine))),
                "row": Out(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(result_layout(machine))),
                "counters": Out(COUNTERS),
                "busy": Out(1),
                "pulse": Out(1),
                "configuration": In(DPU_CONFIGURATION),
                "values": In(stream.Signature(value)),
                "codes": Out(stream.Signature(signed(CODE_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        engine = place(m, platform, "engine", Engine(self.machine))
        dpu = place(m, platform, "dpu", Dpu(self.machine))
        for name in ("command", "write"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(engine, name))
        for name in ("row", "result"):
            wiring.connect(m, getattr(engine, name), wiring.flipped(getattr(self, name)))
        wiring.connect(m, wiring.flipped(self.values), dpu.values)
        wiring.connect(m, dpu.codes, wiring.flipped(self.codes))
        m.d.comb += [
            self.counters.eq(engine.counters),
            self.busy.eq(engine.busy),
            self.pulse.eq(engine.pulse),
            dpu.configuration.eq(self.configuration),
        ]
        return m
