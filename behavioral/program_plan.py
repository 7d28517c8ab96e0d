"""A program as it will run: its descriptors decoded, its passes scheduled, and the image bits that they need."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.codec import End
from spinplane.machine.descriptor import Load
from spinplane.machine.memory_operation import MemoryOperation
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap
from spinplane.machine.registers import Error

from .control.layer_controller import DescriptorError, read_descriptor, read_header
from .control.memory_operation import memory_error
from .feature_map import map_addresses, map_span
from .schedule import PassError, Schedule, check_kernels, union_of_spans


class PassStep(NamedTuple):
    """A pass: the number of its descriptor, its schedule, and whether its kernels are loaded."""

    number: int
    schedule: Schedule
    loads: bool


class MemoryStep(NamedTuple):
    """A memory operation, and the number of its descriptor."""

    number: int
    operation: MemoryOperation


class Plan(NamedTuple):
    """A program as far as it runs, and how it ends.

    Parameters
    ----------
    steps : list of PassStep and MemoryStep
    last : int
        Number of the last descriptor that is read.
    error : Error
    word : int
        That ``Error.FIELD`` is about, else 0.
    tag : int
        Of the kernels that lie in the array at the end.
    has_header : bool
        Whether there is one.
    forgets : bool
        Whether kernels of another program are in the array no more.
    refusal : SpinplaneError or None
        That is raised when the steps have run.
    """

    steps: list[PassStep | MemoryStep]
    last: int
    error: Error
    word: int
    tag: int
    has_header: bool
    forgets: bool
    refusal: SpinplaneError | None

    def ended(self, last: int, error: Error) -> "Plan":
        """The plan of a program that an error ends sooner, in descriptor `last`."""
        return self._replace(last=last, error=error, word=0, refusal=None)

    @property
    def passes(self) -> list[PassStep]:
        """The steps that are passes."""
        return [step for step in self.steps if isinstance(step, PassStep)]

    @property
    def image_bytes(self) -> int:
        """Bytes that an image takes while the program runs, about."""
        return max((step.schedule.image_bytes for step in self.passes), default=1)

    def span(self, maps: Iterable[FeatureMap]) -> tuple[int, int]:
        """First bit of the image bank that passes and maps lie in, and the one after the last."""
        spans = [step.schedule.span for step in self.passes]
        return union_of_spans([*spans, *map(map_span, maps)])


class Planner:
    """Plans programs, and keeps the schedules of their passes.

    Parameters
    ----------
    machine : Machine
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._read: dict[bytes, Pass | MemoryOperation | End] = {}
        self._schedules: dict[Pass, Schedule] = {}
        self._apart: dict[tuple[Schedule, ...], bool] = {}

    def plan(self, memory: NDArray[np.uint32], first: int, resident: int) -> Plan:
        """Read a program's descriptors, and schedule its passes.

        Parameters
        ----------
        memory : ndarray of shape (descriptors, DESCRIPTOR_WORDS), uint32
            The program memory.
        first : int
            Number of the header.
        resident : int
            Tag of the program whose kernels lie in the array.
        """
        steps: list[PassStep | MemoryStep] = []
        number, tag, has_header, forgets = first, 0, False, False
        error, word, refusal = Error.NONE, 0, None
        try:
            tag = read_header(self._words(memory, first), self._machine).tag
            has_header, forgets = True, tag != resident
            is_resident = tag != 0 and not forgets
            while True:
                number += 1
                match self._descriptor(self._words(memory, number)):
                    case Pass() as layer_pass:
                        loads = layer_pass.load is Load.ALWAYS or (
                            layer_pass.load is Load.UNLESS_RESIDENT and not is_resident
                        )
                        check_kernels(layer_pass, loads=loads)
                        steps.append(PassStep(number, self._schedule(layer_pass), loads))
                    case MemoryOperation() as operation:
                        error = memory_error(operation)
                        if error is not Error.NONE:
                            break
                        if operation.writes_rows:
                            tag, is_resident, forgets = 0, False, True
                        steps.append(MemoryStep(number, operation))
                    case End():
                        break
        except DescriptorError as refused:
            error, word = refused.error, refused.word
        except PassError as failed:
            error = failed.code
        except SpinplaneError as contradiction:
            refusal = contradiction
        return Plan(steps, number, error, word, tag, has_header, forgets, refusal)

    def images_are_apart(self, plan: Plan, given: Sequence[FeatureMap]) -> bool:
        """Whether runs can be done together: none finds what the one before it has left.

        Parameters
        ----------
        plan : Plan
        given : sequence of FeatureMap
            That are written for each run.
        """
        passes = plan.passes
        loads_once = plan.tag != 0 and any(
            step.loads and step.schedule.layer_pass.load is Load.UNLESS_RESIDENT for step in passes
        )
        if loads_once or len(passes) < len(plan.steps):
            return False
        schedules = tuple(step.schedule for step in passes)
        if schedules not in self._apart:
            self._apart[schedules] = self._read_what_they_write(schedules, given)
        return self._apart[schedules]

    def _read_what_they_write(self, schedules: tuple[Schedule, ...], given: Sequence[FeatureMap]) -> bool:
        """Whether passes read nothing of bank and array that only later passes write."""
        if any(schedule.index is None for schedule in schedules):
            return False
        bits = self._machine.image_words * self._machine.columns
        ever, yet = np.zeros((2, bits), dtype=bool)
        for schedule in schedules:
            ever[schedule.places.bits()] = True
        for one in given:
            yet[map_addresses(one)] = True
        for schedule in schedules:
            if any((ever[read] & ~yet[read]).any() for read in schedule.bits_read()):
                return False
            yet[schedule.places.bits()] = True
        return True

    def _words(self, memory: NDArray[np.uint32], number: int) -> NDArray[np.uint32]:
        if not 0 <= number < len(memory):
            raise DescriptorError(Error.NO_END)
        return memory[number]

    def _descriptor(self, words: NDArray[np.uint32]) -> Pass | MemoryOperation | End:
        key = words.tobytes()
        if key not in self._read:
            self._read[key] = read_descriptor(words, self._machine)
        return self._read[key]

    def _schedule(self, layer_pass: Pass) -> Schedule:
        if layer_pass not in self._schedules:
            self._schedules[layer_pass] = Schedule(layer_pass)
        return self._schedules[layer_pass]
