"""Proofs of power-up: whatever the flip-flops hold, no line is high in reset, and all is idle after a cycle of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, ResetSignal, Signal, Value

from spinplane.hdl.accelerator import Accelerator
from spinplane.hdl.array.engine import Engine
from spinplane.hdl.array.sot_mram_array import SotMramArray
from spinplane.hdl.array.sub_array import SubArray
from spinplane.hdl.array.sub_array_controller import SubArrayController
from spinplane.hdl.array.write_controller import WriteController
from spinplane.hdl.common.bank import Bank
from spinplane.hdl.control.layer_controller import LayerController
from spinplane.machine import Machine

from .proof import Harness, Proof

_MACHINE = Machine(
    name="proven",
    sub_arrays=2,
    rows=64,
    columns=32,
    segments=2,
    descriptors=16,
    sense_cycles=3,
    write_cycles=5,
)
_MEMORY = replace(_MACHINE, memory_operations=True)
_OVERLAP = replace(_MACHINE, write_overlap="same_array")
_WIDTH = "2 sub-arrays of 64 rows and 32 columns"
_WHOLE = "32 sub-arrays of 512 rows and 256 columns"
#: Flip-flops that move without a start; nothing looks at them until one.
_MOVES = (
    *("cycle", "digit", "error", "first_exists_1", "has_begun", "kernel_row", "plane_row", "rows__payload"),
    *("second_exists_1", "starts_odd_1", "waited"),
)


def _lines(h: Harness) -> Value:
    """All word lines and references of the arrays."""
    arrays = [box for box in h.boxes if isinstance(box, SotMramArray)]
    assert arrays
    return Cat(Cat(box.wwl, box.rwl, box.en_m, box.en_and, box.en_or) for box in arrays)


def _standby(machine: Machine) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        array = unit(machine)
        h = Harness(array, boxes=(SotMramArray,))
        h.prove(~array.standby | ~_lines(h).any())
        h.reach(
            *(Value.cast(box.wwl).any() for box in h.boxes), *(Value.cast(box.rwl).any() for box in h.boxes)
        )
        return h

    return build


def _idle(machine: Machine) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        array = unit(machine)
        h = Harness(array, boxes=(SotMramArray,))
        offers = [array.command.valid]
        if machine.overlaps_writes:
            offers.append(array.write_command.valid)
        given = Signal()
        with h.m.If(Cat(offers).any()):
            h.m.d.sync += given.eq(1)
        offered = given | Cat(offers).any()
        h.prove(
            given | ~_lines(h).any(),
            offered | ~array.busy,
            given | ~array.result.valid,
            given | ~array.pulse,
            *(given | (passed == 0) for passed in h.locals("passed")),
        )
        h.reach(_lines(h).any(), array.busy)
        return h

    return build


def _accelerator_lines(unit: Callable[..., Any]) -> Harness:
    h = Harness(unit(_MEMORY), boxes=(SotMramArray, Bank))
    h.prove(~ResetSignal() | ~_lines(h).any())
    h.reach(~_lines(h).any())
    return h


def _accelerator_idle(unit: Callable[..., Any]) -> Harness:
    accelerator = unit(_MEMORY)
    h = Harness(accelerator, boxes=(SotMramArray, Bank))
    a, started = accelerator, Signal()
    with h.m.If(a._registers.start):
        h.m.d.sync += started.eq(1)
    units = [a._controller, a._input_streamer, a._sequencer, a._engine, a._output_stage, a._row_store]
    h.prove(
        started | ~_lines(h).any(),
        *(started | ~unit.busy for unit in units),
        started | ~a._engine.pulse,
        started | ~a._controller.log,
        started | ~a._output_stage.write.enable,
    )
    # What makes it inductive: of the units, what waits for a start has not left its reset.
    waits = [signal for signal in h.resettable("axi_registers", "axi_bank") if signal.name not in _MOVES]
    h.prove(*(started | (signal == signal.init) for signal in waits))
    fresh = ~h.after(1)
    h.prove(
        *(
            ~fresh | ~valid
            for valid in (a.axil.bvalid, a.axil.rvalid, a.axi.bvalid, a.axi.rvalid, a.interrupt)
        )
    )
    h.reach(a._registers.start, a.axil.bvalid)
    return h


_NO_LINE = "In standby no word line and no reference is high, whatever the flip-flops hold."
_IDLE = (
    "After one cycle of reset it is idle, pulses begin at their first cycle, and no word line is high until a "
    "command is given."
)


def _sub_array(machine: Machine, idle: bool, **rest: Any) -> Proof:
    about = {True: "memory_operations", False: "write_overlap"}[machine.memory_operations]
    return Proof(
        unit=SubArray,
        says=_IDLE if idle else _NO_LINE,
        harness=_idle(machine) if idle else _standby(machine),
        width=f"64 rows of 32 columns, {about}",
        machine="512 rows of 256 columns",
        inductive=idle,
        steps=1 if idle else 0,
        reached=12,
        **rest,
    )


PROOFS = {
    "standby_memory_operations": _sub_array(
        _MEMORY,
        idle=False,
        sound='lines.enable.eq(self._of_any_writer("write_enable") & ~self.standby)',
        faulty='lines.enable.eq(self._of_any_writer("write_enable"))',
    ),
    "standby_write_overlap": _sub_array(
        _OVERLAP,
        idle=False,
        sound="read_lines.enable_b.eq(controller.enable_b & ~self.standby)",
        faulty="read_lines.enable_b.eq(controller.enable_b)",
    ),
    "idle_memory_operations": _sub_array(
        _MEMORY,
        idle=True,
        part=SubArrayController,
        sound="self._state = Signal(ControllerState)",
        faulty="self._state = Signal(ControllerState, reset_less=True)",
    ),
    "idle_write_overlap": _sub_array(
        _OVERLAP,
        idle=True,
        part=WriteController,
        sound="passed = Signal(range(self.machine.write_cycles))",
        faulty="passed = Signal(range(self.machine.write_cycles), reset_less=True)",
    ),
    "idle_engine": Proof(
        unit=Engine,
        says=_IDLE,
        harness=_idle(_MEMORY),
        width=_WIDTH,
        machine=_WHOLE,
        inductive=True,
        reached=12,
        sound="number = Signal(range(PENDING_OUTPUTS + 1))",
        faulty="number = Signal(range(PENDING_OUTPUTS + 1), reset_less=True)",
    ),
    "standby_accelerator": Proof(
        unit=Accelerator,
        says="In reset no word line and no reference is high, whatever the flip-flops hold.",
        harness=_accelerator_lines,
        width=_WIDTH + ", memory_operations; banks and arrays are free",
        machine=_WHOLE,
        steps=0,
        reached=1,
        sound="engine.standby.eq(ResetSignal())",
        faulty="engine.standby.eq(0)",
    ),
    "idle_accelerator": Proof(
        unit=Accelerator,
        says="After one cycle of reset every unit is idle, and no word line is high until the host starts a program.",
        harness=_accelerator_idle,
        width=_WIDTH + ", memory_operations; banks and arrays are free",
        machine=_WHOLE,
        inductive=True,
        reached=12,
        part=LayerController,
        sound="self._state = Signal(_State)",
        faulty="self._state = Signal(_State, reset_less=True)",
    ),
}
