"""All that follows from a pass alone: its rows, row pairs and outputs, their places, and the events of that.

Events are those of the schedule's entries, and cycles those of the clock.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.counters import AcceleratorCounters
from spinplane.machine.pass_timing import pass_time
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error

from .control.sequencer import KernelLoad, RowPairs
from .input.input_address_generator import InputAddressGenerator
from .input.input_streamer import FormedRows
from .input.unit_reader import UnitReader
from .output.output_packer import OutputMap, OutputStageError
from .output.parameters import check_words
from .output.residual_loader import ResidualLoader

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class PassError(Exception):
    """What ends a program: a code of `spinplane.machine.registers.Error`."""

    def __init__(self, code: Error) -> None:
        super().__init__(code.name)
        self.code = code


def check_kernels(layer_pass: Pass, *, loads: bool) -> None:
    """Refuse kernels that do not lie in the array, or in their bank if they are loaded.

    Raises
    ------
    PassError
    SpinplaneError
        If the beats of a kernel tile are not those of its results.
    """
    p = layer_pass
    p.check_beats()
    rows = p.kernel_tiles * p.kernel_planes * p.window_rows
    if p.kernel_row + max(rows, p.load_rows if loads else 0) > p.machine.rows:
        raise PassError(Error.ROW)
    if loads and p.load_base + p.load_rows * p.load_sub_arrays > p.machine.kernel_words:
        raise PassError(Error.KERNEL_BANK)


class Schedule:
    """What follows from a pass alone.

    Parameters
    ----------
    layer_pass : Pass
        Whose kernels fit, see `check_kernels`.

    Attributes
    ----------
    load : KernelLoad
        What is written where a load is due.
    pairs : RowPairs
    walk : InputAddressGenerator
    rows : FormedRows
        By cluster, and in a cluster by row set.
    units : UnitReader
    places : OutputMap
    residual : ResidualLoader or None
    contents : ndarray of shape (windows of all regions, plane groups, window rows), int64
        Row set that each input row holds when it is sensed; −1 where the pass has not written it.
    last_sets : ndarray of shape (rows,), int64
        Row set that each array row holds in the end; −1 where the pass does not write it.
    unit_rows : ndarray of shape (row sets,), int64
        Unit row that each row set belongs to, with the same pieces of other plane groups.
    index : ndarray of shape (windows of all regions, window rows), int64, or None
        Unit row, of all plane groups, that each window has at each of its rows; None where it has none, or sub-arrays
        take part that rows are not written to.

    Raises
    ------
    PassError
        If a row or a word does not exist.
    SpinplaneError
        If the pass contradicts itself, or what it writes depends on when it reads.
    """

    def __init__(self, layer_pass: Pass) -> None:
        self.layer_pass = p = layer_pass
        machine, bank_bits = p.machine, p.machine.image_words * p.machine.columns
        self.load = KernelLoad.of(p)
        self.pairs = RowPairs.of(p)
        self._check_parameters()
        self.places = OutputMap(p)
        _in_bank(self.places.check, bank_bits)
        self.walk = InputAddressGenerator.of(p)
        if self.walk.row.size and self.walk.row.max() >= machine.rows:
            raise PassError(Error.ROW)
        self._check_rows_apart()
        if self.pairs.input_rows.max() >= machine.rows:
            raise PassError(Error.ROW)
        self.contents = self._contents()
        self.rows = FormedRows.of_walk(p, self.walk)
        if self.rows.needed.size and self.rows.needed.max() > bank_bits:
            raise PassError(Error.IMAGE_BANK)
        self.residual = ResidualLoader(p, self.places) if p.residual else None
        if self.residual is not None:
            _in_bank(self.residual.check, bank_bits)
        self._refuse_reading_what_is_written()
        unit = np.arange(len(self.walk.row)) // (p.plane_groups * p.pieces)
        self.unit_rows = unit * p.pieces + self.walk.piece
        self.index = self._index()
        self.units = UnitReader(p, self.rows)
        self._counters: dict[bool, AcceleratorCounters] = {}
        self.row_sets = np.diff(self.walk.region_sets)
        self.elements = self.rows.inside.shape[1]

    def _check_parameters(self) -> None:
        """Refuse words of parameters and scales that do not exist; values lead to those of thresholds and tables."""
        words = self.layer_pass.machine.parameter_beats
        try:
            check_words(self.layer_pass, parameter_words=words, scale_words=words)
        except OutputStageError:
            raise PassError(Error.PARAMETER_BANK) from None

    def _check_rows_apart(self) -> None:
        """Rows of the walk are no kernel rows; what the hardware notices of that is an AND of a row with itself."""
        shared = self.walk.row[np.isin(self.walk.row, self.pairs.kernel_rows)]
        if shared.size:
            if self.pairs.meet_themselves():
                raise PassError(Error.ROW)
            raise SpinplaneError(f"array row {shared[0]} holds both input and kernels in one pass")

    def _contents(self) -> Integers:
        p = self.layer_pass
        input_rows = self.pairs.input_rows.reshape(p.regions, p.windows, p.plane_groups, p.window_rows)
        contents = np.empty(input_rows.shape, dtype=np.int64)
        current = np.full(p.machine.rows, -1)
        for region, (first, end) in enumerate(pairwise(self.walk.region_sets.tolist())):
            current[self.walk.row[first:end]] = np.arange(first, end)
            contents[region] = current[input_rows[region]]
        self.last_sets = current
        return contents.reshape(-1, p.plane_groups, p.window_rows)

    def _index(self) -> Integers | None:
        p = self.layer_pass
        if self.contents.min() < 0 or int(self.pairs.sub_arrays.max()) > p.sub_arrays:
            return None
        unit_row, plane_group = self.unit_rows[self.contents], self.walk.plane_group[self.contents]
        apart = (plane_group != np.arange(p.plane_groups)[:, np.newaxis]).any()
        return None if apart or (unit_row != unit_row[:, :1]).any() else np.ascontiguousarray(unit_row[:, 0])

    def _refuse_reading_what_is_written(self) -> None:
        """Refuse a pass whose output lies on its input."""
        first, end = self.places.span
        if max(first, self.rows.span[0]) >= min(end, self.rows.span[1]):
            return
        read = np.zeros(end - first, dtype=bool)
        for taken in self.rows.taken():
            read[taken[(taken >= first) & (taken < end)] - first] = True
        written = self.places.bits() - first
        both = written[read[written]]
        if both.size:
            raise SpinplaneError(f"image bit {both[0] + first} is both input and output of one pass")

    @property
    def span(self) -> tuple[int, int]:
        """First bit of the image bank that is read or written, and the one after the last."""
        return union_of_spans(
            [self.places.span, self.rows.span, *([self.residual.span] if self.residual is not None else [])]
        )

    def bits_read(self) -> Iterator[Integers]:
        """Addresses of the bits of the image bank that the pass reads, some at a time."""
        yield from self.rows.taken()
        if self.residual is not None:
            yield self.residual.bits()

    @property
    def image_bytes(self) -> int:
        """Bytes that an image takes while the pass runs, about."""
        p = self.layer_pass
        sets = len(self.walk.row) * p.clusters * self.elements
        return 16 * sets + 24 * p.clusters * p.regions * p.windows * p.channel_beats * p.lanes

    def counters(self, *, loads: bool) -> AcceleratorCounters:
        """Events of the schedule's entries; ``cycles`` from the first one of the pass to its last write.

        Parameters
        ----------
        loads : bool
            Whether kernels are loaded.
        """
        if loads not in self._counters:
            self._counters[loads] = self._count(loads)
        return self._counters[loads]

    def _count(self, loads: bool) -> AcceleratorCounters:
        p, places, residual = self.layer_pass, self.places, self.residual
        loaded = self.load.words.size if loads else 0
        ands = self.pairs.senses * p.clusters
        time = pass_time(p, self.row_sets.tolist(), loaded)
        return AcceleratorCounters(
            row_writes=(loaded + self.walk.row.size * p.sub_arrays) * p.clusters,
            ands=ands,
            bit_counts=ands,
            shifts=ands * p.slots,
            additions=ands * p.slots,
            cycles=time.cycles,
            stalled=time.stalled,
            image_reads=int(self.rows.read_planes.sum()) + (0 if residual is None else residual.reads),
            image_writes=places.image_writes,
            kernel_reads=loaded,
            parameter_reads=places.parameter_reads,
        )


def union_of_spans(spans: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The least span that holds all of them, (0, 0) if they are empty."""
    whole = [span for span in spans if span[1] > span[0]]
    return min((first for first, _ in whole), default=0), max((end for _, end in whole), default=0)


def _in_bank(check: Callable[[int], None], bank_bits: int) -> None:
    try:
        check(bank_bits)
    except OutputStageError:
        raise PassError(Error.IMAGE_BANK) from None
