"""Random passes for an accelerator, and what its banks hold."""

from dataclasses import replace

import numpy as np
from contract_output import least_interval
from output_stage_draws import draw_output_stage, fill_output_banks

from spinplane.machine import Machine
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.descriptor import Load, Pool
from spinplane.machine.passes import MOST_BEATS, Pass
from spinplane.machine.registers import machine_digest

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


def program_of(machine: Machine, *passes: Pass, tag: int = 7) -> np.ndarray:
    """Header, passes, END."""
    header = Header(machine=machine_digest(machine), tag=tag)
    return np.stack([encode(descriptor) for descriptor in (header, *passes, End())])


def random_pass(machine: Machine, seed: int, **choices: object) -> Pass:
    """A convolution whose numbers belong together; `choices` fix what else is drawn."""
    rng = np.random.default_rng(seed)

    def pick(name: str, options: object) -> int:
        return int(choices[name]) if name in choices else int(rng.choice(options))

    clusters_x, clusters_y = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1)][pick("clusters", range(5))]
    clusters = clusters_x * clusters_y
    # Drawn apart from the rest, so that passes that are not spread are what they have been.
    apart = np.random.default_rng([seed, 1])
    cluster_size, lanes = machine.sub_arrays // clusters, machine.results_per_cycle
    slots = 2 if cluster_size < lanes else pick("slots", powers_of_two(machine.segments))
    planes = pick("planes", powers_of_two(machine.columns // 16 // slots))
    spread = slots > 1 and cluster_size % lanes == 0 and apart.random() < 0.7
    in_planes = pick("in_planes", range(1, 6))
    in_bytes, channels = pick("in_bytes", range(2)), pick("channels", [1, 3, 7, 13, 16, 40])
    in_bytes = 0 if spread else in_bytes
    block = machine.columns // (1 if spread else slots) // planes
    kernel_y, kernel_x = pick("kernel_y", range(1, 4)), pick("kernel_x", range(1, 4))
    stride, dilation, height = pick("stride", [1, 2, 3]), pick("dilation", [1, 1, 2]), 5
    region_y, region_x, step = pick("region_y", [1, 2]), pick("region_x", [1, 2, 3]), pick("step", [1, 2])
    if pick("pools", [0, 1]) == 0:
        region_y = region_x = step = 1
    rows, columns = pick("region_rows", [1, 2, 3]), pick("region_columns", [1, 2, 3])
    plane_groups = -(-in_planes // planes)
    if in_bytes:
        channels, dilation, width, plane_group_bits = min(channels, 3), 1, 6, 0
        elements, most = kernel_x * channels, min(block, machine.columns // 8)
        pieces, length, piece_bits = -(-elements // most), min(most, elements), 8 * most
        last_length = elements - (pieces - 1) * most
        pixel_bits, unit_bits = 8 * channels, 8 * channels * stride
        units, window_step, region_step = (columns - 1) * step + region_x, pieces, step * pieces
        bursts, burst_rows, burst_step = 1, pieces, 0
        first, new = region_x, step
    else:
        if planes > 1 and not spread:
            channels = min(channels, block)
        width, plane_bits = 5, block if planes > 1 and not spread else -(-channels // 16) * 16
        pieces, length, piece_bits = -(-channels // block), min(block, channels), block
        last_length = channels - (pieces - 1) * block
        pixel_bits = unit_bits = plane_bits * plane_groups * planes
        plane_group_bits = plane_bits * planes
        first, new = (region_x - 1) * stride + (kernel_x - 1) * dilation + 1, step * stride
        units = first + (columns - 1) * new
        window_step, region_step = stride * pieces, new * pieces
        together = dilation == 1 and pick("together", range(2))
        bursts, burst_rows = (1, kernel_x * pieces) if together else (kernel_x, pieces)
        burst_step = dilation * pieces
    lines = (region_y - 1) * stride + (kernel_y - 1) * dilation + 1
    next_lines = min(lines, step * stride)
    group_rows = units * pieces
    line_rows, input_row = group_rows * plane_groups, int(rng.integers(0, 4))
    kernel_planes, kernel_tiles = pick("kernel_planes", [1, 2, 3]), pick("kernel_tiles", [1, 2, 3])
    kernel_row = input_row + lines * line_rows
    load_rows = kernel_tiles * kernel_planes * kernel_y * bursts * burst_rows
    if kernel_row + load_rows > machine.rows:
        return random_pass(machine, seed + 10_000, **choices)
    line_bits = width * pixel_bits + int(rng.integers(0, 3)) * 8
    pool = Pool(int(rng.integers(1, 3)) if region_x * region_y > 1 else 0)
    stage = draw_output_stage(machine, rng, pick)
    raw = bool(stage["raw"])
    sub_arrays = int(rng.integers(1, cluster_size + 1))
    last = int(rng.integers(1, sub_arrays + 1))
    if spread:
        sub_arrays, last = (-(-of // lanes) * lanes for of in (sub_arrays, last))
    beats, last_beats = -(-sub_arrays * slots // lanes), -(-last * slots // lanes)
    channel_beats = (kernel_tiles - 1) * beats + last_beats
    slot_beats = channel_beats // slots + int(apart.integers(0, 2)) if spread else 0
    map_beats = max(channel_beats, slots * slot_beats)
    # The second slot has a beat that exists.
    fewest = slot_beats + 1 if spread else min(2, map_beats)
    limited = spread or apart.random() < 0.3
    out_beats = int(apart.integers(fewest, map_beats + 1)) if limited else MOST_BEATS
    out_planes = 1 if raw else pick("out_planes", [1, 2, 3, 4, 5, 6, 7, 8, 8, 8])
    unit = 32 * lanes if raw else lanes
    out_pixel_bits = map_beats * unit * out_planes
    out_line_bits = out_pixel_bits * clusters_x * columns + 2 * unit
    out_base = machine.image_words * machine.columns // 2
    if stage["residual"] and not raw and pick("in_place", [0, 0, 1]):
        operand = {
            "residual_base": out_base + unit,
            "residual_line_bits": out_line_bits,
            "residual_plane_bits": map_beats * lanes,
            "residual_pixel_bits": out_pixel_bits,
            "residual_planes": int(rng.integers(1, out_planes + 1)),
        }
    else:
        operand = {
            "residual_base": 8,
            "residual_line_bits": 40,
            "residual_plane_bits": 24,
            "residual_pixel_bits": 20,
            "residual_planes": int(rng.integers(1, 9)),
        }
    drawn = Pass(
        machine=machine,
        in_bytes=bool(in_bytes),
        spread=spread,
        subtracts=bool(apart.random() < 0.3),
        slot_beats=slot_beats,
        out_beats=out_beats,
        pieces=pieces,
        length=length,
        piece_bits=piece_bits,
        last_length=last_length,
        unit_bits=unit_bits,
        plane_group_bits=plane_group_bits,
        window_step=window_step,
        region_step=region_step,
        bursts=bursts,
        burst_rows=burst_rows,
        burst_step=burst_step,
        ring_lines=lines,
        first_lines=lines,
        next_lines=next_lines,
        line_skip=step * stride - next_lines,
        first_columns=first,
        next_columns=new,
        group_rows=group_rows,
        line_rows=line_rows,
        input_row=input_row,
        kernel_row=kernel_row,
        load_rows=load_rows,
        beats=beats,
        last_beats=last_beats,
        out_planes=out_planes,
        out_beat_bits=unit,
        out_plane_bits=map_beats * lanes,
        out_pixel_bits=out_pixel_bits,
        out_line_bits=out_line_bits,
        in_base=128 + 8 * int(rng.integers(0, 5)),
        in_line_bits=line_bits,
        in_height=height,
        in_valid_bits=width * pixel_bits,
        in_planes=in_planes,
        pad_code=int(rng.integers(0, 1 << in_planes)),
        start_x=-int(rng.integers(0, 3)) * pixel_bits,
        start_y=-int(rng.integers(0, 3)),
        plane_groups=plane_groups,
        slots=slots,
        planes=planes,
        clusters=clusters,
        clusters_x=clusters_x,
        cluster_x_bits=columns * step * stride * pixel_bits,
        cluster_y_lines=rows * step * stride,
        region_rows=rows,
        region_columns=columns,
        region_height=region_y,
        region_width=region_x,
        region_lines=step * stride,
        window_lines=stride,
        taps_y=kernel_y,
        tap_lines=dilation,
        kernel_planes=kernel_planes,
        kernel_tiles=kernel_tiles,
        sub_arrays=sub_arrays,
        last_sub_arrays=last,
        load=Load(choices.get("load", Load.ALWAYS)),
        load_base=int(rng.integers(0, 9)),
        load_sub_arrays=sub_arrays,
        inner_cycles=clusters * beats,
        last_inner_cycles=clusters * last_beats,
        first_window_x=-int(rng.integers(0, 2)),
        first_window_y=-int(rng.integers(0, 2)),
        stride_x=step,
        stride_y=step,
        windows_x=clusters_x * columns * step,
        windows_y=clusters_y * rows * step,
        out_width=max(1, clusters_x * columns - int(rng.integers(0, 2))),
        out_height=max(1, clusters_y * rows - int(rng.integers(0, 2))),
        accumulator_shift=int(rng.integers(0, 3)),
        window_sum_scale=int(rng.integers(-9, 9)),
        pool=pool,
        **stage,
        **operand,
        out_base=out_base,
        out_first_bit=unit,
    )
    interval = least_interval(drawn) + int(rng.choice([0, 0, 1, 4]))
    return replace(
        drawn,
        interval=interval,
        outer_cycles=clusters * beats * interval,
        last_outer_cycles=clusters * last_beats * interval,
    )


def powers_of_two(largest: int) -> list[int]:
    return [1 << bit for bit in range(largest.bit_length())]


def fill_banks(machine: Machine, seed: int) -> dict[str, np.ndarray]:
    """Contents of all banks: random bits, parameters with which nothing overflows."""
    rng = np.random.default_rng(seed)
    return {
        "image": rng.integers(0, 2, machine.image_words * machine.columns).astype(np.uint8),
        "kernel": rng.integers(0, 256, (machine.kernel_words, machine.columns // 8)).astype(np.uint8),
        **fill_output_banks(machine, rng),
    }
