"""The golden model of the way out against plain loops over one number at a time."""

from random import Random

import numpy as np
import pytest

from spinplane.behavioral.way_out import WayOutError, channel_beats, run_way_out
from spinplane.machine import Machine, Rounding
from spinplane.machine.descriptor import Descriptor, PoolAt, Requantize
from spinplane.sim.way_out_cases import WayOutCase, random_case

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


def by_loops(case: WayOutCase) -> tuple[list[tuple[int, list[int]]], int, int]:
    """Writes, planes of residuals and words of parameters and thresholds read."""
    d = case.descriptor
    writes, residual_reads, parameter_reads = [], 0, 0
    for rho in range(d["region_rows"] + 1):
        for kappa in range(d["region_columns"] + 1):
            parameter_reads += case.accumulators[rho, kappa][..., 0].size
            for j in range(d["rounds"] + 1):
                for g in range(1 << d["log_groups"]):
                    for b in range((d["last_beats"] if j == d["rounds"] else d["beats"]) + 1):
                        channel = j * (d["beats"] + 1) + b
                        ox = (g % (1 << d["log_groups_x"])) * (d["region_columns"] + 1) + kappa
                        oy = (g >> d["log_groups_x"]) * (d["region_rows"] + 1) + rho
                        if d["requantize"] == Requantize.THRESHOLDS.value:
                            parameter_reads += d["threshold_words"]
                        if ox >= d["out_width"] or oy >= d["out_height"]:
                            continue
                        values = []
                        for lane in range(LANES):
                            y = value_of(case, rho, kappa, g, channel, lane, ox, oy)
                            if d["residual"]:
                                at = (
                                    d["residual_base"]
                                    + oy * d["residual_line_bits"]
                                    + ox * d["residual_pixel_bits"]
                                    + channel * LANES
                                    + lane
                                )
                                code = sum(
                                    int(case.image[at + p * d["residual_plane_bits"]]) << p
                                    for p in range(d["residual_planes"] + 1)
                                )
                                word = case.parameters[d["parameter_base"] + channel]
                                y += code * number(word, 128 * lane + 104, 24)
                            values.append(code_of(case, abs(y) if d["absolute"] else y, channel, lane))
                        residual_reads += d["residual"] * (d["residual_planes"] + 1)
                        start = (
                            d["out_base"]
                            + oy * d["out_line_bits"]
                            + ox * d["out_pixel_bits"]
                            + channel * d["out_beat_bits"]
                            + d["out_first_bit"]
                        )
                        if d["requantize"] == Requantize.RAW.value:
                            bits = [value >> bit & 1 for value in values for bit in range(32)]
                            writes += [(start + at, bits[at : at + 32]) for at in range(0, len(bits), 32)]
                        else:
                            writes += [
                                (start + m * d["out_plane_bits"], [value >> m & 1 for value in values])
                                for m in range(d["out_planes"] + 1)
                            ]
    return writes, residual_reads, parameter_reads


def value_of(
    case: WayOutCase, rho: int, kappa: int, g: int, channel: int, lane: int, ox: int, oy: int
) -> int:
    """Pooled value and offset."""
    d = case.descriptor
    word = case.parameters[d["parameter_base"] + channel]
    multiplier = number(word, 128 * lane + 32, 24)
    found = []
    for ry in range(d["region_height"] + 1):
        for rx in range(d["region_width"] + 1):
            wx = d["first_window_x"] + ox * d["stride_x"] + rx
            wy = d["first_window_y"] + oy * d["stride_y"] + ry
            accumulator = int(case.accumulators[rho, kappa, ry, rx, g, channel, lane])
            value = (
                (accumulator << d["accumulator_shift"])
                - d["window_sum_scale"] * int(case.window_sums[rho, kappa, ry, rx, g])
                + number(word, 128 * lane, 32)
            )
            counts = 0 <= wx < d["windows_x"] and 0 <= wy < d["windows_y"]
            if counts or d["pool"] == PoolAt.NONE.value:
                found.append(value * multiplier)
    offset = number(word, 128 * lane + 56, 48)
    if not found:
        return offset
    if d["pool"] in (PoolAt.NONE.value, PoolAt.SUM.value):
        return sum(found) + offset
    least = d["pool"] == PoolAt.MAX_BEFORE.value and multiplier < 0
    return (min(found) if least else max(found)) + offset


