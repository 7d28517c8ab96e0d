"""The golden model of the output stage against plain loops over one number at a time."""

from random import Random

import numpy as np
import pytest

from spinplane.behavioral.output.output_stage import OutputStageError, run_output_stage
from spinplane.machine import Machine, Rounding
from spinplane.machine.descriptor import PoolAt, Requantize
from spinplane.machine.passes import Pass
from spinplane.sim.benches.output.output_stage_cases import OutputStageCase, random_case

MACHINE = Machine(
    name="loops", sub_arrays=4, rows=16, columns=32, segments=1, results_per_cycle=2, image_words=2048
)
LANES = MACHINE.results_per_cycle


def number(bits: np.ndarray, start: int, size: int) -> int:
    """Two's complement, lowest bit first."""
    value = sum(int(bit) << at for at, bit in enumerate(bits[start : start + size]))
    return value - (1 << size) if value >> (size - 1) else value


def rounded(y: int, shift: int, rounding: Rounding) -> int:
    if rounding is Rounding.FLOOR or not shift:
        return y >> shift
    half = 1 << (shift - 1)
    if rounding is Rounding.HALF_EVEN and y & ((1 << shift) - 1) == half:
        return (y >> shift) + (y >> shift & 1)
    return (y + half) >> shift


def by_loops(case: OutputStageCase) -> tuple[list[tuple[int, list[int]]], int, int]:
    """Writes, planes of residuals and words of parameters and thresholds read."""
    n = case.layer_pass
    writes, residual_reads, parameter_reads = [], 0, 0
    for rho in range(n.region_rows):
        for kappa in range(n.region_columns):
            parameter_reads += case.accumulators[rho, kappa][..., 0].size
            for j in range(n.kernel_tiles):
                for g in range(n.clusters):
                    for b in range(n.last_beats if j == n.kernel_tiles - 1 else n.beats):
                        channel = j * n.beats + b
                        ox = g % n.clusters_x * n.region_columns + kappa
                        oy = g // n.clusters_x * n.region_rows + rho
                        if n.requantize is Requantize.THRESHOLDS:
                            parameter_reads += n.threshold_words
                        if ox >= n.out_width or oy >= n.out_height:
                            continue
                        values = []
                        for lane in range(LANES):
                            y = value_of(case, rho, kappa, g, channel, lane, ox, oy)
                            if n.residual:
                                at = (
                                    n.residual_base
                                    + oy * n.residual_line_bits
                                    + ox * n.residual_pixel_bits
                                    + channel * LANES
                                    + lane
                                )
                                code = sum(
                                    int(case.image[at + p * n.residual_plane_bits]) << p
                                    for p in range(n.residual_planes)
                                )
                                word = case.parameters[n.parameter_base + channel]
                                y += code * number(word, 128 * lane + 104, 24)
                            values.append(code_of(case, abs(y) if n.absolute else y, channel, lane))
                        residual_reads += n.residual * n.residual_planes
                        start = (
                            n.out_base
                            + oy * n.out_line_bits
                            + ox * n.out_pixel_bits
                            + channel * n.out_beat_bits
                            + n.out_first_bit
                        )
                        if n.requantize is Requantize.RAW:
                            bits = [value >> bit & 1 for value in values for bit in range(32)]
                            writes += [(start + at, bits[at : at + 32]) for at in range(0, len(bits), 32)]
                        else:
                            writes += [
                                (start + m * n.out_plane_bits, [value >> m & 1 for value in values])
                                for m in range(n.out_planes)
                            ]
    return writes, residual_reads, parameter_reads


def value_of(
    case: OutputStageCase, rho: int, kappa: int, g: int, channel: int, lane: int, ox: int, oy: int
) -> int:
    """Pooled value and offset."""
    n = case.layer_pass
    word = case.parameters[n.parameter_base + channel]
    multiplier = number(word, 128 * lane + 32, 24)
    found = []
    for ry in range(n.region_height):
        for rx in range(n.region_width):
            wx = n.first_window_x + ox * n.stride_x + rx
            wy = n.first_window_y + oy * n.stride_y + ry
            accumulator = int(case.accumulators[rho, kappa, ry, rx, g, channel, lane])
            value = (
                (accumulator << n.accumulator_shift)
                - n.window_sum_scale * int(case.window_sums[rho, kappa, ry, rx, g])
                + number(word, 128 * lane, 32)
            )
            counts = 0 <= wx < n.windows_x and 0 <= wy < n.windows_y
            if counts or n.pool is PoolAt.NONE:
                found.append(value * multiplier)
    offset = number(word, 128 * lane + 56, 48)
    if not found:
        return offset
    if n.pool in (PoolAt.NONE, PoolAt.SUM):
        return sum(found) + offset
    least = n.pool is PoolAt.MAX_BEFORE and multiplier < 0
    return (min(found) if least else max(found)) + offset


