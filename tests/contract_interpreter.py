"""The loops of docs/accelerator.md, spelled out: slow, and apart from the compiler and the functional machine."""

from collections import Counter

import numpy as np

from spinplane.machine.descriptor import Descriptor, Kind, Load, PoolAt, Requantize

LESS_ONE = [
    "in_planes",
    "pieces",
    "plane_groups",
    "length",
    "last_length",
    "ring_lines",
    "region_rows",
    "region_columns",
    "region_height",
    "region_width",
    "taps_y",
    "runs",
    "run_rows",
    "kernel_planes",
    "rounds",
    "sub_arrays",
    "last_sub_arrays",
    "load_sub_arrays",
    "beats",
    "last_beats",
    "residual_planes",
    "out_planes",
]


class Interpreter:
    """Runs a program; `image` are the bits of the image bank, `events` what was counted."""

    def __init__(self, program):
        m = self.machine = program.machine
        self.program = program
        self.image = np.zeros(m.image_words * m.columns, dtype=np.uint8)
        self.kernel = np.unpackbits(program.kernel_rows, axis=1, bitorder="little")
        # Cells that were never written sense as whatever they like: 1 is the worse guess.
        self.cells = np.ones((m.sub_arrays, m.rows, m.columns), dtype=np.uint8)
        self.sums = np.zeros((m.sub_arrays, m.rows), dtype=np.int64)
        self.resident = False

    def run(self):
        self.events = Counter()
        self.passes = []
        for words in self.program.descriptors:
            d = Descriptor.from_words(words)
            before = self.events.copy()
            if d["kind"] == Kind.LAYER.value:
                self.layer({n: v + (n in LESS_ONE) for n, v in d.items()})
            self.passes.append(self.events - before)
        self.resident = True

    def layer(self, d):
        m = self.machine
        groups, slots, planes = 1 << d["log_groups"], 1 << d["log_slots"], 1 << d["log_planes"]
        size = m.sub_arrays // groups
        assert size * slots % m.results_per_cycle == 0
        block = m.columns // slots // planes
        if d["load"] == Load.ALWAYS.value or not self.resident:
            for row in range(d["load_rows"]):
                for i in range(d["load_sub_arrays"]):
                    word = self.kernel[d["load_base"] + row * d["load_sub_arrays"] + i]
                    self.cells[i::size, d["kernel_row"] + row] = word
                    self.events["row_writes"] += groups
                    self.events["kernel_reads"] += 1
        line = 0
        pooled = {}
        for rho in range(d["region_rows"]):
            line += d["line_skip"] if rho else 0
            new = range(line, line + (d["next_lines"] if rho else d["first_lines"]))
            line = new.stop
            unit = 0
            for kappa in range(d["region_columns"]):
                columns = range(unit, unit + (d["next_columns"] if kappa else d["first_columns"]))
                unit = columns.stop
                for u in columns:
                    for v in new:
                        self.write_unit(d, v, u, size, block)
                for ry in range(d["region_height"]):
                    for rx in range(d["region_width"]):
                        values, window_sums = self.window(d, rho, kappa, ry, rx, size, slots, planes, block)
                        self.way_out(d, rho, kappa, ry, rx, values, window_sums, pooled)

    def write_unit(self, d, v, u, size, block):
        m, slots, planes = self.machine, 1 << d["log_slots"], 1 << d["log_planes"]
        for pg in range(d["plane_groups"]):
            for piece in range(d["pieces"]):
                length = d["last_length"] if piece == d["pieces"] - 1 else d["length"]
                row = d["input_row"] + v % d["ring_lines"] * d["line_rows"]
                row += pg * d["group_rows"] + u * d["pieces"] + piece
                for g in range(1 << d["log_groups"]):
                    gx, gy = g % (1 << d["log_groups_x"]), g >> d["log_groups_x"]
                    y = d["start_y"] + v + gy * d["group_y_lines"]
                    x = d["start_x"] + u * d["unit_bits"] + gx * d["group_x_bits"] + piece * d["piece_bits"]
                    x += 0 if d["in_bytes"] else pg * d["plane_group_bits"]
                    i = np.arange(length)
                    first = x + 8 * i if d["in_bytes"] else np.full(length, x)
                    inside = (first >= 0) & (first < d["in_valid_bits"]) & (0 <= y < d["in_height"])
                    self.events["image_reads"] += int(inside.any())
                    bits = np.zeros(m.columns, dtype=np.uint8)
                    for p in range(planes):
                        plane = pg * planes + p
                        if plane >= d["in_planes"]:
                            continue
                        at = x + 8 * i + plane if d["in_bytes"] else x + p * block + i
                        at = np.where(inside, d["in_base"] + y * d["in_line_bits"] + at, 0)
                        element = np.where(inside, self.image[at], d["pad_code"] >> plane & 1)
                        for s in range(slots):
                            begin = (s * planes + p) * block
                            bits[begin : begin + length] = element
                    assert length <= (min(block, m.columns // 8) if d["in_bytes"] else block)
                    own = slice(g * size, g * size + d["sub_arrays"])
                    self.cells[own, row] = bits
                    weights = np.repeat(1 << np.arange(planes), block)
                    self.sums[own, row] = int((bits[: planes * block] * weights).sum())
                    self.events["row_writes"] += d["sub_arrays"]

    def window(self, d, rho, kappa, ry, rx, size, slots, planes, block):
        m = self.machine
        accumulators = np.zeros((d["rounds"], m.sub_arrays, slots), dtype=np.int64)
        sums = np.zeros(m.sub_arrays, dtype=np.int64)
        weights = 1 << np.arange(planes)
        pointer = d["kernel_row"]
        for j in range(d["rounds"]):
            part = d["last_sub_arrays"] if j == d["rounds"] - 1 else d["sub_arrays"]
            used = np.arange(m.sub_arrays) % size < part
            for n in range(d["kernel_planes"]):
                plane_start = pointer
                for pg in range(d["plane_groups"]):
                    pointer = plane_start
                    for ty in range(d["taps_y"]):
                        v = rho * d["region_lines"] + ry * d["window_lines"] + ty * d["tap_lines"]
                        for t in range(d["runs"]):
                            row = d["input_row"] + v % d["ring_lines"] * d["line_rows"] + pg * d["group_rows"]
                            row += kappa * d["region_step"] + rx * d["window_step"] + t * d["run_step"]
                            a = self.cells[:, row : row + d["run_rows"]]
                            b = self.cells[:, pointer : pointer + d["run_rows"]]
                            ones = (a & b).reshape(m.sub_arrays, -1, slots, planes, block)
                            ones = ones.sum(axis=(1, 4), dtype=np.int64)
                            accumulators[j] += (ones @ weights) << (n + pg * planes)
                            if j == n == 0:
                                sums += self.sums[:, row : row + d["run_rows"]].sum(axis=1) << (pg * planes)
                            pointer += d["run_rows"]
                            self.events["ands"] += int(used.sum()) * d["run_rows"]
                            self.events["additions"] += int(used.sum()) * d["run_rows"] * slots
        return accumulators, sums

    def way_out(self, d, rho, kappa, ry, rx, accumulators, window_sums, pooled):
        m = self.machine
        lanes, size = m.results_per_cycle, m.sub_arrays >> d["log_groups"]
        outer = (ry, rx) == (d["region_height"] - 1, d["region_width"] - 1)
        pool, mode = PoolAt(d["pool"]), Requantize(d["requantize"])
        for j in range(d["rounds"]):
            for g in range(1 << d["log_groups"]):
                gx, gy = g % (1 << d["log_groups_x"]), g >> d["log_groups_x"]
                ox, oy = gx * d["region_columns"] + kappa, gy * d["region_rows"] + rho
                wx = d["first_window_x"] + ox * d["stride_x"] + rx
                wy = d["first_window_y"] + oy * d["stride_y"] + ry
                counts = 0 <= wx < d["windows_x"] and 0 <= wy < d["windows_y"]
                results = accumulators[j, g * size : (g + 1) * size].reshape(-1, lanes)
                for beat in range(d["last_beats"] if j == d["rounds"] - 1 else d["beats"]):
                    channel = j * d["beats"] + beat
                    words = self.program.parameters[d["parameter_base"] + channel].reshape(lanes, 16)
                    bias, multiplier, offset, residual_multiplier = (
                        np.array([int.from_bytes(w[a:b].tobytes(), "little", signed=True) for w in words])
                        for a, b in ((0, 4), (4, 7), (7, 13), (13, 16))
                    )
                    value = (results[beat] << d["accumulator_shift"]) + bias
                    value = value - d["window_sum_scale"] * window_sums[g * size]
                    real = multiplier != 0
                    assert not counts or (np.abs(value[real]) < 2**31).all()
                    scaled = value * multiplier
                    key = (g, ox, oy, channel)
                    self.events["parameter_reads"] += 1
                    if counts:
                        old = pooled.get(key, scaled)
                        if key not in pooled or pool is PoolAt.NONE:
                            pooled[key] = scaled
                        elif pool is PoolAt.SUM:
                            pooled[key] = old + scaled
                        elif pool is PoolAt.MAX or pool is PoolAt.MAX_BEFORE:
                            least = (multiplier < 0) & (pool is PoolAt.MAX_BEFORE)
                            pooled[key] = np.where(least, np.minimum(old, scaled), np.maximum(old, scaled))
                    if not outer:
                        continue
                    self.events["parameter_reads"] += d["threshold_words"]
                    if ox >= d["out_width"] or oy >= d["out_height"]:
                        continue
                    added = offset + self.residual(d, ox, oy, channel) * residual_multiplier
                    self.write(d, mode, ox, oy, channel, pooled.pop(key) + added)

    def residual(self, d, ox, oy, channel):
        lanes = self.machine.results_per_cycle
        codes = np.zeros(lanes, dtype=np.int64)
        at = d["residual_base"] + oy * d["residual_line_bits"] + ox * d["residual_pixel_bits"]
        for plane in range(d["residual_planes"] if d["residual"] else 0):
            begin = at + plane * d["residual_plane_bits"] + channel * lanes
            codes += self.image[begin : begin + lanes].astype(np.int64) << plane
            self.events["image_reads"] += 1
        return codes

    def write(self, d, mode, ox, oy, channel, y):
        lanes = self.machine.results_per_cycle
        at = d["out_base"] + oy * d["out_line_bits"] + ox * d["out_pixel_bits"]
        at += channel * d["out_beat_bits"] + d["out_first_bit"]
        if mode is Requantize.RAW:
            size = min(lanes * 32, self.machine.columns)
            assert at % size == 0
            self.image[at : at + lanes * 32] = (y[:, np.newaxis] >> np.arange(32) & 1).ravel()
            self.events["image_writes"] += lanes * 32 // size
            return
        if mode is Requantize.SHIFT:
            codes = np.clip(y >> d["shift"], d["low"], d["high"])
        else:
            first = d["threshold_base"] + channel * d["threshold_words"]
            words = self.program.thresholds[first : first + d["threshold_words"]]
            limits = words.reshape(-1, lanes, 16).view("<i4").transpose(1, 0, 2).reshape(lanes, -1)
            codes = d["low"] + (limits <= y[:, np.newaxis]).sum(axis=1)
        for plane in range(d["out_planes"]):
            begin = at + plane * d["out_plane_bits"]
            assert begin % lanes == 0
            self.image[begin : begin + lanes] = (codes << d["code_shift"]) >> plane & 1
            self.events["image_writes"] += 1


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