def code_of(case: WayOutCase, y: int, channel: int, lane: int) -> int:
    d = case.descriptor
    if d["requantize"] == Requantize.RAW.value:
        return y
    if d["requantize"] == Requantize.SHIFT.value:
        code = min(max(rounded(y, d["shift"], Rounding(d["rounding"])), d["low"]), d["high"])
    else:
        first = d["threshold_base"] + channel * d["threshold_words"]
        words = case.thresholds[first : first + d["threshold_words"]]
        code = d["low"] + sum(number(w, 128 * lane + 32 * t, 32) <= y for w in words for t in range(4))
    return code << d["code_shift"]


def run(case: WayOutCase, **arguments: bool):
    return run_way_out(
        MACHINE,
        case.descriptor,
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


def one_beat(**fields: int) -> WayOutCase:
    """One window of one channel beat, all of whose numbers are 0."""
    descriptor = Descriptor({"interval": 8, "windows_x": 1, "windows_y": 1, "out_width": 1, "out_height": 1})
    for name, value in fields.items():
        descriptor[name] = value
    shape = (1, 1, 1, 1, 1)
    return WayOutCase(
        descriptor,
        np.zeros((*shape, channel_beats(descriptor), LANES), dtype=np.int64),
        np.zeros(shape, dtype=np.int64),
        np.zeros((16, LANES * 128), dtype=np.uint8),
        np.zeros((16, LANES * 128), dtype=np.uint8),
        np.zeros(MACHINE.image_words * MACHINE.columns, dtype=np.uint8),
    )


def test_sums_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(requantize=Requantize.RAW.value)
    case.parameters[0, 32] = 1  # multiplier 1
    case.accumulators[...] = 2**31 - 1
    case.parameters[0, 0] = 1  # bias 1
    with pytest.raises(OverflowError, match=rf"^sums before scaling: {2**31} does not fit in 32 bits$"):
        run(case)
    assert run(case, wraps=True).bits[0].tolist() == [0] * 31 + [1]


def test_raw_values_wrap_only_where_they_are_told_to() -> None:
    case = one_beat(requantize=Requantize.RAW.value)
    case.parameters[0, 33] = 1  # multiplier 2
    case.accumulators[...] = 2**31 - 1
    with pytest.raises(OverflowError, match=rf"^raw values: {2**32 - 2} does not fit in 32 bits$"):
        run(case)
    assert run(case, wraps=True).bits[0].tolist() == [0] + [1] * 31


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"interval": 0}, ValueError, "interval = 0: allowed are at least 1 cycles"),
        ({"interval": 2, "out_planes": 2}, ValueError, "interval = 2: allowed are at least 3 cycles"),
        ({"low": 4, "high": 4}, OverflowError, "code 4 does not fit in 1 planes"),
        ({"out_base": 1}, WayOutError, "bit address 1: allowed are multiples of 2"),
        ({"out_base": 65536}, WayOutError, "bit 65537 is beyond the bank of 65536 bits"),
        (
            {"residual": 1, "residual_base": 65535},
            WayOutError,
            "residual bit 65536 is beyond the bank of 65536 bits",
        ),
        ({"parameter_base": 16}, WayOutError, "parameters: word 16 is beyond the bank of 16"),
        (
            {"requantize": 1, "threshold_words": 4, "threshold_base": 13, "out_planes": 4},
            WayOutError,
            "thresholds: word 16 is beyond the bank of 16",
        ),
        ({"pool": 1, "last_beats": 64}, WayOutError, "65 beats of a window: 64 can be held"),
    ],
)
def test_refuses_what_the_hardware_cannot_do(
    fields: dict[str, int], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"^{text}$"):
        run(one_beat(**fields))
