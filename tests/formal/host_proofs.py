"""Proofs of the registers' bus: the rules of AXI4-Lite, as far as they are a subordinate's."""

from collections.abc import Callable, Sequence
from typing import Any

from amaranth.hdl import Cat, Mux, Signal, Value
from amaranth.lib import wiring

from spinplane.hdl.host.axi_registers import AxiRegisters
from spinplane.machine import Machine
from spinplane.machine.memory_map import Response

from .proof import Harness, Proof

MACHINE = Machine(name="proven", sub_arrays=2, rows=64, columns=32, segments=2, descriptors=16)


def keeps(h: Harness, name: str, valid: Value, ready: Value, payload: Sequence[Value]) -> None:
    """An answer that was not taken is there in the next cycle, unchanged."""
    waited = Signal(name=f"{name}_waited")
    before = Signal(len(Cat(*payload)), name=f"{name}_before", reset_less=True)
    h.m.d.sync += [waited.eq(valid & ~ready), before.eq(Cat(*payload))]
    h.prove(~waited | (valid & (Cat(*payload) == before)))
    h.reach(waited & ready)


def _open(h: Harness, name: str, begins: Value, ends: Value) -> Signal:
    """How many have begun and not ended."""
    number = Signal(3, name=name)
    h.m.d.sync += number.eq(number + begins - ends)
    return number


def _registers(unit: Callable[..., Any]) -> Harness:
    registers = unit(MACHINE)
    h, bus = Harness(registers), registers.axil
    keeps(h, "b", bus.bvalid, bus.bready, [bus.bresp])
    keeps(h, "r", bus.rvalid, bus.rready, [bus.rdata, bus.rresp])
    answered, read = bus.bvalid & bus.bready, bus.rvalid & bus.rready
    addresses = _open(h, "addresses", bus.awvalid & bus.awready, answered)
    values = _open(h, "values", bus.wvalid & bus.wready, answered)
    reads = _open(h, "reads", bus.arvalid & bus.arready, read)
    state = h.local("fsm_state")
    h.prove(
        ~bus.bvalid | ((addresses != 0) & (values != 0)),
        ~bus.rvalid | (reads != 0),
        # What makes it inductive.
        addresses == h.local("has_address") + bus.bvalid,
        values == h.local("has_value") + bus.bvalid,
        reads == (state != 0),
        bus.rvalid == (state == 3),
    )

    # An answer comes, and what has an effect is answered with OKAY.
    known, begun = h.after(1), (addresses != bus.bvalid) & (values != bus.bvalid)
    waited = Signal(2, name="waited")
    h.m.d.sync += waited.eq(Mux((reads != 0) & ~bus.rvalid, waited + 1, 0))
    h.prove(
        ~known | ~h.delayed(begun & ~bus.bvalid, 1) | bus.bvalid,
        *((state != at) | (waited == cycles) for at, cycles in ((0, 0), (1, 0), (2, 1))),
        waited <= 2,
        (bus.bresp != 1) & (bus.rresp != 1),
    )
    at_work, okay = h.delayed(registers.busy | registers.start, 1), Response.OKAY.value
    h.prove(
        ~(registers.start | registers.abort) | (bus.bvalid & (bus.bresp == okay)),
        ~(known & registers.start) | ~at_work,
        ~(known & registers.abort) | at_work,
        ~(known & at_work) | (registers.program == h.delayed(registers.program, 1)),
    )
    h.reach(registers.start, registers.abort, waited == 2, bus.bvalid & (bus.bresp == Response.DECERR.value))
    return h


def outputs(bus: wiring.PureInterface) -> list[Value]:
    """What a subordinate drives of its bus."""
    return [Value.cast(value) for _, member, value in bus.signature.flatten(bus) if member.flow is wiring.Out]


def _register_paths(unit: Callable[..., Any]) -> Harness:
    registers = unit(MACHINE)
    h = Harness(registers)
    h.steady([*outputs(registers.axil), registers.interrupt])
    h.reach(registers.axil.rvalid, registers.axil.bvalid, registers.interrupt)
    return h


PROOFS = {
    "axi_registers": Proof(
        unit=AxiRegisters,
        says="AXI4-Lite: an answer and what it says stay until they are taken; none comes before its request, and each "
        "within 2 cycles of a write, 3 of a read. What starts or aborts is answered with OKAY, and nothing starts, nor "
        "does the program change, while one is at work.",
        harness=_registers,
        width="32 bits, 16 descriptors",
        inductive=True,
        reached=10,
        sound="act.eq(has_address & has_value & ~bus.bvalid)",
        faulty="act.eq(has_address & has_value)",
    ),
    "axi_registers_paths": Proof(
        unit=AxiRegisters,
        says="AXI4-Lite: no output depends on an input of the same cycle.",
        harness=_register_paths,
        width="32 bits, 16 descriptors",
        steps=0,
        reached=10,
        sound="bus.wready.eq(~has_value)",
        faulty="bus.wready.eq(~has_value & bus.awvalid)",
    ),
}
