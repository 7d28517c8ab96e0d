"""What prediction, functional machine and RTL make of the same runs, compared bit by bit and counter by counter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.predict import Prediction
from spinplane.machine import AcceleratorCounters
from spinplane.machine.faults import FaultMap
from spinplane.machine.program import Program
from spinplane.sim.accelerator import ImageRun

from .compiled_layer import CompiledLayer
from .rtl_runs import batches
from .run_result import LayerRun, RunCounters


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What a machine makes of one run.

    Parameters
    ----------
    counters : AcceleratorCounters
        Of the whole.
    passes : tuple of AcceleratorCounters
        Of each descriptor.
    maps : tuple of (ndarray of shape (images, channels, height, width) or None)
        Codes of each layer, where they are left.
    """

    counters: AcceleratorCounters
    passes: tuple[AcceleratorCounters, ...]
    maps: tuple[np.ndarray | None, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedRun:
    """One run, by all that know of it.

    Parameters
    ----------
    prediction : Prediction
    functional : Outcome
    rtl : Outcome or None
    expected : tuple of ndarray of shape (images, channels, height, width), int64
        The oracle's values of each layer.
    images : int
        How many of its images are neither repeated nor there to fill it.
    """

    prediction: Prediction
    functional: Outcome
    rtl: Outcome | None
    expected: tuple[np.ndarray, ...]
    images: int

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The one whose figures are told first."""
        return (self.rtl, self.functional) if self.rtl else (self.functional,)

    @property
    def counters(self) -> RunCounters:
        """Of the whole run, by all of them."""
        return RunCounters(
            rtl=self.rtl.counters if self.rtl else None,
            functional=self.functional.counters,
            predicted=self.prediction.total,
        )


def functional_outcomes(
    program: Program, images: Sequence[np.ndarray], faults: FaultMap | None
) -> list[Outcome]:
    """Outcomes of run after run on one functional machine, into which the program is written before.

    Parameters
    ----------
    program : Program
    images : sequence of ndarray of shape (channels, height, width), int64
        Codes, `Program.batch` images for each run.
    faults : FaultMap or None
    """
    accelerator = Accelerator(program.machine, faults)
    accelerator.load(program)
    runs = []
    for batch in batches(images, program.batch):
        for given, codes in zip(program.inputs, batch, strict=True):
            accelerator.write_map(given, codes)
        run = accelerator.run()
        maps = [
            tuple(
                accelerator.read_map(layer.output.of_image(number)) if layer.kept else None
                for layer in program.layers
            )
            for number in range(program.batch)
        ]
        runs.append(Outcome(counters=run.counters, passes=run.layers, maps=_stacked(maps)))
    return runs


def rtl_outcome(images: Sequence[ImageRun]) -> Outcome:
    """Outcome of one run on the RTL.

    Parameters
    ----------
    images : sequence of ImageRun
        Of this run, whose record is that of each.
    """
    record = images[0].record
    return Outcome(
        counters=record.counters, passes=record.layers, maps=_stacked([image.maps for image in images])
    )


def compare_layer(
    number: int, layer: CompiledLayer, runs: Sequence[ComparedRun], *, told: ComparedRun, faulty: bool
) -> LayerRun:
    """A layer over all runs.

    Parameters
    ----------
    number : int
        Of the layer.
    layer : CompiledLayer
    runs : sequence of ComparedRun
    told : ComparedRun
        The one whose counters are told.
    faulty : bool
        The memory has faults: values other than the oracle's are wrong, and no mismatch.
    """
    mismatches = wrong = 0
    outputs = []
    for run in runs:
        mismatches += _different_counters(run, layer.placed.descriptors)
        found, *others = (one.maps[number] for one in run.outcomes)
        if found is None or any(other is None for other in others):
            continue
        values = layer.placed.output.values(found)
        different = values != run.expected[number]
        mismatches += sum(int((found != other).sum()) for other in others)
        mismatches += 0 if faulty else int(different.sum())
        if run.images:
            outputs.append(values[: run.images])
            wrong += int(different[: run.images].sum())
    counters = layer.sum_of(told.outcomes[0].passes)
    return LayerRun(
        **vars(layer.figures()),
        compared=bool(outputs),
        mismatches=mismatches,
        wrong=wrong,
        cycles=counters.cycles,
        efficiency=layer.efficiency(counters.cycles),
        utilization=layer.utilization(counters),
        counters=counters,
        outputs=np.concatenate(outputs) if outputs else None,
    )


def mismatches_outside(runs: Sequence[ComparedRun]) -> int:
    """Counters that differ beside those of layers: of the header, of END and of the whole.

    Parameters
    ----------
    runs : sequence of ComparedRun
    """
    found = 0
    for run in runs:
        found += _different(run.prediction.total, *(one.counters for one in run.outcomes))
        found += _different_counters(run, (0, len(run.prediction.passes) - 1))
    return found


def _different_counters(run: ComparedRun, descriptors: Sequence[int]) -> int:
    """Counters of descriptors in which not all are one."""
    return sum(
        _different(run.prediction.passes[n], *(one.passes[n] for one in run.outcomes)) for n in descriptors
    )


def _different(predicted: AcceleratorCounters, *measured: AcceleratorCounters) -> int:
    others = [counters.as_dict() for counters in measured]
    return sum(any(other[name] != count for other in others) for name, count in predicted.as_dict().items())


def _stacked(maps: Sequence[tuple[np.ndarray | None, ...]]) -> tuple[np.ndarray | None, ...]:
    """Maps of each layer, of all images of a run."""
    return tuple(
        np.stack([one for one in of_layer if one is not None]) if of_layer[0] is not None else None
        for of_layer in zip(*maps, strict=True)
    )
