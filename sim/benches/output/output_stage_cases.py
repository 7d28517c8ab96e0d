"""Random passes for the output stage, with the results of their kernel tiles and what the banks hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, Rounding
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.descriptor import THRESHOLDS_PER_WORD, PoolAt, Requantize
from spinplane.machine.passes import Pass

from ...lanes import extremes

_CHANNEL_BITS = 128


@dataclass(frozen=True)
class OutputStageCase:
    """Arguments of `spinplane.behavioral.output.output_stage.run_output_stage`."""

    layer_pass: Pass
    accumulators: NDArray[np.int64]
    window_sums: NDArray[np.int64]
    parameters: NDArray[np.uint8]
    thresholds: NDArray[np.uint8]
    image: NDArray[np.uint8]

    def beats(self) -> Iterator[NDArray[np.int64]]:
        """Accumulators of each beat, in the order in which the engine gives them."""
        kernel_tiles, beats = self.layer_pass.kernel_tiles, self.layer_pass.beats
        starts = [beats * j for j in range(kernel_tiles)] + [self.layer_pass.channel_beats]
        for window in self.accumulators.reshape(-1, *self.accumulators.shape[-3:]):
            for begin, end in pairwise(starts):
                yield from window[:, begin:end].reshape(-1, window.shape[-1])

    def bus_sums(self) -> Iterator[list[int]]:
        """Window sums of each row bus, window by window."""
        repeat = self.layer_pass.machine.row_buses // self.window_sums.shape[-1]
        for sums in self.window_sums.reshape(-1, self.window_sums.shape[-1]):
            yield np.repeat(sums, repeat).tolist()


def random_case(machine: Machine, pool: PoolAt, requantize: Requantize, rng: Random) -> OutputStageCase:
    """A small pass whose addresses all lie in their banks, some windows and regions beside the map."""
    while True:
        layer_pass = _draw(machine, pool, requantize, rng)
        rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
        if layer_pass.out_base + rows * layer_pass.out_line_bits <= machine.image_words * machine.columns:
            return _contents(layer_pass, rng)


def _draw(machine: Machine, pool: PoolAt, requantize: Requantize, rng: Random) -> Pass:
    log_clusters = rng.randint(0, machine.row_buses.bit_length() - 1)
    beats = rng.randint(1, 3)
    layer_pass = Pass(
        machine=machine,
        clusters=1 << log_clusters,
        clusters_x=1 << rng.randint(0, log_clusters),
        kernel_tiles=rng.randint(1, 3),
        beats=beats,
        last_beats=rng.randint(1, beats),
        pool=pool,
        requantize=requantize,
        absolute=rng.random() < 0.5,
        accumulator_shift=rng.randrange(4),
        window_sum_scale=rng.choice((0, extremes(9, rng))),
        rounding=rng.choice(list(Rounding)),
        parameter_base=rng.randrange(5),
        threshold_base=rng.randrange(5),
        residual=rng.random() < 0.5,
        residual_planes=rng.randint(1, 8),
    )
    layer_pass = _with_maps(_with_codes(_with_windows(layer_pass, rng), rng), rng)
    return replace(layer_pass, interval=layer_pass.least_interval + rng.choice((0, 0, 1, 3)))


def _with_windows(layer_pass: Pass, rng: Random) -> Pass:
    reach = 1 if layer_pass.pool is PoolAt.NONE else 3
    numbers: dict[str, int] = {}
    clusters_y = layer_pass.clusters // layer_pass.clusters_x
    for along, across, loop, clusters in (
        ("x", "width", "region_columns", layer_pass.clusters_x),
        ("y", "height", "region_rows", clusters_y),
    ):
        numbers[loop] = rng.randint(1, 3)
        numbers[f"region_{across}"] = rng.randint(1, reach)
        numbers[f"stride_{along}"] = rng.randint(1, reach)
        numbers[f"first_window_{along}"] = 0 if reach == 1 else -rng.randint(0, 2)
        regions = numbers[loop] * clusters
        numbers[f"out_{across}"] = rng.choice((regions, rng.randint(1, regions)))
        numbers[f"windows_{along}"] = rng.randint(1, regions * numbers[f"stride_{along}"] + 1)
    return replace(layer_pass, **numbers)  # type: ignore[arg-type]


def _with_codes(layer_pass: Pass, rng: Random) -> Pass:
    planes = rng.randint(1, 8)
    code_shift = rng.randrange(2) if planes > 1 else 0
    signed = rng.randrange(2) if planes > 1 + code_shift else 0
    reach = 1 << (planes - signed - code_shift)
    low, high = -signed * reach, reach - 1
    most = min(4, (high - low) // THRESHOLDS_PER_WORD)
    return replace(
        layer_pass,
        out_planes=planes,
        code_shift=code_shift,
        low=low,
        high=high,
        shift=rng.randrange(8),
        threshold_words=rng.randint(0, most) if layer_pass.requantize is Requantize.THRESHOLDS else 0,
    )


def _with_maps(layer_pass: Pass, rng: Random) -> Pass:
    """The pass with the map of the residual operand, and behind it the output's."""
    lanes, beats = layer_pass.lanes, layer_pass.channel_beats
    columns = layer_pass.region_columns * layer_pass.clusters_x
    rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
    residual_base = rng.randrange(50)
    residual_pixel_bits = beats * lanes * layer_pass.residual_planes
    residual_end = residual_base + rows * columns * residual_pixel_bits
    raw = layer_pass.requantize is Requantize.RAW
    bits = RAW_BITS if raw else 1
    # Channels of another map that is joined with this one lie before and behind.
    before, behind = rng.randrange(2), rng.randrange(2)
    plane = (before + beats + behind) * lanes
    pixel = plane * (RAW_BITS if raw else layer_pass.out_planes)
    size = layer_pass.write_bits
    return replace(
        layer_pass,
        residual_base=residual_base,
        residual_plane_bits=beats * lanes,
        residual_pixel_bits=residual_pixel_bits,
        residual_line_bits=columns * residual_pixel_bits,
        out_base=-(-residual_end // size) * size + size * rng.randrange(4),
        out_first_bit=before * lanes * bits,
        out_beat_bits=lanes * bits,
        out_plane_bits=plane,
        out_pixel_bits=pixel,
        out_line_bits=columns * pixel,
    )


def _contents(layer_pass: Pass, rng: Random) -> OutputStageCase:
    machine, lanes, beats = layer_pass.machine, layer_pass.lanes, layer_pass.channel_beats
    windows = (
        *(layer_pass.region_rows, layer_pass.region_columns),
        *(layer_pass.region_height, layer_pass.region_width),
        layer_pass.clusters,
    )
    draws = np.random.default_rng(rng.getrandbits(32))
    small = layer_pass.requantize is not Requantize.SHIFT or rng.random() < 0.5
    accumulator, multiplier, offset, window_sum = (8, 4, 8, 6) if small else (20, 24, 48, 18)
    reach = 1 << min(accumulator, machine.accumulator_bits) - 1
    if not small:
        layer_pass = replace(layer_pass, shift=rng.randint(30, 45))

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

    used = beats + layer_pass.parameter_base
    thresholds = beats * layer_pass.threshold_words + layer_pass.threshold_base
    image = draws.integers(0, 2, machine.image_words * machine.columns, dtype=np.uint8)
    return OutputStageCase(
        layer_pass,
        draws.integers(-reach, reach, (*windows, beats, lanes)),
        draws.integers(-(1 << window_sum), 1 << window_sum, windows),
        bank(used, lambda: word(channel())),
        bank(thresholds, threshold_channel),
        image,
    )


def _bits(channels: list[int]) -> list[int]:
    return [value >> bit & 1 for value in channels for bit in range(_CHANNEL_BITS)]
