"""Proofs of clock gating: while a unit's ``active`` is low, none of its flip-flops changes and no memory is used."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, ResetSignal, Signal, Value

from spinplane.hdl.array.sot_mram_array import SotMramArray
from spinplane.hdl.array.sub_array import SubArray
from spinplane.hdl.common.bank import Bank
from spinplane.hdl.control.kernel_loader import KernelLoader
from spinplane.hdl.control.layer_controller import LayerController
from spinplane.hdl.control.row_pair_generator import RowPairGenerator
from spinplane.hdl.control.sense_walk import SenseWalk
from spinplane.hdl.input.input_streamer import InputStreamer
from spinplane.hdl.input.window_sum import WindowSum
from spinplane.hdl.output.activation import Activation
from spinplane.hdl.output.batch_norm import BatchNorm
from spinplane.hdl.output.beat_walk import BeatWalk
from spinplane.hdl.output.cluster_steps import ClusterSteps
from spinplane.hdl.output.lane_phases import LanePhases
from spinplane.hdl.output.limiter import Limiter
from spinplane.hdl.output.output_address_generator import OutputAddressGenerator
from spinplane.hdl.output.output_packer import OutputPacker
from spinplane.hdl.output.pooling import Pooling
from spinplane.hdl.output.quantizer import Quantizer
from spinplane.hdl.output.residual_loader import ResidualLoader
from spinplane.hdl.output.row_store import RowStore
from spinplane.hdl.output.scaler import Scaler
from spinplane.hdl.output.window_correction import WindowCorrection
from spinplane.machine import Machine

from .proof import Harness, Proof

_MACHINE = Machine(
    name="proven",
    sub_arrays=2,
    rows=64,
    columns=32,
    segments=2,
    row_buses=2,
    descriptors=16,
    sense_cycles=3,
    write_cycles=5,
)
_MEMORY = replace(_MACHINE, memory_operations=True, write_overlap="same_array")
_WIDTH = "2 sub-arrays of 64 rows and 32 columns"
_WHOLE = "32 sub-arrays of 512 rows and 256 columns"
_SAYS_OF_PIPELINE = (
    "Clock gating: while it is not active no flip-flop changes but by a reset, or in a stage that holds nothing; what "
    "it yields rests on nothing before that (tests/hdl/output/test_stopped_pipelines.py)."
)
_SAYS = "Clock gating: while it is not active none of its flip-flops changes but by a reset, and no memory is used."


def _in_use(box: Any) -> Value:
    """Whether a memory's clock matters."""
    if isinstance(box, Bank):
        return Cat(box.write.enable, box.read.enable).any()
    return Cat(box.wwl, box.rwl, box.en_m, box.en_and, box.en_or, box.standby).any()


def _holds(*parameters: object, pipeline: bool = False) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        gated = unit(*parameters)
        h = Harness(gated, boxes=(SotMramArray, Bank))
        stopped = ~gated.active & ~ResetSignal()
        was_stopped = h.delayed(stopped, 1)
        # Stages have no reset.
        for flip_flop in h.resettable() if pipeline else h.flip_flops():
            state = Value.cast(flip_flop)
            h.prove(~was_stopped | (state == h.delayed(state, 1)))
        standby: Value = getattr(gated, "standby", Signal())
        h.prove(*(~stopped | standby | ~_in_use(box) for box in h.boxes))
        h.reach(gated.active, ~gated.active)
        return h

    return build


def _scaler(unit: Callable[..., Any]) -> Harness:
    scaler = unit(_MACHINE)
    h = Harness(scaler, boxes=(BatchNorm, Quantizer, Limiter))
    stopped = ~scaler.active & ~ResetSignal()
    h.prove(
        ~stopped | ~Cat(turn.valid for turn in scaler.turns).any(),
        ~stopped | ((scaler.takes_level == 0) & (scaler.takes_value == 0)),
        ~h.delayed(stopped, 1) | (scaler.takes_value == 0),
    )
    h.reach(scaler.active, ~scaler.active)
    return h


