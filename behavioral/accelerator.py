"""The functional accelerator: runs what lies in its banks as the hardware does, bit for bit, for one image or many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import AcceleratorCounters, FaultMap, Machine, SpinplaneError
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.descriptor import DESCRIPTOR_WORDS
from spinplane.machine.program import FeatureMap, Program
from spinplane.machine.registers import Error
from spinplane.machine.timing import END_CYCLES, FINISH_CYCLES, fetch_cycles

from .array.window_product import Room
from .bit_strings import ImageBanks
from .control.memory_operation import run_memory_operation
from .feature_map import MapStrings, check_codes, map_bits, map_codes
from .output.output_packer import OutputStageError
from .prepared_pass import Mode, PreparedPass
from .probe import Probe
from .program_plan import MemoryStep, PassStep, Plan, Planner
from .schedule import Schedule
from .state import AcceleratorState

#: Bytes that the images of a chunk take.
_CHUNK = 48 << 20
#: Bytes of factors that are kept from one run to the next.
_KEPT = 512 << 20


@dataclass(frozen=True, kw_only=True)
class AcceleratorRun:
    """What a run leaves in the registers.

    Parameters
    ----------
    counters : AcceleratorCounters
        Of the whole run.
    layers : tuple of AcceleratorCounters
        What each descriptor added, the header first; END is the last one if there was no error.
    error : Error
    error_descriptor : int
        Number of the last descriptor that was read.
    error_word : int
        Word of it for ``Error.FIELD``, else 0.
    """

    counters: AcceleratorCounters
    layers: tuple[AcceleratorCounters, ...]
    error: Error
    error_descriptor: int
    error_word: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ImagesRun:
    """What runs of many images leave.

    Parameters
    ----------
    maps : dict of int to ndarray of shape (images, channels, height, width)
        Codes of the layers that were asked for, by their numbers; signed with 32 bits of ``raw``, else uint8.
    run : AcceleratorRun
        Of the last image. All have the same, but for the first one if kernels are loaded for it alone.
    """

    maps: dict[int, NDArray[np.integer]]
    run: AcceleratorRun


class Accelerator:
    """The accelerator at the level of whole passes; banks, cells and `resident` are kept between runs.

    The hardware may have done a part of a pass before it meets a row or a word that does not exist; here a
    refused pass changes nothing and counts nothing.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional
        Of the array. What does not fit in its bits wraps then instead of being refused. Transient ones are drawn of
        events that are counted from the first one on, over all runs.
    mode : {"exact", "bit_plane"}
        How sums are computed: by products of matrices, or by counting the ones of what row pairs show. Both give the
        same bits and events.

    Attributes
    ----------
    state : AcceleratorState
        Banks and cells, which a host may write.
    program : ndarray of shape (descriptors, DESCRIPTOR_WORDS), uint32
        The program memory.
    resident : int
        Tag of the program whose kernels lie in the array; 0 after a reset.

    Raises
    ------
    SpinplaneError
        If the fault map is that of another machine.
    """

    def __init__(self, machine: Machine, faults: FaultMap | None = None, mode: Mode = "exact") -> None:
        self.machine, self.mode = machine, mode
        self.state = AcceleratorState(machine, faults)
        self.program = np.zeros((machine.descriptors, DESCRIPTOR_WORDS), dtype=np.uint32)
        self.resident = 0
        self._loaded: Program | None = None
        self._forget()

    def load(self, program: Program) -> None:
        """Write a program into the banks, from their first words on.

        Raises
        ------
        SpinplaneError
            If a bank is too small or has words of another size, naming it.
        """
        for name, bank, words in (
            ("kernel bank", self.state.kernel, program.kernel_rows),
            ("parameter bank", self.state.parameters, program.parameters),
            ("scale bank", self.state.scales, program.scales),
            ("threshold bank", self.state.thresholds, program.thresholds),
            ("program memory", self.program, program.descriptors),
        ):
            if words.shape[1:] != bank.shape[1:] or len(words) > len(bank):
                raise SpinplaneError(f"{name} of {bank.shape} (words, size) cannot hold {words.shape}")
            bank[: len(words)] = words
        self._loaded = program
        self._forget()

    def _forget(self) -> None:
        """Begin with nothing prepared."""
        self._planner = Planner(self.machine)
        self._prepared: dict[Schedule, PreparedPass] = {}
        self._room = Room(_KEPT)
        self._maps: dict[FeatureMap, MapStrings] = {}

    def write_map(self, feature_map: FeatureMap, codes: ArrayLike) -> None:
        """Write codes of shape (channels, height, width) into the image bank; see `map_bits`."""
        addresses, bits = map_bits(feature_map, codes)
        if addresses.size and not 0 <= addresses.min() <= addresses.max() < len(self.state.image):
            raise SpinplaneError(
                f"feature map from bit {addresses.min()} to {addresses.max()}: "
                f"the image bank has {len(self.state.image)} bits"
            )
        self.state.image[addresses] = bits

    def read_map(self, feature_map: FeatureMap) -> NDArray[np.int64]:
        """Read codes of shape (channels, height, width) from the image bank; see `map_codes`."""
        return map_codes(feature_map, self.state.image)

    def run(self, program: int = 0, *, probe: Probe | None = None) -> AcceleratorRun:
        """Run the program whose header is descriptor `program`.

        Parameters
        ----------
        program : int
        probe : Probe, optional
            Looks at one of its passes.

        Raises
        ------
        SpinplaneError
            If a pass contradicts itself, what it writes depends on when it reads, or the probe finds no such output.
        ArrayError
            If a cell that nobody has written decides a sense.
        OverflowError
            If an accumulator, a window sum or a value that counts does not fit, in an array without faults.
        """
        plan = self._planner.plan(self.program, program, self.resident)
        banks = ImageBanks(self.state.image, *plan.span(()), 1)
        return self._end(*self._run_steps(plan, banks, probe=probe))

    def run_images(self, codes: NDArray[np.integer], *, layers: Sequence[int] = (-1,)) -> ImagesRun:
        """Run the loaded program for images, as if one batch were written after the other and run.

        Parameters
        ----------
        codes : ndarray of shape (images, channels, height, width), of integers
            Codes of the program's input, for whole batches.
        layers : sequence of int
            Layers of the program whose maps are returned, as they are when the layer has run.

        Returns
        -------
        ImagesRun

        Raises
        ------
        SpinplaneError
            If no program has been loaded, it ends with an error, codes do not fit the input, or their number does not
            fit the program's batch; and what `run` raises.
        """
        if self._loaded is None:
            raise SpinplaneError("load a program before running images")
        program = self._loaded
        check_codes(program.input, codes)
        program.check_images(len(codes))
        batches = codes.reshape(-1, program.batch, *codes.shape[1:])
        layers = [number % len(program.layers) for number in layers]
        wanted = {
            program.layers[number].descriptors[-1]: program.maps_of(program.layers[number].output)
            for number in layers
        }
        run, parts = None, []
        for plan, chunk in self._chunks(batches, program):
            maps_wanted = [one for of_layer in wanted.values() for one in of_layer]
            banks = ImageBanks(self.state.image, *plan.span([*program.inputs, *maps_wanted]), len(chunk))
            for at, given in enumerate(program.inputs):
                self._map(given).write(banks, chunk[:, at])
            found: dict[int, NDArray[np.integer]] = {}
            run = self._end(*self._run_steps(plan, banks, wanted=wanted, found=found))
            parts.append(found)
            if run.error is not Error.NONE:
                raise SpinplaneError(
                    f"the program ends with {run.error.name} at descriptor {run.error_descriptor}"
                )
        if run is None:
            raise SpinplaneError("0 images: must be at least 1")
        maps = {
            number: np.concatenate([part[program.layers[number].descriptors[-1]] for part in parts])
            for number in layers
        }
        return ImagesRun(maps=maps, run=run)

    def _chunks(
        self, batches: NDArray[np.integer], program: Program
    ) -> Iterator[tuple[Plan, NDArray[np.integer]]]:
        """Batches that run together, and the program as it runs for them."""
        first = 0
        while first < len(batches):
            plan = self._planner.plan(self.program, 0, self.resident)
            together = self.state.transient is None and self._planner.images_are_apart(plan, program.inputs)
            size = max(1, _CHUNK // plan.image_bytes) if together else 1
            yield plan, batches[first : first + size]
            first += size

    def _map(self, feature_map: FeatureMap) -> MapStrings:
        if feature_map not in self._maps:
            self._maps[feature_map] = MapStrings(feature_map)
        return self._maps[feature_map]

    def _run_steps(
        self,
        plan: Plan,
        banks: ImageBanks,
        *,
        probe: Probe | None = None,
        wanted: Mapping[int, Sequence[FeatureMap]] = MappingProxyType({}),
        found: dict[int, NDArray[np.integer]] | None = None,
    ) -> tuple[Plan, list[AcceleratorCounters]]:
        """Run passes and memory operations; maps that are wanted after some are found, image by image.

        Returns
        -------
        Plan
            That ends at the first pass whose values lead to a word of thresholds or of a table that there is not.
        list of AcceleratorCounters
            Events of the steps that have run.
        """
        counted: list[AcceleratorCounters] = []
        if plan.forgets:
            self.resident = 0
        try:
            for step in plan.steps:
                if isinstance(step, MemoryStep):
                    counted.append(self._run_memory_operation(step, banks))
                else:
                    watches = probe is not None and probe.descriptor == step.number
                    try:
                        self._run_pass(step, banks, probe if watches else None)
                    except OutputStageError:
                        return plan.ended(step.number, Error.PARAMETER_BANK), counted
                    counted.append(step.schedule.counters(loads=step.loads))
                if found is not None and step.number in wanted:
                    maps = [self._map(one).read(banks) for one in wanted[step.number]]
                    found[step.number] = np.stack(maps, axis=1).reshape(-1, *maps[0].shape[1:])
        finally:
            banks.store(self.state.image, -1)
        return plan, counted

    def _run_memory_operation(self, step: MemoryStep, banks: ImageBanks) -> AcceleratorCounters:
        """Do an operation on the bank of the only image."""
        state = self.state
        banks.store(state.image, -1)
        counted = run_memory_operation(step.operation, state.array, state.kernel, state.image)
        banks.take(state.image)
        return counted

    def _run_pass(self, step: PassStep, banks: ImageBanks, probe: Probe | None = None) -> None:
        schedule, state = step.schedule, self.state
        if step.loads:
            state.load_kernels(schedule)
        prepared = self._prepared.get(schedule)
        if prepared is None or not prepared.is_current(state):
            if prepared is not None:
                prepared.leave()
            elif len(self._prepared) > 2 * self.machine.descriptors:
                self._forget()
            prepared = PreparedPass(schedule, state, self.mode, self._room)
            self._prepared[schedule] = prepared
        prepared.run(banks, state, probe)

    def _end(self, plan: Plan, counted: list[AcceleratorCounters]) -> AcceleratorRun:
        """Registers when the steps of a program have run and counted these events."""
        if plan.refusal is not None:
            raise plan.refusal
        fetch = fetch_cycles(self.machine)
        layers = [AcceleratorCounters(cycles=fetch)] if plan.has_header else []
        between = AcceleratorCounters(cycles=fetch + FINISH_CYCLES)
        layers += [_sum([events, between]) for events in counted]
        if plan.error is Error.NONE:
            layers.append(AcceleratorCounters(cycles=fetch + END_CYCLES))
        self.resident = plan.tag if plan.error is Error.NONE else 0
        return AcceleratorRun(
            counters=_sum(layers),
            layers=tuple(layers),
            error=plan.error,
            error_descriptor=plan.last,
            error_word=plan.word,
        )


def _sum(counters: Sequence[AcceleratorCounters]) -> AcceleratorCounters:
    return AcceleratorCounters(
        **{name: sum(getattr(c, name) for c in counters) for name in ACCELERATOR_COUNTER_NAMES}
    )
