"""Random layers for an accelerator, and the contract of ``docs/accelerator.md`` as plain loops over single bits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from spinplane.machine import FaultMap, Machine
from spinplane.machine.descriptor import (
    DESCRIPTOR_WORDS,
    FORMAT_VERSION,
    Descriptor,
    Kind,
    Load,
    PoolAt,
    Requantize,
)
from spinplane.machine.registers import machine_digest

LESS_ONE = (
    *("in_planes", "pieces", "plane_groups", "length", "last_length", "ring_lines", "region_rows"),
    *("region_columns", "region_height", "region_width", "taps_y", "runs", "run_rows", "kernel_planes"),
    *("rounds", "sub_arrays", "last_sub_arrays", "load_sub_arrays", "beats", "last_beats"),
    *("residual_planes", "out_planes"),
)
FEW = Machine(
    name="few",
    sub_arrays=4,
    rows=160,
    columns=64,
    segments=2,
    results_per_cycle=2,
    image_words=512,
    kernel_words=512,
    parameter_beats=64,
    threshold_beats=256,
)


def descriptor_of(**numbers: int) -> Descriptor:
    """A layer's descriptor from the numbers as they are meant."""
    less_one = dict.fromkeys(LESS_ONE, 1) | numbers
    return Descriptor({k: v - (k in LESS_ONE) for k, v in less_one.items()}, kind=Kind.LAYER.value)


def program_of(machine: Machine, *layers: Descriptor, tag: int = 7) -> np.ndarray:
    """Header, layers, END."""
    header = Descriptor(
        kind=Kind.HEADER.value, version=FORMAT_VERSION, machine=machine_digest(machine), tag=tag
    )
    words = [header.words(), *(layer.words() for layer in layers), np.zeros(DESCRIPTOR_WORDS, np.uint32)]
    return np.stack(words)


