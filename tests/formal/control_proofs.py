"""Proofs of the controllers: what a sub-array never does, and that programs end."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Mux, Signal, Value

from spinplane.hdl.array.reference_select import Sense
from spinplane.hdl.array.sub_array_controller import SubArrayController
from spinplane.hdl.control.layer_controller import (
    WORD_BITS,
    LayerController,
    _State,
    program_width,
)
from spinplane.machine import Machine
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS

from .proof import Harness, Proof

_MACHINE = Machine(
    name="proven",
    sub_arrays=1,
    rows=512,
    columns=256,
    segments=2,
    accumulator_bits=32,
    sense_cycles=3,
    write_cycles=5,
    memory_operations=True,
)


def _controller(unit: Callable[..., Any]) -> Harness:
    controller = unit(_MACHINE)
    h = Harness(controller)
    c, sense = controller, Value.cast(controller.sense)
    begun = h.after(1)
    # Whoever offers a row keeps to it.
    h.assume(~begun | ~h.delayed(c.write.valid & ~c.write.ready, 1) | c.write.valid)

    h.prove(
        ~(c.write_enable & (c.enable_a | c.enable_b)),
        ~c.enable_b | c.enable_a,
        (sense == Sense.NONE.value) == ~c.enable_a,
        (sense == Sense.M.value) == (c.enable_a & ~c.enable_b),
        (c.pulse == ((c.enable_a & ~c.finished) | (c.write_enable & ~c.wrote))),
    )
    # Lines, rows and reference stay until the last cycle of a pulse.
    for active, last, held in (
        (c.enable_a, c.finished, Cat(c.enable_a, c.address_a, c.enable_b, c.address_b, sense)),
        (c.write_enable, c.wrote, Cat(c.write_enable, c.write_address, c.write_back)),
    ):
        before = Signal(len(held), name="held_before", reset_less=True)
        goes_on = Signal(name="goes_on")
        h.m.d.sync += [before.eq(held), goes_on.eq(active & ~last)]
        h.prove(~goes_on | (held == before))
        h.reach(goes_on & last)
    # A pulse is as long as its machine says.
    for active, last, cycles, passed in zip(
        (c.enable_a, c.write_enable),
        (c.finished, c.wrote),
        (_MACHINE.sense_cycles, _MACHINE.write_cycles),
        h.locals("passed"),
        strict=True,
    ):
        length = Signal(range(cycles + 1), name="length")
        h.m.d.sync += length.eq(Mux(active & ~last, length + 1, 0))
        h.prove(last == (active & (length == cycles - 1)), passed == length, length < cycles)
    h.prove((h.locals("passed")[0] == 0) | (h.local("_state") == 1))
    h.prove((h.locals("passed")[1] == 0) | (h.local("_state") == 2) | (h.local("_state") == 3))
    h.prove((h.local("_state") != 2) | (h.locals("passed")[1] == 0) | c.write.valid)
    return h


def _layer_controller(unit: Callable[..., Any]) -> Harness:
    machine = Machine(name="proven", sub_arrays=2, rows=64, columns=256, segments=2, descriptors=16)
    controller = unit(machine)
    h = Harness(controller)
    c, state = controller, h.local("_state")
    index = h.local("_index")
    waits = ((state == _State.HALT.value) & c.pulse) | ((state == _State.RUN.value) & c.units_busy)
    words = -(-len(DESCRIPTOR_FIELDS) * WORD_BITS // program_width(machine))
    longest = words + 7
    # Cycles of a descriptor that wait for nobody, of all descriptors before it, and how many those are.
    passed, total = Signal(range(2 * longest)), Signal(16)
    first = Signal(16, reset_less=True)
    done = Signal(16)
    h.m.d.comb += done.eq(c.descriptor - first)
    is_reading = state == _State.READ.value
    goes_on = Signal()
    h.m.d.sync += goes_on.eq(c.busy & ~is_reading)
    with h.m.If(~c.busy):
        h.m.d.sync += [total.eq(0), passed.eq(0), first.eq(c.program)]
    with h.m.Elif(~waits):
        h.m.d.sync += [total.eq(total + 1), passed.eq(passed + 1)]
        with h.m.If(c.log):
            h.m.d.sync += passed.eq(0)
    exact = {
        _State.READ: passed == 0,
        _State.FIELDS: (passed == index + 1) & (index < words),
        _State.CHECK: passed == words + 1,
        _State.START: passed == words + 2,
        _State.RUN: passed == words + 3,
        _State.HALT: passed <= words + 4,
        _State.DONE: passed <= words + 5,
    }
    for of, condition in exact.items():
        h.prove((state != of.value) | condition)
    reads = (state != _State.READ.value) & (state != _State.HALT.value) & (state != _State.DONE.value)
    h.prove(
        ~c.busy | ~reads | (c.descriptor < machine.descriptors),
        ~c.busy | (done <= machine.descriptors),
        ~c.busy | (c.descriptor >= first),
        ~c.busy | (done == 0) | (c.descriptor <= machine.descriptors),
        ~c.busy | (total <= done * longest + passed),
        ~c.busy | (total < (machine.descriptors + 1) * longest),
        c.busy | (total == 0) | h.delayed(c.busy, 1),
    )
    h.reach(c.done & c.failed, c.unit_start & c.load, c.halt)
    return h


PROOFS = {
    "sub_array_controller": Proof(
        unit=SubArrayController,
        says="Never a write with a sense, nor a second line without a first; the reference fits; pulses have their "
        "length, and lines, rows and reference stay while they last.",
        harness=_controller,
        width="512 rows, senses of 3 cycles, writes of 5",
        inductive=True,
        steps=1,
        reached=12,
        sound="active.eq(in_sense & ~waits)",
        faulty="active.eq((in_sense & ~waits) | self.write.valid)",
    ),
    "layer_controller": Proof(
        unit=LayerController,
        says="Whatever the program memory answers, a program ends after at most (descriptors + 1) · (words + 7) "
        "cycles, beside those that wait for units or a pulse.",
        harness=_layer_controller,
        width="16 descriptors, words of 256 bits",
        inductive=True,
        steps=1,
        reached=48,
        sound="self.descriptor.eq(self.descriptor + 1), self._state.eq(_State.READ)",
        faulty="self.descriptor.eq(self.descriptor), self._state.eq(_State.READ)",
    ),
}
