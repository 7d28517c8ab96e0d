"""The functional accelerator: runs what lies in its banks as the hardware does, bit for bit, for one image or many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import AcceleratorCounters, FaultMap, Machine, SpinplaneError
from spinplane.machine.codec import End
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.descriptor import DESCRIPTOR_WORDS, Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, NetworkProgram
from spinplane.machine.registers import Error
from spinplane.machine.timing import END_CYCLES, FINISH_CYCLES, fetch_cycles

from .bit_strings import ImageBanks
from .feature_map import MapStrings, check_codes, map_addresses, map_bits, map_codes, map_span
from .layer_controller import DescriptorError, read_descriptor, read_header
from .prepared_pass import Mode, PreparedPass
from .probe import Probe
from .schedule import PassError, Schedule, check_kernels, union_of_spans
from .state import State
from .window_product import Room

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


class _Step(NamedTuple):
    """A pass of a program: the number of its descriptor, its schedule, and whether its kernels are loaded."""

    number: int
    schedule: Schedule
    loads: bool


class _Plan(NamedTuple):
    """A program as far as it runs: its passes, and how it ends.

    Parameters
    ----------
    steps : list of _Step
    last : int
        Number of the last descriptor that is read.
    error : Error
    word : int
    tag : int
    has_header : bool
    refusal : Exception or None
        That is raised when the passes have run.
    """

    steps: list[_Step]
    last: int
    error: Error
    word: int
    tag: int
    has_header: bool
    refusal: Exception | None


class Accelerator:
    """The accelerator at the level of whole passes; banks, cells and `resident` are kept between runs.

    The hardware may have done a part of a pass before it meets a row or a word that does not exist; here a
    refused pass changes nothing and counts nothing.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional
        Of the array. What does not fit in its bits wraps then instead of being refused.
    mode : {"exact", "bit_plane"}
        How sums are computed: by products of matrices, or by counting the ones of what row pairs show. Both give the
        same bits and events.

    Attributes
    ----------
    state : State
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
        self.state = State(machine, faults)
        self.program = np.zeros((machine.descriptors, DESCRIPTOR_WORDS), dtype=np.uint32)
        self.resident = 0
        self._loaded: NetworkProgram | None = None
        self._read_before: dict[bytes, Pass | End] = {}
        self._schedules: dict[Pass, Schedule] = {}
        self._prepared: dict[Schedule, PreparedPass] = {}
        self._room = Room(_KEPT)
        self._apart: dict[tuple[Schedule, ...], bool] = {}

    def load(self, program: NetworkProgram) -> None:
        """Write a program into the banks, from their first words on.

        Raises
        ------
        SpinplaneError
            If a bank is too small or has words of another size, naming it.
        """
        for name, bank, words in (
            ("kernel bank", self.state.kernel, program.kernel_rows),
            ("parameter bank", self.state.parameters, program.parameters),
            ("threshold bank", self.state.thresholds, program.thresholds),
            ("program memory", self.program, program.descriptors),
        ):
            if words.shape[1:] != bank.shape[1:] or len(words) > len(bank):
                raise SpinplaneError(f"{name} of {bank.shape} (words, size) cannot hold {words.shape}")
            bank[: len(words)] = words
        self._loaded = program
        self._read_before.clear()
        self._schedules.clear()
        self._prepared.clear()
        self._room = Room(_KEPT)
        self._apart.clear()

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
        plan = self._plan(program)
        first, end = union_of_spans(step.schedule.span for step in plan.steps)
        banks = ImageBanks(self.state.image, first, end, 1)
        try:
            for step in plan.steps:
                watches = probe is not None and probe.descriptor == step.number
                self._run_pass(step, banks, probe if watches else None)
        finally:
            banks.store(self.state.image, 0)
        return self._end(plan)

    def run_images(self, codes: NDArray[np.integer], *, layers: Sequence[int] = (-1,)) -> ImagesRun:
        """Run the loaded program for images, as if one were written after the other and run.

        Parameters
        ----------
        codes : ndarray of shape (images, channels, height, width), of integers
            Codes of the program's input.
        layers : sequence of int
            Layers of the program whose maps are returned, as they are when the layer has run.

        Returns
        -------
        ImagesRun

        Raises
        ------
        SpinplaneError
            If no program has been loaded, it ends with an error, or codes do not fit the input; and what `run` raises.
        """
        if self._loaded is None:
            raise SpinplaneError("images cannot be run before a program has been loaded")
        program = self._loaded
        check_codes(program.input, codes)
        layers = [number % len(program.layers) for number in layers]
        run, parts = None, []
        for plan, chunk in self._chunks(codes, program):
            last_passes = {program.layers[number].descriptors[-1]: number for number in layers}
            maps = {number: MapStrings(program.layers[number].output) for number in layers}
            spans = [step.schedule.span for step in plan.steps]
            spans += [
                map_span(program.input),
                *(map_span(program.layers[number].output) for number in layers),
            ]
            banks = ImageBanks(self.state.image, *union_of_spans(spans), len(chunk))
            MapStrings(program.input).write(banks, chunk)
            found = {}
            try:
                for step in plan.steps:
                    self._run_pass(step, banks)
                    number = last_passes.get(step.number)
                    if number is not None:
                        found[number] = maps[number].read(banks)
            finally:
                banks.store(self.state.image, -1)
            parts.append(found)
            run = self._end(plan)
            if run.error is not Error.NONE:
                raise SpinplaneError(
                    f"the program ends with {run.error.name} at descriptor {run.error_descriptor}"
                )
        if run is None:
            raise SpinplaneError("0 images: at least 1")
        return ImagesRun(maps={n: np.concatenate([part[n] for part in parts]) for n in layers}, run=run)

    def _chunks(
        self, codes: NDArray[np.integer], program: NetworkProgram
    ) -> Iterator[tuple[_Plan, NDArray[np.integer]]]:
        """Images that run together, and the program as it runs for them."""
        first = 0
        while first < len(codes):
            plan = self._plan(0)
            loads_once = plan.tag != 0 and any(
                step.schedule.layer_pass.load is Load.UNLESS_RESIDENT and step.loads for step in plan.steps
            )
            alone = loads_once or not self._is_apart(plan, program.input)
            of_image = max((step.schedule.image_bytes for step in plan.steps), default=1)
            size = 1 if alone else max(1, _CHUNK // of_image)
            yield plan, codes[first : first + size]
            first += size

    def _is_apart(self, plan: _Plan, given: FeatureMap) -> bool:
        schedules = tuple(step.schedule for step in plan.steps)
        if schedules not in self._apart:
            self._apart[schedules] = _is_apart(schedules, given, len(self.state.image))
        return self._apart[schedules]

    def _plan(self, program: int) -> _Plan:
        """Read a program's descriptors, and schedule its passes."""
        steps: list[_Step] = []
        number, tag, has_header = program, 0, False
        error, word, refusal = Error.NONE, 0, None
        try:
            tag = read_header(self._words(program), self.machine).tag
            has_header = True
            if tag != self.resident:
                self.resident = 0
            while True:
                number += 1
                descriptor = self._read(number)
                if isinstance(descriptor, End):
                    break
                loads = self._load_is_due(descriptor, tag)
                check_kernels(descriptor, loads=loads)
                steps.append(_Step(number, self._schedule(descriptor), loads))
        except DescriptorError as refused:
            error, word = refused.error, refused.word
        except PassError as failed:
            error = failed.code
        except SpinplaneError as contradiction:
            refusal = contradiction
        return _Plan(steps, number, error, word, tag, has_header, refusal)

    def _words(self, number: int) -> NDArray[np.uint32]:
        if not 0 <= number < self.machine.descriptors:
            raise DescriptorError(Error.NO_END)
        return self.program[number]

    def _read(self, number: int) -> Pass | End:
        words = self._words(number)
        key = words.tobytes()
        if key not in self._read_before:
            self._read_before[key] = read_descriptor(words, self.machine)
        return self._read_before[key]

    def _schedule(self, layer_pass: Pass) -> Schedule:
        if layer_pass not in self._schedules:
            self._schedules[layer_pass] = Schedule(layer_pass)
        return self._schedules[layer_pass]

    def _load_is_due(self, layer_pass: Pass, tag: int) -> bool:
        is_resident = tag != 0 and self.resident == tag
        return layer_pass.load is Load.ALWAYS or (layer_pass.load is Load.UNLESS_RESIDENT and not is_resident)

    def _run_pass(self, step: _Step, banks: ImageBanks, probe: Probe | None = None) -> None:
        schedule, state = step.schedule, self.state
        if step.loads:
            state.load_kernels(schedule)
        prepared = self._prepared.get(schedule)
        if prepared is None or not prepared.is_current(state):
            if prepared is not None:
                prepared.leave()
            prepared = PreparedPass(schedule, state, self.mode, self._room)
            self._prepared[schedule] = prepared
        prepared.run(banks, state, probe)

    def _end(self, plan: _Plan) -> AcceleratorRun:
        """Registers when the passes of a program have run."""
        if plan.refusal is not None:
            raise plan.refusal
        fetch = fetch_cycles(self.machine)
        layers = [AcceleratorCounters(cycles=fetch)] if plan.has_header else []
        between = AcceleratorCounters(cycles=fetch + FINISH_CYCLES)
        layers += [_sum([step.schedule.counters(loads=step.loads), between]) for step in plan.steps]
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


def _is_apart(schedules: Sequence[Schedule], given: FeatureMap, bank_bits: int) -> bool:
    """Whether no image reads what the one before it has left in the image bank or in the array."""
    if any(schedule.index is None for schedule in schedules):
        return False
    # Bits that some pass writes, and those that the image has written so far.
    later, now = np.zeros((2, bank_bits), dtype=bool)
    for schedule in schedules:
        later[schedule.places.bits()] = True
    now[map_addresses(given)] = True
    for schedule in schedules:
        if any((later[bits] & ~now[bits]).any() for bits in schedule.bits_read()):
            return False
        now[schedule.places.bits()] = True
    return True


def _sum(counters: Sequence[AcceleratorCounters]) -> AcceleratorCounters:
    return AcceleratorCounters(
        **{name: sum(getattr(c, name) for c in counters) for name in ACCELERATOR_COUNTER_NAMES}
    )