def code_of(case: OutputStageCase, y: int, channel: int, lane: int) -> int:
    n = case.layer_pass
    if n.requantize is Requantize.RAW:
        return y
    if n.requantize is Requantize.SHIFT:
        code = min(max(rounded(y, n.shift, n.rounding), n.low), n.high)
    else:
        first = n.threshold_base + channel * n.threshold_words
        words = case.thresholds[first : first + n.threshold_words]
        code = n.low + sum(number(w, 128 * lane + 32 * t, 32) <= y for w in words for t in range(4))
    return code << n.code_shift


def run(case: OutputStageCase, **arguments: bool):
    return run_output_stage(
        case.layer_pass,
        case.accumulators,
        case.window_sums,
        parameters=case.parameters,
        thresholds=case.thresholds,
        image=case.image,
        **arguments,
    )


@pytest.mark.parametrize("pool", PoolAt)
@pytest.mark.parametrize("requantize", Requantize)
@pytest.mark.parametrize("wraps", [False, True])
def test_is_what_loops_find(pool: PoolAt, requantize: Requantize, wraps: bool) -> None:
    rng = Random(f"{pool} {requantize}")
    written = 0
    for _ in range(6):
        case = random_case(MACHINE, pool, requantize, rng)
        found = run(case, wraps=wraps)
        writes, residual_reads, parameter_reads = by_loops(case)
        assert list(zip(found.addresses.tolist(), found.bits.tolist(), strict=True)) == writes
        assert found.image_writes == len(writes)
        assert found.residual_reads == residual_reads
        assert found.parameter_reads == parameter_reads
        written += len(writes)
    assert written > 50


def one_beat(**numbers: object) -> OutputStageCase:
    """One window of one channel beat, all of whose numbers are 0."""
    one = {"interval": 8, "windows_x": 1, "windows_y": 1, "out_width": 1, "out_height": 1}
    layer_pass = Pass(machine=MACHINE, **one | numbers)
    shape = (1, 1, 1, 1, 1)
    return OutputStageCase(
        layer_pass,
        np.zeros((*shape, layer_pass.channel_beats, LANES), dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros((16, LANES * 128), dtype=np.uint8),
        np.zeros((16, LANES * 128), dtype=np.uint8),
        np.zeros(MACHINE.image_words * MACHINE.columns, dtype=np.uint8),
    )


def test_sums_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(requantize=Requantize.RAW)
    case.parameters[0, 32] = 1  # multiplier 1
    case.accumulators[...] = 2**31 - 1
    case.parameters[0, 0] = 1  # bias 1
    with pytest.raises(OverflowError, match=rf"^sums before scaling: {2**31} does not fit in 32 bits$"):
        run(case)
    assert run(case, wraps=True).bits[0].tolist() == [0] * 31 + [1]


def test_raw_values_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(requantize=Requantize.RAW)
    case.parameters[0, 33] = 1  # multiplier 2
    case.accumulators[...] = 2**31 - 1
    with pytest.raises(OverflowError, match=rf"^raw values: {2**32 - 2} does not fit in 32 bits$"):
        run(case)
    assert run(case, wraps=True).bits[0].tolist() == [0] + [1] * 31


@pytest.mark.parametrize(
    ("numbers", "error", "text"),
    [
        ({"interval": 0}, ValueError, "interval = 0: must be at least 1"),
        ({"interval": 2, "out_planes": 3}, ValueError, "interval = 2: must be at least 3"),
        ({"low": 4, "high": 4}, OverflowError, "code 4 does not fit in 1 planes"),
        ({"out_base": 1}, OutputStageError, "bit address 1: must be a multiple of 2"),
        ({"out_base": 65536}, OutputStageError, "bit 65537 is beyond the bank of 65536 bits"),
        (
            {"residual": True, "residual_base": 65535},
            OutputStageError,
            "residual bit 65536 is beyond the bank of 65536 bits",
        ),
        ({"parameter_base": 16}, OutputStageError, "parameters: word 16 is beyond the bank of 16"),
        (
            {
                "requantize": Requantize.THRESHOLDS,
                "threshold_words": 4,
                "threshold_base": 13,
                "out_planes": 5,
            },
            OutputStageError,
            "thresholds: word 16 is beyond the bank of 16",
        ),
        (
            {"pool": PoolAt.SUM, "last_beats": 65},
            OutputStageError,
            "65 beats per window: the pooling memory holds 64",
        ),
    ],
)
def test_refuses_what_the_hardware_cannot_do(
    numbers: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        run(one_beat(**numbers))
