"""Random passes for the way out: a descriptor, the results of its rounds, and what the banks hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.behavioral.way_out import channel_beats, least_interval
from spinplane.machine import Machine
from spinplane.machine.descriptor import THRESHOLDS_PER_WORD, Descriptor, PoolAt, Requantize

from .lanes import extremes

_CHANNEL_BITS = 128


@dataclass(frozen=True)
class WayOutCase:
    """Arguments of `spinplane.behavioral.way_out.run_way_out`."""

    descriptor: Descriptor
    accumulators: NDArray[np.int64]
    window_sums: NDArray[np.int64]
    parameters: NDArray[np.uint8]
    thresholds: NDArray[np.uint8]
    image: NDArray[np.uint8]

    def beats(self) -> Iterator[NDArray[np.int64]]:
        """Accumulators of each beat, in the order in which the engine gives them."""
        rounds, beats = self.descriptor["rounds"], self.descriptor["beats"] + 1
        starts = [beats * j for j in range(rounds + 1)] + [channel_beats(self.descriptor)]
        for window in self.accumulators.reshape(-1, *self.accumulators.shape[-3:]):
            for begin, end in pairwise(starts):
                yield from window[:, begin:end].reshape(-1, window.shape[-1])

    def bus_sums(self, machine: Machine) -> Iterator[list[int]]:
        """Window sums of each row bus, window by window."""
        repeat = machine.row_buses // self.window_sums.shape[-1]
        for sums in self.window_sums.reshape(-1, self.window_sums.shape[-1]):
            yield np.repeat(sums, repeat).tolist()


def random_case(machine: Machine, pool: PoolAt, requantize: Requantize, rng: Random) -> WayOutCase:
    """A small pass whose addresses all lie in their banks, some windows and regions beside the map."""
    lanes = machine.results_per_cycle
    log_groups = rng.randint(0, machine.row_buses.bit_length() - 1)
    log_groups_x = rng.randint(0, log_groups)
    groups = 1 << log_groups
    fields: dict[str, int] = {
        "log_groups": log_groups,
        "log_groups_x": log_groups_x,
        "rounds": rng.randint(0, 2),
        "beats": rng.randint(0, 2),
        "pool": pool.value,
        "requantize": requantize.value,
        "absolute": rng.randrange(2),
        "accumulator_shift": rng.randrange(4),
        "window_sum_scale": rng.choice((0, extremes(9, rng))),
        "rounding": rng.randrange(3),
        "parameter_base": rng.randrange(5),
        "threshold_base": rng.randrange(5),
    }
    fields["last_beats"] = rng.randint(0, fields["beats"])
    _windows(fields, pool, groups, rng)
    _codes(fields, requantize, rng)
    fields["residual"] = rng.randrange(2)
    fields["residual_planes"] = rng.randrange(8)
    beats = channel_beats(Descriptor(fields))
    regions_x = (fields["region_columns"] + 1) << log_groups_x
    regions_y = (fields["region_rows"] + 1) << (log_groups - log_groups_x)
    _output_map(fields, lanes, beats, regions_x, rng)
    residual_end = _residual_map(fields, lanes, beats, (regions_y, regions_x), rng)
    raw = requantize is Requantize.RAW
    size = min(32 * lanes, machine.columns) if raw else lanes
    fields["out_base"] = -(-residual_end // size) * size + size * rng.randrange(4)
    fields["interval"] = least_interval(machine, Descriptor(fields)) + rng.choice((0, 0, 1, 3))
    return _contents(machine, Descriptor(fields), rng)


def _windows(fields: dict[str, int], pool: PoolAt, groups: int, rng: Random) -> None:
    reach = 1 if pool is PoolAt.NONE else 3
    for along, across in (("x", "width"), ("y", "height")):
        loop = "region_columns" if along == "x" else "region_rows"
        fields[loop] = rng.randint(0, 2)
        fields[f"region_{across}"] = rng.randint(1, reach) - 1
        fields[f"stride_{along}"] = rng.randint(1, reach)
        fields[f"first_window_{along}"] = 0 if pool is PoolAt.NONE else -rng.randint(0, 2)
        log = fields["log_groups_x"] if along == "x" else fields["log_groups"] - fields["log_groups_x"]
        regions = (fields[loop] + 1) << log
        fields[f"out_{across}"] = rng.choice((regions, rng.randint(1, regions)))
        fields[f"windows_{along}"] = rng.randint(1, regions * fields[f"stride_{along}"] + 1)


def _codes(fields: dict[str, int], requantize: Requantize, rng: Random) -> None:
    planes = rng.randint(1, 8)
    code_shift = rng.randrange(2) if planes > 1 else 0
    signed = rng.randrange(2) if planes > 1 + code_shift else 0
    reach = 1 << (planes - signed - code_shift)
    fields |= {
        "out_planes": planes - 1,
        "code_shift": code_shift,
        "low": -signed * reach,
        "high": reach - 1,
        "shift": rng.randrange(8),
    }
    if requantize is Requantize.THRESHOLDS:
        most = min(4, (fields["high"] - fields["low"]) // THRESHOLDS_PER_WORD)
        fields["threshold_words"] = rng.randint(0, most)


def _output_map(fields: dict[str, int], lanes: int, beats: int, width: int, rng: Random) -> None:
    bits = 32 if fields["requantize"] == Requantize.RAW.value else 1
    # Channels of another map that is joined with this one lie before and behind.
    before, behind = rng.randrange(2), rng.randrange(2)
    plane = (before + beats + behind) * lanes
    fields["out_first_bit"] = before * lanes * bits
    fields["out_beat_bits"] = lanes * bits
    fields["out_plane_bits"] = plane
    fields["out_pixel_bits"] = plane * (32 if bits == 32 else fields["out_planes"] + 1)
    fields["out_line_bits"] = width * fields["out_pixel_bits"]


def _residual_map(
    fields: dict[str, int], lanes: int, beats: int, regions: tuple[int, int], rng: Random
) -> int:
    """Fields of the residual operand's map; returns the bit behind it."""
    fields["residual_base"] = rng.randrange(50)
    fields["residual_plane_bits"] = beats * lanes
    fields["residual_pixel_bits"] = fields["residual_plane_bits"] * (fields["residual_planes"] + 1)
    fields["residual_line_bits"] = regions[1] * fields["residual_pixel_bits"]
    return fields["residual_base"] + regions[0] * fields["residual_line_bits"]


