"""The functional accelerator: runs what lies in its banks as the hardware does, bit for bit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import AcceleratorCounters, FaultMap, Machine, SpinplaneError
from spinplane.machine.codec import End
from spinplane.machine.descriptor import DESCRIPTOR_WORDS, Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import FeatureMap, NetworkProgram
from spinplane.machine.registers import Error
from spinplane.machine.timing import END_CYCLES, FINISH_CYCLES, fetch_cycles

from .feature_map import map_bits, map_codes
from .layer_cells import Cells
from .layer_controller import DescriptorError, read_descriptor, read_header
from .layer_pass import State, run_pass
from .layer_walk import PassError


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


class Accelerator:
    """The accelerator at the level of whole passes; banks, cells and `resident` are kept between runs.

    The hardware may have done a part of a pass before it meets a row or a word that does not exist; here a
    refused pass changes nothing and counts nothing.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional
        Of the array. What does not fit in its bits wraps then instead of being refused.

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

    def __init__(self, machine: Machine, faults: FaultMap | None = None) -> None:
        self.machine = machine
        beat_bytes = machine.results_per_cycle * 16
        self.state = State(
            machine=machine,
            cells=Cells.unknown(machine, faults),
            row_sums=np.zeros((machine.row_buses, machine.rows), dtype=np.int64),
            image=np.zeros(machine.image_words * machine.columns, dtype=np.uint8),
            kernel=np.zeros((machine.kernel_words, machine.columns // 8), dtype=np.uint8),
            parameters=np.zeros((machine.parameter_beats, beat_bytes), dtype=np.uint8),
            thresholds=np.zeros((machine.threshold_beats, beat_bytes), dtype=np.uint8),
        )
        self.program = np.zeros((machine.descriptors, DESCRIPTOR_WORDS), dtype=np.uint32)
        self.resident = 0

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

    def run(self, program: int = 0) -> AcceleratorRun:
        """Run the program whose header is descriptor `program`.

        Raises
        ------
        SpinplaneError, ArrayError, OverflowError
            For what `spinplane.behavioral.layer_pass.run_pass` refuses and the hardware does not notice.
        """
        layers: list[AcceleratorCounters] = []
        number, fetch = program, fetch_cycles(self.machine)
        error, word, tag = Error.NONE, 0, 0
        try:
            tag = self._header(program)
            layers.append(AcceleratorCounters(cycles=fetch))
            while True:
                number += 1
                descriptor = read_descriptor(self._words(number), self.machine)
                if isinstance(descriptor, End):
                    break
                done = run_pass(self.state, descriptor, load=self._load_is_due(descriptor, tag))
                layers.append(_sum([done, AcceleratorCounters(cycles=fetch + FINISH_CYCLES)]))
            layers.append(AcceleratorCounters(cycles=fetch + END_CYCLES))
            self.resident = tag
        except DescriptorError as refused:
            error, word = refused.error, refused.word
        except PassError as failed:
            error = failed.code
        if error is not Error.NONE:
            self.resident = 0
        return AcceleratorRun(
            counters=_sum(layers),
            layers=tuple(layers),
            error=error,
            error_descriptor=number,
            error_word=word,
        )

    def _header(self, number: int) -> int:
        """Check the header; returns the program's tag."""
        tag = read_header(self._words(number), self.machine).tag
        if tag != self.resident:
            self.resident = 0
        return tag

    def _words(self, number: int) -> NDArray[np.uint32]:
        if not 0 <= number < self.machine.descriptors:
            raise DescriptorError(Error.NO_END)
        return self.program[number]

    def _load_is_due(self, layer_pass: Pass, tag: int) -> bool:
        is_resident = tag != 0 and self.resident == tag
        return layer_pass.load is Load.ALWAYS or (layer_pass.load is Load.UNLESS_RESIDENT and not is_resident)


def _sum(counters: list[AcceleratorCounters]) -> AcceleratorCounters:
    names = AcceleratorCounters().as_dict()
    return AcceleratorCounters(**{name: sum(getattr(c, name) for c in counters) for name in names})
