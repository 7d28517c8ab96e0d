"""A steady and a cold run of a compiled network, and how often events happen in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.predict import Prediction, predict
from spinplane.evaluation import clock_ticks, event_counts, flip_flops, host_counts
from spinplane.evaluation.clock_ticks import STOPPED, TICKS
from spinplane.evaluation.event_counts import NO_HOST
from spinplane.machine import AcceleratorCounters
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.machine.passes import Pass

from .compiled_layer import CompiledLayer, compiled_layers


@dataclass(frozen=True, kw_only=True, eq=False)
class EstimatedRuns:
    """A steady and a cold run, and how often events happen in them."""

    program: CompiledProgram
    flip_flops: int
    layers: tuple[CompiledLayer, ...]
    steady: Prediction
    cold: Prediction
    #: Of the steady run, of each of its layers and of header and END, and of the cold run.
    numbers: dict[str, int]
    of_layers: tuple[dict[str, int], ...]
    of_ends: dict[str, int]
    numbers_cold: dict[str, int]

    @classmethod
    def of(cls, program: CompiledProgram) -> "EstimatedRuns":
        machine, layers = program.machine, compiled_layers(program)
        steady, cold = (predict(program, resident=resident) for resident in (True, False))
        host = host_counts(program)

        def numbers(
            counters: AcceleratorCounters,
            passes: Sequence[Pass],
            descriptors: int,
            host: Mapping[str, int] = NO_HOST,
        ) -> dict[str, int]:
            ticks = clock_ticks(machine, counters.cycles, passes, descriptors, default_build_root())
            return event_counts(machine, counters, passes, descriptors, host) | ticks

        of_layers = tuple(
            numbers(layer.sum_of(steady.passes), layer.passes, len(layer.placed.descriptors))
            for layer in layers
        )
        whole, whole_cold = (
            numbers(prediction.total, program.passes, len(program.descriptors), host)
            for prediction in (steady, cold)
        )
        of_ends = {name: number - sum(of[name] for of in of_layers) for name, number in whole.items()}
        # Bounds of a layer add up to those of the run, not the other way round.
        of_ends |= clock_ticks(machine, of_ends["cycles"], (), 2, default_build_root())
        whole |= {name: of_ends[name] + sum(of[name] for of in of_layers) for name in (TICKS, STOPPED)}
        return cls(
            program=program,
            flip_flops=flip_flops(machine, default_build_root()),
            layers=layers,
            steady=steady,
            cold=cold,
            numbers=whole,
            of_layers=of_layers,
            of_ends=of_ends,
            numbers_cold=whole_cold,
        )

    @property
    def quantized(self) -> dict[str, int] | None:
        """How often events happen in all layers but the first and the last one."""
        inner = self.of_layers[1:-1]
        return {name: sum(of[name] for of in inner) for name in self.numbers} if inner else None