def _contents(machine: Machine, descriptor: Descriptor, rng: Random) -> WayOutCase:
    lanes, beats = machine.results_per_cycle, channel_beats(descriptor)
    windows = [
        descriptor[loop] + 1 for loop in ("region_rows", "region_columns", "region_height", "region_width")
    ]
    windows.append(1 << descriptor["log_groups"])
    draws = np.random.default_rng(rng.getrandbits(32))
    small = descriptor["requantize"] != Requantize.SHIFT.value or rng.random() < 0.5
    accumulator, multiplier, offset, window_sum = (8, 4, 8, 6) if small else (20, 24, 48, 18)
    reach = 1 << min(accumulator, machine.accumulator_bits) - 1
    if not small:
        descriptor["shift"] = rng.randint(30, 45)

    def channel() -> dict[str, int]:
        return {
            "bias": extremes(8 if small else 29, rng),
            "multiplier": extremes(multiplier, rng),
            "offset": extremes(offset, rng),
            "residual_multiplier": extremes(multiplier, rng),
        }

    def word(fields: dict[str, int]) -> int:
        at, found = 0, 0
        for name, bits in (("bias", 32), ("multiplier", 24), ("offset", 48), ("residual_multiplier", 24)):
            found |= (fields[name] & ((1 << bits) - 1)) << at
            at += bits
        return found

    def threshold_channel() -> int:
        thresholds = sorted(rng.choice((extremes(13, rng), 2**31 - 1)) for _ in range(THRESHOLDS_PER_WORD))
        return sum((t & 0xFFFFFFFF) << 32 * index for index, t in enumerate(thresholds))

    def bank(words: int, channel_word: Any) -> NDArray[np.uint8]:
        return np.array([_bits([channel_word() for _ in range(lanes)]) for _ in range(words)], dtype=np.uint8)

    used = beats + descriptor["parameter_base"]
    thresholds = beats * descriptor["threshold_words"] + descriptor["threshold_base"]
    image = draws.integers(0, 2, machine.image_words * machine.columns, dtype=np.uint8)
    return WayOutCase(
        descriptor,
        draws.integers(-reach, reach, (*windows, beats, lanes)),
        draws.integers(-(1 << window_sum), 1 << window_sum, windows),
        bank(used, lambda: word(channel())),
        bank(thresholds, threshold_channel),
        image,
    )


def _bits(channels: list[int]) -> list[int]:
    return [value >> bit & 1 for value in channels for bit in range(_CHANNEL_BITS)]
