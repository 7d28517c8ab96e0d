"""Run programs of networks on the RTL of an accelerator, from its bus alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from spinplane.behavioral.feature_map import map_addresses, map_bits, map_codes
from spinplane.machine import Machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.memory_map import region_address
from spinplane.machine.program import FeatureMap, Program

from .host_script import HostRead, HostRun, HostWrite, RunRecord, Step
from .script_run import play_script

_SPARE_CYCLES = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageRun:
    """An image of a run.

    Parameters
    ----------
    record : RunRecord
        Of the run, which all images of a batch share.
    maps : tuple of ndarray or None
        Codes, or raw sums, of each layer's output map, (channels, height, width); None where it was overwritten.
    """

    record: RunRecord
    maps: tuple[np.ndarray | None, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class RtlAcceleratorRun:
    """A program that ran on the RTL.

    Parameters
    ----------
    images : tuple of ImageRun
    simulator : str
    cached : bool
        Whether the model was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
    """

    images: tuple[ImageRun, ...]
    simulator: str
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None


def program_steps(program: Program) -> list[HostWrite]:
    """Writes that bring a program into the banks."""
    contents = {
        "kernel": program.kernel_rows,
        "parameters": program.parameters,
        "scales": program.scales,
        "thresholds": program.thresholds,
        "program": program.descriptors.astype("<u4").view(np.uint8),
    }
    return [
        HostWrite(address=region_address(region), data=np.ascontiguousarray(data).reshape(-1))
        for region, data in contents.items()
        if data.size
    ]


def input_step(program: Program, codes: np.ndarray, number: int = 0) -> HostWrite:
    """Write that brings an image of shape (channels, height, width) into the image bank, as one of a batch."""
    given = program.input.of_image(number)
    first, size = _words(given, program.machine)
    addresses, bits = map_bits(given, codes)
    image = np.zeros(size * program.machine.columns, dtype=np.uint8)
    image[addresses - first * program.machine.columns] = bits
    address = region_address("image") + first * program.machine.columns // 8
    return HostWrite(address=address, data=np.packbits(image, bitorder="little"))


def output_step(feature_map: FeatureMap, machine: Machine) -> HostRead:
    """Read of all words that hold a feature map."""
    first, size = _words(feature_map, machine)
    width = machine.columns // 8
    return HostRead(address=region_address("image") + first * width, size=size * width)


def output_codes(feature_map: FeatureMap, machine: Machine, data: np.ndarray) -> np.ndarray:
    """Codes, or raw sums, from the bytes that an `output_step` has read."""
    first, _ = _words(feature_map, machine)
    moved = replace(feature_map, base=feature_map.base - first * machine.columns)
    return map_codes(moved, np.unpackbits(data, bitorder="little"))


def _words(feature_map: FeatureMap, machine: Machine) -> tuple[int, int]:
    """First word of the image bank that holds a bit of a map, and their number."""
    addresses = map_addresses(feature_map)
    first = int(addresses.min()) // machine.columns
    return first, int(addresses.max()) // machine.columns + 1 - first


def run_accelerator(
    program: Program,
    images: Sequence[np.ndarray],
    *,
    simulator: str,
    limit: int,
    stall: float = 0.0,
    seed: int = 0,
    waves: bool = False,
    run_folder: Path | None = None,
    build_root: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[int], None] = lambda descriptor: None,
) -> RtlAcceleratorRun:
    """Write a program into the banks, then run it for one batch of images after the other, without a reset between.

    Parameters
    ----------
    program : Program
    images : sequence of ndarray of shape (channels, height, width)
        Codes of the program's input maps, for whole batches.
    simulator : {"verilator", "icarus", "amaranth"}
        Amaranth's own needs nothing but Python and is slower by orders of magnitude.
    limit : int
        Cycles that a run is expected to take; after twice as many the bench gives up.
    stall : float
        Chance that a channel of the bus rests in a cycle.
    seed : int
        Of the stalls.
    waves : bool
        Write a VCD.
    run_folder : Path, optional
        Where to leave log and waves; emptied first.
    build_root : Path, optional
        Holds compiled models, see `run_bench`.
    faults : FaultMap, optional
        Of the cells and the sense amplifiers.
    tell : callable
        Is given the number of the descriptor at work, now and then.

    Raises
    ------
    SpinplaneError
        If the images fill no whole batches, the fault map is of another machine, or Amaranth's simulator is asked for
        faults.
    BenchFailure
        If the array refuses what is done to it, or the simulation fails otherwise.
    """
    program.check_images(len(images))
    machine, batch = program.machine, range(program.batch)
    kept = [layer for layer in program.layers if layer.kept]
    steps: list[Step] = [*program_steps(program)]
    for first in range(0, len(images), program.batch):
        steps += [input_step(program, images[first + number], number) for number in batch]
        steps.append(
            HostRun(program=0, descriptors=len(program.descriptors), limit=2 * limit + _SPARE_CYCLES)
        )
        steps += [output_step(layer.output.of_image(number), machine) for number in batch for layer in kept]
    simulation = play_script(
        machine,
        steps,
        simulator=simulator,
        stall=stall,
        seed=seed,
        waves=waves,
        run_folder=run_folder,
        build_root=build_root,
        faults=faults,
        tell=tell,
    )
    reads = iter(simulation.record.reads)
    runs = []
    for record, number in product(simulation.record.runs, batch):
        maps = tuple(
            output_codes(layer.output.of_image(number), machine, next(reads)) if layer.kept else None
            for layer in program.layers
        )
        runs.append(ImageRun(record=record, maps=maps))
    return RtlAcceleratorRun(
        images=tuple(runs),
        simulator=simulator,
        cached=simulation.cached,
        build_seconds=simulation.build_seconds,
        run_seconds=simulation.run_seconds,
        waves=simulation.waves,
    )