def random_layer(machine: Machine, seed: int, **choices: object) -> Descriptor:
    """A convolution whose numbers belong together; `choices` fix what else is drawn."""
    rng = np.random.default_rng(seed)

    def pick(name: str, options: object) -> int:
        return int(choices[name]) if name in choices else int(rng.choice(options))

    groups_x, groups_y = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1)][pick("groups", range(5))]
    groups = groups_x * groups_y
    group_size, lanes = machine.sub_arrays // groups, machine.results_per_cycle
    slots = 2 if group_size < lanes else 2 ** pick("log_slots", range(machine.segments.bit_length()))
    log_planes = pick("log_planes", range((machine.columns // 16 // slots).bit_length()))
    in_planes = pick("in_planes", range(1, 6))
    in_bytes, channels = pick("in_bytes", range(2)), pick("channels", [1, 3, 7, 13, 16, 40])
    block = machine.columns // slots >> log_planes
    kernel_y, kernel_x = pick("kernel_y", range(1, 4)), pick("kernel_x", range(1, 4))
    stride, dilation, height = pick("stride", [1, 2, 3]), pick("dilation", [1, 1, 2]), 5
    region_y, region_x, step = pick("region_y", [1, 2]), pick("region_x", [1, 2, 3]), pick("step", [1, 2])
    if pick("pools", [0, 1]) == 0:
        region_y = region_x = step = 1
    rows, columns = pick("region_rows", [1, 2, 3]), pick("region_columns", [1, 2, 3])
    plane_groups = -(-in_planes >> log_planes)
    d = SimpleNamespace(in_bytes=in_bytes)
    if in_bytes:
        channels, dilation, width = min(channels, 3), 1, 6
        elements, most = kernel_x * channels, min(block, machine.columns // 8)
        d.pieces = -(-elements // most)
        d.length, d.piece_bits = min(most, elements), 8 * most
        d.last_length = elements - (d.pieces - 1) * most
        pixel_bits, d.unit_bits = 8 * channels, 8 * channels * stride
        units, d.window_step, d.region_step = (columns - 1) * step + region_x, d.pieces, step * d.pieces
        d.runs, d.run_rows, d.run_step = 1, d.pieces, 0
        first, new = region_x, step
    else:
        if log_planes:
            channels = min(channels, block)
        width, plane_bits = 5, block if log_planes else -(-channels // 16) * 16
        d.pieces = -(-channels // block)
        d.length, d.piece_bits = min(block, channels), block
        d.last_length = channels - (d.pieces - 1) * block
        pixel_bits = plane_bits * (plane_groups << log_planes)
        d.unit_bits, d.plane_group_bits = pixel_bits, plane_bits << log_planes
        first, new = (region_x - 1) * stride + (kernel_x - 1) * dilation + 1, step * stride
        units = first + (columns - 1) * new
        d.window_step, d.region_step = stride * d.pieces, new * d.pieces
        together = dilation == 1 and pick("together", range(2))
        d.runs, d.run_rows = (1, kernel_x * d.pieces) if together else (kernel_x, d.pieces)
        d.run_step = dilation * d.pieces
    lines = (region_y - 1) * stride + (kernel_y - 1) * dilation + 1
    d.ring_lines, d.first_lines = lines, lines
    d.next_lines = min(lines, step * stride)
    d.line_skip = step * stride - d.next_lines
    d.first_columns, d.next_columns = first, new
    d.group_rows = units * d.pieces
    d.line_rows, d.input_row = d.group_rows * plane_groups, int(rng.integers(0, 4))
    kernel_planes, rounds = pick("kernel_planes", [1, 2, 3]), pick("rounds", [1, 2, 3])
    d.kernel_row = d.input_row + lines * d.line_rows
    d.load_rows = rounds * kernel_planes * kernel_y * d.runs * d.run_rows
    if d.kernel_row + d.load_rows > machine.rows:
        return random_layer(machine, seed + 10_000, **choices)
    line_bits = width * pixel_bits + int(rng.integers(0, 3)) * 8
    pool = int(rng.integers(1, 4)) if region_x * region_y > 1 else 0
    requantize = pick("requantize", range(3))
    sub_arrays = int(rng.integers(1, group_size + 1))
    last = int(rng.integers(1, sub_arrays + 1))
    d.beats, d.last_beats = -(-sub_arrays * slots // lanes), -(-last * slots // lanes)
    channel_beats = (rounds - 1) * d.beats + d.last_beats
    writes = max(1, 32 * lanes // machine.columns) if requantize == 2 else pick("out_planes", range(1, 5))
    d.out_planes = writes if requantize != 2 else 1
    threshold_words = int(rng.integers(1, 5)) if requantize == 1 else 0
    residual = pick("residual", range(2))
    unit = 32 * lanes if requantize == 2 else lanes
    d.out_beat_bits, d.out_plane_bits = unit, channel_beats * lanes
    d.out_pixel_bits = channel_beats * unit * (1 if requantize == 2 else d.out_planes)
    d.out_line_bits = d.out_pixel_bits * groups_x * columns + 2 * unit
    interval = max(writes, threshold_words, 3 if residual else 0)
    half = machine.image_words * machine.columns // 2
    return descriptor_of(
        **vars(d),
        in_base=128 + 8 * int(rng.integers(0, 5)),
        in_line_bits=line_bits,
        in_height=height,
        in_valid_bits=width * pixel_bits,
        in_planes=in_planes,
        pad_code=int(rng.integers(0, 1 << in_planes)),
        start_x=-int(rng.integers(0, 3)) * pixel_bits,
        start_y=-int(rng.integers(0, 3)),
        plane_groups=plane_groups,
        log_slots=slots.bit_length() - 1,
        log_planes=log_planes,
        log_groups=groups.bit_length() - 1,
        log_groups_x=groups_x.bit_length() - 1,
        group_x_bits=columns * step * stride * pixel_bits,
        group_y_lines=rows * step * stride,
        region_rows=rows,
        region_columns=columns,
        region_height=region_y,
        region_width=region_x,
        region_lines=step * stride,
        window_lines=stride,
        taps_y=kernel_y,
        tap_lines=dilation,
        kernel_planes=kernel_planes,
        rounds=rounds,
        sub_arrays=sub_arrays,
        last_sub_arrays=last,
        load=Load.ALWAYS.value if "load" not in choices else int(choices["load"]),
        load_base=int(rng.integers(0, 9)),
        load_sub_arrays=sub_arrays,
        interval=interval,
        inner_cycles=groups * d.beats,
        last_inner_cycles=groups * d.last_beats,
        outer_cycles=groups * d.beats * interval,
        last_outer_cycles=groups * d.last_beats * interval,
        first_window_x=-int(rng.integers(0, 2)),
        first_window_y=-int(rng.integers(0, 2)),
        stride_x=step,
        stride_y=step,
        windows_x=groups_x * columns * step,
        windows_y=groups_y * rows * step,
        out_width=max(1, groups_x * columns - int(rng.integers(0, 2))),
        out_height=max(1, groups_y * rows - int(rng.integers(0, 2))),
        accumulator_shift=int(rng.integers(0, 3)),
        window_sum_scale=int(rng.integers(-9, 9)),
        parameter_base=int(rng.integers(0, 9)),
        threshold_base=int(rng.integers(0, 9)),
        threshold_words=threshold_words,
        pool=pool,
        requantize=requantize,
        absolute=int(rng.integers(0, 2)),
        shift=int(rng.integers(0, 12)),
        rounding=int(rng.integers(0, 3)),
        low=0,
        high=(1 << d.out_planes) - 1 if requantize == 0 else 0,
        code_shift=int(rng.integers(0, 2)) if requantize < 2 else 0,
        residual=residual,
        residual_base=8,
        residual_line_bits=40,
        residual_plane_bits=24,
        residual_pixel_bits=20,
        residual_planes=3 if residual else 1,
        out_base=half,
        out_first_bit=unit,
    )


def fill_banks(machine: Machine, seed: int) -> dict[str, np.ndarray]:
    """Contents of all banks: random bits, parameters with which nothing overflows."""
    rng = np.random.default_rng(seed)
    lanes = machine.results_per_cycle
    affine = np.zeros((machine.parameter_beats * lanes, 16), dtype=np.uint8)
    limits = ((0, 4, 1 << 12), (4, 7, 200), (7, 13, 1 << 16), (13, 16, 1 << 10))
    for first, end, limit in limits:
        values = rng.integers(-limit, limit, len(affine))
        affine[:, first:end] = values[:, np.newaxis] >> np.arange(0, 8 * (end - first), 8) & 0xFF
    levels = rng.integers(-(1 << 18), 1 << 18, (machine.threshold_beats, lanes * 4)).astype("<i4")
    return {
        "image": rng.integers(0, 2, machine.image_words * machine.columns).astype(np.uint8),
        "kernel": rng.integers(0, 256, (machine.kernel_words, machine.columns // 8)).astype(np.uint8),
        "parameters": affine.reshape(machine.parameter_beats, -1),
        "thresholds": levels.view(np.uint8).reshape(machine.threshold_beats, -1),
    }


class UnknownCell(Exception):
    """A cell that nobody has written decides a sense."""


@dataclass
class Plain:
    """The contract, one bit after the other; rows are whole numbers, bit c in column c."""

    machine: Machine
    banks: dict[str, np.ndarray]
    faults: FaultMap | None = None
    cells: dict[tuple[int, int], int] = field(default_factory=dict)
    sums: dict[tuple[int, int], int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, number: int = 1) -> None:
        self.events[name] = self.events.get(name, 0) + number

    def write(self, sub_array: int, row: int, bits: int) -> None:
        if self.faults is not None:
            for s, r, c, value in self.faults.stuck.tolist():
                if (s, r) == (sub_array, row):
                    bits = bits & ~(1 << c) | value << c
        self.cells[sub_array, row] = bits
        self.count("row_writes")

    def sense(self, sub_array: int, row_a: int, row_b: int) -> int:
        """What an AND shows."""
        everything = (1 << self.machine.columns) - 1
        nominal = [2] * self.machine.columns
        levels = nominal if self.faults is None else self.faults.and_thresholds[sub_array].tolist()
        from_cells = [sum(1 << c for c, level in enumerate(levels) if level == t) for t in range(4)]

        def shows(a: int, b: int) -> int:
            return from_cells[0] | (a | b) & from_cells[1] | a & b & from_cells[2]

        if self.faults is not None and self.faults.variation is not None:
            shows = self._shows_of_varied_cells(sub_array, row_a, row_b)
        cells = [self.cells.get((sub_array, row)) for row in (row_a, row_b)]
        shown = shows(*(0 if cell is None else cell for cell in cells))
        if shown != shows(*(everything if cell is None else cell for cell in cells)):
            raise UnknownCell(sub_array, row_a, row_b)
        self.count("ands")
        return shown

    def _shows_of_varied_cells(self, sub_array: int, *rows: int) -> Callable[[int, int], int]:
        cells = self.faults.variation
        states = [
            [side[sub_array, row].tolist() for side in (cells.parallel, cells.antiparallel)] for row in rows
        ]
        references = cells.and_references[sub_array].tolist()

        def shows(*bits: int) -> int:
            shown = 0
            for c, reference in enumerate(references):
                conductance = sum(sides[b >> c & 1][c] for sides, b in zip(states, bits, strict=True))
                shown |= (conductance < reference) << c
            return shown

        return shows

    def unit_row(self, n: SimpleNamespace, g: int, v: int, u: int, pg: int, piece: int) -> tuple[int, int]:
        """Bits of a row, and its sum."""
        gx, gy = g % n.groups_x, g // n.groups_x
        line, x = n.start_y + v + gy * n.group_y_lines, n.start_x + u * n.unit_bits + gx * n.group_x_bits
        x += piece * n.piece_bits if n.in_bytes else pg * n.plane_group_bits + piece * n.piece_bits
        bits = row_sum = 0
        length = n.last_length if piece == n.pieces - 1 else n.length
        read = False
        for p in range(n.P):
            plane = pg * n.P + p
            for i in range(length):
                at = x + 8 * i if n.in_bytes else x
                inside = 0 <= line < n.in_height and 0 <= at < n.in_valid_bits
                read |= inside
                address = n.in_base + line * n.in_line_bits
                address += x + 8 * i + plane if n.in_bytes else x + p * n.B + i
                if plane >= n.in_planes:
                    bit = 0
                else:
                    bit = int(self.banks["image"][address]) if inside else n.pad_code >> plane & 1
                row_sum += bit << p
                for slot in range(n.slots):
                    bits |= bit << (slot * n.P * n.B + p * n.B + i)
        self.count("image_reads", int(read))
        return bits, row_sum

    def layer(self, descriptor: Descriptor, *, load: bool = True) -> None:
        """Execute a pass; what it writes to the image bank gets there in the end."""
        machine = self.machine
        n = SimpleNamespace(**{k: v + (k in LESS_ONE) for k, v in descriptor.items()})
        n.groups, n.groups_x, n.slots, n.P = (
            1 << value for value in (n.log_groups, n.log_groups_x, n.log_slots, n.log_planes)
        )
        n.B, n.size = machine.columns // (n.slots * n.P), machine.sub_arrays // n.groups
        n.D, n.writes = machine.results_per_cycle, []
        if load:
            for row in range(n.load_rows):
                for i in range(n.load_sub_arrays):
                    self.count("kernel_reads")
                    word = self.banks["kernel"][n.load_base + row * n.load_sub_arrays + i]
                    for g in range(n.groups):
                        bits = int.from_bytes(word.tobytes(), "little")
                        self.write(g * n.size + i, n.kernel_row + row, bits)
        last_line = -1
        for rho in range(n.region_rows):
            number, skip = (n.first_lines, 0) if rho == 0 else (n.next_lines, n.line_skip)
            lines = range(last_line + skip + 1, last_line + skip + 1 + number)
            last_line += skip + number
            last_column = -1
            for kappa in range(n.region_columns):
                number = n.next_columns if kappa else n.first_columns
                for u in range(last_column + 1, last_column + 1 + number):
                    for v in lines:
                        for pg in range(n.plane_groups):
                            for piece in range(n.pieces):
                                self.row_set(n, v, u, pg, piece)
                last_column += number
                pooled: dict[tuple[int, int], int] = {}
                for window in range(n.region_height * n.region_width):
                    self.window(n, rho, kappa, window, pooled)
        for address, bit in n.writes:
            self.banks["image"][address] = bit

    def row_set(self, n: SimpleNamespace, v: int, u: int, pg: int, piece: int) -> None:
        row = n.input_row + v % n.ring_lines * n.line_rows + pg * n.group_rows + u * n.pieces + piece
        for g in range(n.groups):
            bits, self.sums[g, row] = self.unit_row(n, g, v, u, pg, piece)
            for i in range(n.sub_arrays):
                self.write(g * n.size + i, row, bits)

    def window(
        self, n: SimpleNamespace, rho: int, kappa: int, window: int, pooled: dict[tuple[int, int], int]
    ) -> None:
        ry, rx = divmod(window, n.region_width)
        window_sums = [0] * n.groups
        pointer = n.kernel_row
        for j in range(n.rounds):
            sub_arrays = n.last_sub_arrays if j == n.rounds - 1 else n.sub_arrays
            accumulators = [[0] * (n.size * n.slots) for _ in range(n.groups)]
            for plane in range(n.kernel_planes):
                start = pointer
                for pg in range(n.plane_groups):
                    pointer = start
                    for ty in range(n.taps_y):
                        for t in range(n.runs):
                            line = rho * n.region_lines + ry * n.window_lines + ty * n.tap_lines
                            row_a = n.input_row + line % n.ring_lines * n.line_rows + pg * n.group_rows
                            row_a += kappa * n.region_step + rx * n.window_step + t * n.run_step
                            for row in range(n.run_rows):
                                shift = plane + pg * n.P
                                self.row_pair(n, row_a + row, pointer + row, shift, sub_arrays, accumulators)
                                if j == plane == 0:
                                    for g in range(n.groups):
                                        window_sums[g] += self.sums[g, row_a + row] << pg * n.P
                            pointer += n.run_rows
            beats = n.last_beats if j == n.rounds - 1 else n.beats
            for g in range(n.groups):
                for beat in range(beats):
                    values = accumulators[g][beat * n.D : (beat + 1) * n.D]
                    self.beat(n, (g, rho, kappa, window), j * n.beats + beat, values, window_sums[g], pooled)

    def row_pair(
        self,
        n: SimpleNamespace,
        row_a: int,
        row_b: int,
        shift: int,
        sub_arrays: int,
        accumulators: list[list[int]],
    ) -> None:
        for g in range(n.groups):
            for i in range(sub_arrays):
                shown = self.sense(g * n.size + i, row_a, row_b)
                for slot in range(n.slots):
                    ones = 0
                    for p in range(n.P):
                        block = shown >> (slot * n.P + p) * n.B & (1 << n.B) - 1
                        ones += block.bit_count() << p
                    accumulators[g][i * n.slots + slot] += ones << shift

    def beat(
        self,
        n: SimpleNamespace,
        place: tuple[int, int, int, int],
        beat: int,
        values: list[int],
        window_sum: int,
        pooled: dict[tuple[int, int], int],
    ) -> None:
        g, rho, kappa, window = place
        ry, rx = divmod(window, n.region_width)
        ox, oy = g % n.groups_x * n.region_columns + kappa, g // n.groups_x * n.region_rows + rho
        wx, wy = n.first_window_x + ox * n.stride_x + rx, n.first_window_y + oy * n.stride_y + ry
        counts = 0 <= wx < n.windows_x and 0 <= wy < n.windows_y
        outer = window == n.region_height * n.region_width - 1
        self.count("parameter_reads", 1 + n.threshold_words * outer)
        written = outer and ox < n.out_width and oy < n.out_height
        address = n.out_base + oy * n.out_line_bits + ox * n.out_pixel_bits
        address += beat * n.out_beat_bits + n.out_first_bit
        if written:
            raw = n.requantize == Requantize.RAW.value
            self.count("image_writes", max(1, n.D * 32 // self.machine.columns) if raw else n.out_planes)
            self.count("image_reads", n.residual_planes if n.residual else 0)
        for lane, accumulator in enumerate(values):
            channel = beat * n.D + lane
            octets = self.banks["parameters"][n.parameter_base + beat][16 * lane : 16 * lane + 16].tobytes()
            bias, multiplier, offset, residual_multiplier = (
                int.from_bytes(octets[a:b], "little", signed=True)
                for a, b in ((0, 4), (4, 7), (7, 13), (13, 16))
            )
            value = (accumulator << n.accumulator_shift) - n.window_sum_scale * window_sum + bias
            scaled = value * multiplier
            if n.pool == PoolAt.NONE.value:
                pooled[g, channel] = scaled
            elif counts:
                before = pooled.get((g, channel))
                if before is None:
                    pooled[g, channel] = scaled
                elif n.pool == PoolAt.SUM.value:
                    pooled[g, channel] = before + scaled
                elif n.pool == PoolAt.MAX_BEFORE.value and multiplier < 0:
                    pooled[g, channel] = min(before, scaled)
                else:
                    pooled[g, channel] = max(before, scaled)
            if written:
                self.store(
                    n,
                    (ox, oy, beat, lane),
                    pooled.get((g, channel), 0) + offset,
                    residual_multiplier,
                    address,
                )

    def store(
        self,
        n: SimpleNamespace,
        place: tuple[int, int, int, int],
        y: int,
        residual_multiplier: int,
        address: int,
    ) -> None:
        ox, oy, beat, lane = place
        if n.residual:
            at = n.residual_base + oy * n.residual_line_bits + ox * n.residual_pixel_bits + beat * n.D + lane
            planes = [self.banks["image"][at + p * n.residual_plane_bits] for p in range(n.residual_planes)]
            y += residual_multiplier * sum(int(bit) << p for p, bit in enumerate(planes))
        y = abs(y) if n.absolute else y
        if n.requantize == Requantize.RAW.value:
            n.writes += [(address + 32 * lane + bit, y >> bit & 1) for bit in range(32)]
            return
        if n.requantize == Requantize.THRESHOLDS.value:
            first = n.threshold_base + beat * n.threshold_words
            words = self.banks["thresholds"][first : first + n.threshold_words]
            levels = words.view("<i4")[:, 4 * lane : 4 * lane + 4].ravel().tolist()
            code = n.low + sum(level <= y for level in levels)
        else:
            halves = {0: 0, 1: 1 << n.shift >> 1, 2: (1 << n.shift >> 1) - 1 + (y >> n.shift & 1)}
            added = halves[n.rounding] if n.shift else 0
            code = min(max(y + added >> n.shift, n.low), n.high)
        code <<= n.code_shift
        n.writes += [(address + m * n.out_plane_bits + lane, code >> m & 1) for m in range(n.out_planes)]