def _activation(unit: Callable[..., Any]) -> Harness:
    lane = unit(16)
    h = Harness(lane)
    step = lane.step
    h.assume(~(step.begins | step.looks | step.looks_up) | step.wakes)
    stopped = ~lane.active & ~ResetSignal()
    kept = Cat(lane.kept_value, lane.kept_level, lane.beyond)
    h.prove(
        ~h.delayed(stopped, 1) | (kept == h.delayed(kept, 1)),
        ~stopped | ~(lane.thresholds.enable | lane.beyond),
    )
    h.reach(lane.active, ~lane.active)
    return h


def _proof(unit: type, sound: str, faulty: str, **options: Any) -> Proof:
    pipeline = options.pop("pipeline", False)
    return Proof(
        unit=unit,
        says=_SAYS_OF_PIPELINE if pipeline else _SAYS,
        harness=_holds(*options.pop("of", (_MACHINE,)), pipeline=pipeline),
        width=options.pop("width", _WIDTH),
        machine=_WHOLE,
        inductive=True,
        steps=options.pop("steps", 1),
        reached=2,
        sound=sound,
        faulty=faulty,
        **options,
    )


PROOFS = {
    "sub_array_stops": _proof(SubArray, " | (self.result.valid & self.result.ready)", ""),
    "sub_array_stops_as_a_memory": _proof(
        SubArray,
        "self.command.valid | self.write_command.valid",
        "self.command.valid",
        of=(_MEMORY,),
        width=f"{_WIDTH}, rows written beside senses, memory operations",
    ),
    "layer_controller_stops": _proof(LayerController, "~self.units_busy | self._stops", "~self.units_busy"),
    "input_streamer_stops": _proof(InputStreamer, "forms, moves, counts, fresh)", "forms, moves, fresh)"),
    "window_sum_stops": _proof(WindowSum, "active | adds | ends | taken", "active | adds | taken"),
    "row_pair_generator_stops": _proof(
        RowPairGenerator,
        "with m.If(self.start):\n                m.d.sync += index",
        "with m.If(self._state == _State.IDLE):\n                m.d.sync += index",
        of=(_MEMORY,),
    ),
    "kernel_loader_stops": _proof(KernelLoader, " | (state != _State.IDLE)", "", of=(_MEMORY,)),
    "sense_walk_stops": _proof(SenseWalk, " | (waits != 0)", "", of=(_MEMORY,)),
    "row_store_stops": _proof(RowStore, "self.start | self.sensed", "self.start", of=(_MEMORY,)),
    "beat_walk_stops": _proof(BeatWalk, " | (wait != 0) | ~waited", " | ~waited"),
    "window_correction_stops": _proof(
        WindowCorrection,
        "self.valid | is_taken | is_biased",
        "self.valid | is_taken",
        pipeline=True,
    ),
    "pooling_stops": _proof(Pooling, "self.in_valid | taken", "self.in_valid", steps=2),
    "lane_phases_stop": _proof(
        LanePhases,
        " | Cat(turn.valid for turn in self.turns).any()",
        " | self.turns[0].valid",
        pipeline=True,
    ),
    "residual_loader_stops": _proof(ResidualLoader, " | started | reads | arrives", " | started | reads"),
    "cluster_steps_stop": _proof(ClusterSteps, "self.start | works)", "self.start)", steps=5),
    "output_address_generator_stops": _proof(
        OutputAddressGenerator, "self.active.eq(self.start | self.next)", "self.active.eq(self.next)"
    ),
    "output_packer_stops": _proof(
        OutputPacker,
        "self.active.eq(self.in_valid | busy)",
        "self.active.eq(self.in_valid)",
        of=(_MACHINE.results_per_cycle, _MACHINE.columns),
    ),
    "scaler_stops": Proof(
        unit=Scaler,
        says="Clock gating: while it is not active no turn is in any of its stages, and no lane takes anything of it.",
        harness=_scaler,
        width="4 lanes; what a turn yields rests on nothing before it (tests/hdl/output/test_stopped_pipelines.py)",
        inductive=True,
        reached=2,
        sound=" | self.takes_value.any()",
        faulty="",
    ),
    "activation_stops": Proof(
        unit=Activation,
        says="Clock gating: while it is not active its value and level stay, it tells of no word, and reads none.",
        harness=_activation,
        width="16 words; its other registers are those of a beat (tests/hdl/output/test_stopped_pipelines.py)",
        machine="2 048 words",
        inductive=True,
        reached=2,
        sound="step.wakes | takes | self.beyond",
        faulty="step.wakes | takes",
    ),
}
