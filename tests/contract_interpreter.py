"""The loops of docs/accelerator.md, spelled out: slow, and apart from the compiler and the functional machine."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
from contract_output import (
    PARAMETERS,
    SCALES,
    Channel,
    bits_of_channel,
    code_of,
    pool,
    unpack,
    value_of,
    wrap,
)

from spinplane.machine import FaultMap, Machine
from spinplane.machine.descriptor import Load, Pool
from spinplane.machine.memory_operation import MemoryOperation, RowOperation
from spinplane.machine.output_stage import WINDOW_SUM_BITS
from spinplane.machine.passes import Pass
from spinplane.machine.program import Program


class UnknownCell(Exception):
    """A cell that nobody has written decides a sense."""


class Interpreter:
    """Runs passes and programs on cells that nobody has written yet.

    Parameters
    ----------
    machine : Machine
    kernel, parameters, scales, thresholds : ndarray
        Words of the banks, uint8.
    image : ndarray of shape (bits,), uint8
        Of the image bank; is changed.
    faults : FaultMap, optional
        Of the array. What does not fit in its bits wraps then; else it is an AssertionError.

    Attributes
    ----------
    events : Counter
        What was counted.
    cells : ndarray of shape (sub_arrays, rows, columns), uint8
    written : ndarray of shape (sub_arrays, rows, columns), bool
    resident : bool
        Whether a program has left its kernels in the array.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        kernel: np.ndarray,
        parameters: np.ndarray,
        scales: np.ndarray,
        thresholds: np.ndarray,
        image: np.ndarray,
        faults: FaultMap | None = None,
    ) -> None:
        self.machine, self.faults, self.image = machine, faults, image
        self.kernel = np.unpackbits(kernel, axis=1, bitorder="little")
        self.parameters, self.scales, self.thresholds = parameters, scales, thresholds
        self.cells = np.zeros((machine.sub_arrays, machine.rows, machine.columns), dtype=np.uint8)
        self.written = np.zeros(self.cells.shape, dtype=bool)
        self.sums = np.zeros((machine.row_buses, machine.rows), dtype=np.int64)
        self.stuck, self.stuck_bits = np.zeros_like(self.cells), np.zeros_like(self.cells)
        if faults is not None:
            sub_array, row, column, value = faults.stuck.T
            self.stuck[sub_array, row, column], self.stuck_bits[sub_array, row, column] = 1, value
        self.events: Counter[str] = Counter()
        self.resident = False
        self._writes: list[tuple[np.ndarray, np.ndarray]] = []

    @classmethod
    def of(cls, program: Program) -> "Interpreter":
        """With a program in its banks."""
        machine = program.machine
        return cls(
            machine,
            kernel=program.kernel_rows,
            parameters=program.parameters,
            scales=program.scales,
            thresholds=program.thresholds,
            image=np.zeros(machine.image_words * machine.columns, dtype=np.uint8),
        )

    def run(self, program: Program) -> list[Counter[str]]:
        """Run a program whose kernels nobody else overwrites; events of each descriptor."""
        counted = [Counter[str]()]
        for n in program.passes:
            before = self.events.copy()
            self.run_pass(n, load=n.load is Load.ALWAYS or (n.load is not Load.NEVER and not self.resident))
            counted.append(self.events - before)
        self.resident = True
        return [*counted, Counter()]

    def run_pass(self, n: Pass, *, load: bool = True) -> None:
        """Execute a pass; what it writes to the image bank gets there in the end."""
        assert n.cluster_size * n.slots % n.lanes == 0
        if load:
            self._load(n)
        line = 0
        for rho in range(n.region_rows):
            line += n.line_skip if rho else 0
            lines = range(line, line + (n.next_lines if rho else n.first_lines))
            line = lines.stop
            unit = 0
            for kappa in range(n.region_columns):
                units = range(unit, unit + (n.next_columns if kappa else n.first_columns))
                unit = units.stop
                for u in units:
                    for v in lines:
                        self._write_unit(n, v, u)
                regions: dict[tuple[int, int], list[list[int]]] = {}
                for window in range(n.windows):
                    self._window(n, rho, kappa, *divmod(window, n.region_width), regions)
        for at, bits in self._writes:
            self.image[at] = bits
        self._writes = []

    def run_memory_operation(self, n: MemoryOperation) -> None:
        """Execute a memory operation."""
        members = np.arange(n.first_sub_array, n.last_sub_array + 1)
        columns = self.kernel[n.kernel_word] == 1 if n.masked else np.ones(self.machine.columns, dtype=bool)
        self.events["kernel_reads"] += n.masked
        for i in range(n.rows):
            if n.operation is RowOperation.WRITE:
                self._write(members, n.row_d + i, self.kernel[n.kernel_word + n.masked + i], columns)
                self.events["kernel_reads"] += 1
                continue
            name = n.operation.name.lower()
            counted = {"read": ["row_reads"], "xor": ["ands", "ors"]}.get(name, [f"{name}s"])
            self.events.update(dict.fromkeys(counted, len(members)))
            rows = [[n.row_a + i]] if name == "read" else [[n.row_a + i], [n.row_b + i]]
            sense = self._sense_xor if name == "xor" else partial(self._sense, name)
            sensed = sense(members, *rows, columns=columns)[:, 0]
            if n.write_back:
                self._write(members, n.row_d + i, sensed, columns)
            if n.store:
                at = (n.image_word + i * n.sub_arrays) * self.machine.columns
                self.image[at : at + sensed.size] = sensed.ravel()
                self.events["image_writes"] += n.sub_arrays

    def _write(
        self, sub_arrays: np.ndarray, row: int, bits: np.ndarray, columns: np.ndarray | slice = slice(None)
    ) -> None:
        """Some columns of a row in several sub-arrays; stuck cells stay as they are."""
        kept = self.stuck[sub_arrays, row] == 1
        new = np.where(kept, self.stuck_bits[sub_arrays, row], bits)
        where = np.ix_(sub_arrays, [row], np.arange(self.machine.columns)[columns])
        self.cells[where] = new[:, np.newaxis, columns]
        self.written[where] = True
        self.events["row_writes"] += len(sub_arrays)

    def _load(self, n: Pass) -> None:
        for row in range(n.load_rows):
            for i in range(n.load_sub_arrays):
                word = self.kernel[n.load_base + row * n.load_sub_arrays + i]
                self._write(np.arange(n.clusters) * n.cluster_size + i, n.kernel_row + row, word)
                self.events["kernel_reads"] += 1

    def _write_unit(self, n: Pass, v: int, u: int) -> None:
        buses = self.machine.row_buses // n.clusters
        for pg in range(n.plane_groups):
            for piece in range(n.pieces):
                row = n.input_row + v % n.ring_lines * n.line_rows
                row += pg * n.group_rows + u * n.pieces + piece
                for g in range(n.clusters):
                    slot = self._slot(n, g, v, u, pg, piece)
                    own = g * n.cluster_size + np.arange(n.sub_arrays)
                    self._write(own, row, slot.ravel() if n.spread else np.tile(slot.ravel(), n.slots))
                    first = slot[0] if n.spread else slot
                    row_sum = sum(int(plane.sum()) << p for p, plane in enumerate(first))
                    self.sums[g * buses : (g + 1) * buses, row] = row_sum

    def _slot(self, n: Pass, g: int, v: int, u: int, pg: int, piece: int) -> np.ndarray:
        """What a row holds in each slot, (planes, block_columns), or in all of them, (slots, planes, block_columns)."""
        gx, gy = g % n.clusters_x, g // n.clusters_x
        y = n.start_y + v + gy * n.cluster_y_lines
        x = n.start_x + u * n.unit_bits + gx * n.cluster_x_bits + piece * n.piece_bits
        x += 0 if n.in_bytes else pg * n.plane_group_bits
        length = n.last_length if piece == n.pieces - 1 else n.length
        i = np.arange(length)
        first = x + 8 * i if n.in_bytes else np.full(length, x)
        inside = (first >= 0) & (first < n.in_valid_bits) & (0 <= y < n.in_height)
        if n.spread:
            slots = np.zeros((n.slots, n.planes, n.block_columns), dtype=np.uint8)
            for p in range(n.planes):
                plane = pg * n.planes + p
                if plane >= n.in_planes:
                    continue
                self.events["image_reads"] += int(inside.any())
                at = n.in_base + y * n.in_line_bits + x + p * (n.plane_group_bits // n.planes) + i
                bits = np.where(inside, self.image[np.where(inside, at, 0)], n.pad_code >> plane & 1)
                slots[i // n.block_columns, p, i % n.block_columns] = bits
            return slots
        self.events["image_reads"] += int(inside.any())
        slot = np.zeros((n.planes, n.block_columns), dtype=np.uint8)
        for p in range(n.planes):
            plane = pg * n.planes + p
            if plane < n.in_planes:
                at = x + 8 * i + plane if n.in_bytes else x + p * n.block_columns + i
                at = np.where(inside, n.in_base + y * n.in_line_bits + at, 0)
                slot[p, :length] = np.where(inside, self.image[at], n.pad_code >> plane & 1)
        return slot

    def _window(
        self,
        n: Pass,
        rho: int,
        kappa: int,
        ry: int,
        rx: int,
        regions: dict[tuple[int, int], list[list[int]]],
    ) -> None:
        """Runs of a window, kernel tile by kernel tile, and the output stage of each kernel tile."""
        window_sums = np.zeros(n.clusters, dtype=np.int64)
        buses = np.arange(n.clusters) * (self.machine.row_buses // n.clusters)
        pointer = n.kernel_row
        for j in range(n.kernel_tiles):
            accumulators = np.zeros((n.clusters, n.cluster_size, n.slots), dtype=np.int64)
            part = n.last_sub_arrays if j == n.kernel_tiles - 1 else n.sub_arrays
            for plane in range(n.kernel_planes):
                start = pointer
                for pg in range(n.plane_groups):
                    pointer = start
                    for ty in range(n.taps_y):
                        v = rho * n.region_lines + ry * n.window_lines + ty * n.tap_lines
                        for t in range(n.bursts):
                            row = n.input_row + v % n.ring_lines * n.line_rows + pg * n.group_rows
                            row += kappa * n.region_step + rx * n.window_step + t * n.burst_step
                            counts = self._run(n, row, pointer, part)
                            subtracts = n.subtracts and plane == n.kernel_planes - 1
                            accumulators[:, :part] += (-counts if subtracts else counts) << (
                                plane + pg * n.planes
                            )
                            if j == plane == 0:
                                rows = self.sums[buses, row : row + n.burst_rows]
                                window_sums += rows.sum(axis=1) << (pg * n.planes)
                            pointer += n.burst_rows
            accumulators = self._fit(accumulators, self.machine.accumulator_bits)
            if j == 0:
                window_sums = self._fit(window_sums, WINDOW_SUM_BITS)
            for g in range(n.clusters):
                results = accumulators[g].reshape(-1, n.lanes)
                if n.spread:
                    of_groups = accumulators[g].reshape(-1, n.lanes, n.slots)
                    results = of_groups.transpose(0, 2, 1).reshape(-1, n.lanes)
                for beat in range(n.last_beats if j == n.kernel_tiles - 1 else n.beats):
                    place = (g, rho, kappa, ry, rx)
                    self._beat(n, place, j * n.beats + beat, results[beat], int(window_sums[g]), regions)

    def _run(self, n: Pass, row_a: int, row_b: int, part: int) -> np.ndarray:
        """Counts of a run of rows: shape (clusters, sub-arrays that take part, slots)."""
        members = (np.arange(n.clusters)[:, np.newaxis] * n.cluster_size + np.arange(part)).ravel()
        rows = np.arange(n.burst_rows)
        shown = self._sense("and", members, row_a + rows, row_b + rows)
        self.events["ands"] += len(members) * n.burst_rows
        self.events["additions"] += len(members) * n.burst_rows * n.slots
        ones = shown.reshape(len(members), n.burst_rows, n.slots, n.planes, -1).sum(
            axis=(1, 4), dtype=np.int64
        )
        return (ones @ (1 << np.arange(n.planes))).reshape(n.clusters, part, n.slots)

    def _sense(
        self,
        operation: str,
        members: np.ndarray,
        *rows: Sequence[int],
        columns: np.ndarray | slice = slice(None),
    ) -> np.ndarray:
        """What sensed rows show, 0 in the other columns: shape (members, rows, columns)."""
        at = [np.ix_(members, numbers) for numbers in rows]
        least = self._shown(operation, at, [self.cells[where] for where in at])
        most = self._shown(operation, at, [self.cells[where] | ~self.written[where] for where in at])
        if (most != least)[..., columns].any():
            raise UnknownCell(members, rows)
        shown = np.zeros(least.shape, dtype=np.uint8)
        shown[..., columns] = least[..., columns]
        return shown

    def _sense_xor(self, members: np.ndarray, *rows: Sequence[int], columns: np.ndarray) -> np.ndarray:
        """What EN_OR shows and EN_AND does not, in three values: 0, 1 and unknown."""
        at = [np.ix_(members, numbers) for numbers in rows]
        least = [self.cells[where] & self.written[where] for where in at]
        most = [self.cells[where] | ~self.written[where] for where in at]
        (and_least, and_most), (or_least, or_most) = (
            [self._shown(operation, at, bits) != 0 for bits in (least, most)] for operation in ("and", "or")
        )
        is_1, is_0 = or_least & ~and_most, and_least | ~or_most
        if not (is_1 | is_0)[..., columns].all():
            raise UnknownCell(members, rows)
        return (is_1 & columns).astype(np.uint8)

    def _shown(self, operation: str, at: list[tuple], bits: list[np.ndarray]) -> np.ndarray:
        ones = sum(operand.astype(np.int64) for operand in bits)
        if self.faults is None:
            return ones >= {"read": 1, "and": 2, "or": 1}[operation]
        sub_arrays = at[0][0]
        if self.faults.variation is None:
            return ones >= getattr(self.faults, f"{operation}_thresholds")[sub_arrays]
        cells = self.faults.variation
        conductance = sum(
            np.where(operand, cells.antiparallel[where], cells.parallel[where])
            for operand, where in zip(bits, at, strict=True)
        )
        return conductance < getattr(cells, f"{operation}_references")[sub_arrays]

    def _beat(
        self,
        n: Pass,
        place: tuple[int, int, int, int, int],
        beat: int,
        results: np.ndarray,
        window_sum: int,
        regions: dict[tuple[int, int], list[list[int]]],
    ) -> None:
        """Output stage of a beat of a window: its sums kept for the region, and behind the last window written."""
        g, rho, kappa, ry, rx = place
        ox, oy = g % n.clusters_x * n.region_columns + kappa, g // n.clusters_x * n.region_rows + rho
        wx, wy = n.first_window_x + ox * n.stride_x + rx, n.first_window_y + oy * n.stride_y + ry
        counts = n.pool is Pool.NONE or (0 <= wx < n.windows_x and 0 <= wy < n.windows_y)
        exists = ox < n.out_width and oy < n.out_height
        beat_place = beat
        if n.spread:
            beat_place = beat % n.slots * n.slot_beats + beat // n.slots
        exists = exists and beat_place < n.out_beats
        outer = (ry, rx) == (n.region_height - 1, n.region_width - 1)
        self.events["parameter_reads"] += 1 + outer * (n.multiplies + n.search_reads + n.table)
        kept = regions.setdefault((g, beat), [[] for _ in range(n.lanes)])
        lanes = [self._channel(n, beat, lane) for lane in range(n.lanes)]
        for (parameters, scales), accumulator, sums in zip(lanes, results.tolist(), kept, strict=True):
            total = (accumulator << n.accumulator_shift) - n.window_sum_scale * window_sum
            if counts:
                used = exists and scales.get("multiplier") != 0
                sums.append(self._limited(total + parameters["bias"], 32, used))
        if not (outer and exists):
            return
        at = n.out_base + oy * n.out_line_bits + ox * n.out_pixel_bits
        at += beat_place * n.out_beat_bits + n.out_first_bit
        stored = []
        for lane, (parameters, scales) in enumerate(lanes):
            pooled = self._limited(pool(n, parameters, kept[lane]), 36, scales.get("multiplier") != 0)
            y = value_of(n, parameters, scales, pooled, self._residual(n, ox, oy, beat_place, lane))
            thresholds = partial(bits_of_channel, self.thresholds, channel=lane)
            stored.append(y if n.raw else code_of(n, parameters, scales, y, thresholds))
        self.events["image_reads"] += n.residual_planes if n.residual else 0
        self._store(n, at, stored)

    def _channel(self, n: Pass, beat: int, lane: int) -> tuple[Channel, Channel]:
        """Parameters and scales of a channel; no scales where nothing is multiplied."""
        parameters = unpack(PARAMETERS, bits_of_channel(self.parameters, n.parameter_base + beat, lane))
        if not n.multiplies:
            return parameters, {}
        return parameters, unpack(SCALES, bits_of_channel(self.scales, n.scale_base + beat, lane))

    def _residual(self, n: Pass, ox: int, oy: int, beat_place: int, lane: int) -> int:
        """Code of the residual operand."""
        if not n.residual:
            return 0
        at = n.residual_base + oy * n.residual_line_bits + ox * n.residual_pixel_bits
        at += beat_place * n.lanes + lane
        bits = (int(self.image[at + plane * n.residual_plane_bits]) for plane in range(n.residual_planes))
        return sum(bit << plane for plane, bit in enumerate(bits))

    def _store(self, n: Pass, at: int, stored: list[int]) -> None:
        """Codes plane by plane, or values as they are."""
        if n.raw:
            size = min(n.lanes * 32, self.machine.columns)
            assert at % size == 0
            places = at + np.arange(n.lanes * 32)
            self._writes.append((places, np.array([y >> bit & 1 for y in stored for bit in range(32)])))
            self.events["image_writes"] += n.lanes * 32 // size
            return
        for plane in range(n.out_planes):
            begin = at + plane * n.out_plane_bits
            assert begin % n.lanes == 0
            self._writes.append(
                (begin + np.arange(n.lanes), np.array([code >> plane & 1 for code in stored]))
            )
            self.events["image_writes"] += 1

    def _limited(self, number: int, bits: int, matters: bool) -> int:
        """A number of so many bits."""
        assert self.faults is not None or not matters or number == wrap(number, bits), (number, bits)
        return wrap(number, bits)

    def _fit(self, numbers: np.ndarray, bits: int) -> np.ndarray:
        """Numbers of so many bits."""
        half = 1 << (bits - 1)
        wrapped = (numbers + half) % (2 * half) - half
        assert self.faults is not None or (wrapped == numbers).all()
        return wrapped


def addresses(feature_map):
    """Bit addresses of a feature map, shape (channels, height, width, bits)."""
    m = feature_map
    c, y, x, p = np.meshgrid(*map(np.arange, (m.channels, m.height, m.width, bits_of(m))), indexing="ij")
    at = m.base + y * m.line_bits
    if m.layout == "bytes":
        return at + (x * m.channels + c) * 8 + p
    return at + x * m.pixel_bits + (c * 32 + p if m.layout == "raw" else p * m.plane_bits + c)


def bits_of(feature_map):
    return 32 if feature_map.layout == "raw" else feature_map.planes


def write_map(image, feature_map, values):
    """Write values of shape (channels, height, width) as codes."""
    codes, rest = np.divmod(values - feature_map.offset, feature_map.scale)
    assert not rest.any()
    assert ((codes >= 0) & (codes < 1 << feature_map.planes)).all()
    image[addresses(feature_map)] = codes[..., np.newaxis] >> np.arange(feature_map.planes) & 1


def read_map(image, feature_map):
    """Values of shape (channels, height, width)."""
    bits = bits_of(feature_map)
    weights = 1 << np.arange(bits)
    if feature_map.layout == "raw":
        weights[-1] *= -1
    return feature_map.scale * (image[addresses(feature_map)].astype(np.int64) @ weights) + feature_map.offset
