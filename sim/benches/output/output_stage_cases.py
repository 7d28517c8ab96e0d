"""Random passes for the output stage, with the results of their kernel tiles and what the banks hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import CODE_BITS, Machine, Rounding
from spinplane.machine.descriptor import Pool
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import (
    MOST_SEARCH_READS,
    PARAMETER_FIELDS,
    RAW_BITS,
    SCALE_FIELDS,
    SEARCH_NODES,
    THRESHOLDS_PER_WORD,
    ChannelField,
)
from spinplane.machine.passes import MOST_BEATS, Pass

from ...lanes import extremes

#: Sums of random passes have about so many bits.
_SUM_BITS = 11
_LARGEST_BASE = 8
#: Words that a search can reach from its channel's first one on.
_SEARCH_WORDS = SEARCH_NODES[-1] + 5 ** (MOST_SEARCH_READS - 1)
_THRESHOLDS = 5**MOST_SEARCH_READS - 1
_TABLE_WORDS = 32


@dataclass(frozen=True)
class OutputStageCase:
    """Arguments of `spinplane.behavioral.output.output_stage.run_output_stage`."""

    layer_pass: Pass
    accumulators: NDArray[np.int64]
    window_sums: NDArray[np.int64]
    parameters: NDArray[np.uint8]
    scales: NDArray[np.uint8]
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


def random_case(machine: Machine, rng: Random, **choices: Any) -> OutputStageCase:
    """A small pass whose addresses all lie in their banks, some windows and regions beside the map.

    `choices` are fields of the pass that are not drawn.
    """
    while True:
        layer_pass = _draw(machine, rng, choices)
        rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
        if layer_pass.out_base + rows * layer_pass.out_line_bits <= machine.image_words * machine.columns:
            return _contents(layer_pass, rng)


def _draw(machine: Machine, rng: Random, choices: dict[str, Any]) -> Pass:
    log_clusters = rng.randint(0, machine.row_buses.bit_length() - 1)
    slots = 1 if choices.keys() & {"slots", "beats", "last_beats"} else rng.choice((1, 1, 2))
    beats, tiles = (rng.randint(1, 3 - slots // 2) for _ in range(2))
    last_beats = rng.randint(1, beats)
    channel_beats = slots * ((tiles - 1) * beats + last_beats)
    layer_pass = Pass(
        machine=machine,
        clusters=1 << log_clusters,
        clusters_x=1 << rng.randint(0, log_clusters),
        slots=slots,
        spread=slots > 1,
        slot_beats=channel_beats // slots + rng.randrange(2),
        out_beats=rng.choice((MOST_BEATS, rng.randint(1, channel_beats))),
        kernel_tiles=tiles,
        beats=slots * beats,
        last_beats=slots * last_beats,
        pool=choices.get("pool", rng.choice(list(Pool))),
        accumulator_shift=rng.randrange(4),
        window_sum_scale=rng.choice((0, extremes(9, rng))),
        parameter_base=rng.randrange(_LARGEST_BASE),
        scale_base=rng.randrange(_LARGEST_BASE),
        out_planes=rng.randint(1, 8),
        **_codes(rng, choices),
    )
    layer_pass = replace(_with_maps(_with_windows(layer_pass, rng), rng), **choices)
    return replace(layer_pass, interval=layer_pass.least_interval + rng.choice((0, 0, 1, 3)))


def _codes(rng: Random, choices: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a pooled sum."""

    def flag(name: str, chance: float, allowed: bool = True) -> bool:
        return bool(choices.get(name, allowed and rng.random() < chance))

    multiplies, raw = flag("multiplies", 0.7), flag("raw", 0.2)
    own_code = flag("own_code", 0.5, multiplies)
    residual_divided, own_divided = (
        rng.randrange(18, 28) if own_code else rng.randrange(24),
        rng.randrange(24, 32),
    )
    low, high = _bounds(rng)
    return {
        "multiplies": multiplies,
        "raw": raw,
        "own_code": own_code,
        "float_scale": flag("float_scale", 0.3, multiplies),
        "residual": flag("residual", 0.5, multiplies),
        "residual_planes": rng.randint(1, 8),
        "residual_zero": rng.randrange(rng.choice((4, 256))),
        **_two_shifts("residual", residual_divided, rng),
        "search_reads": 0 if raw else rng.randrange(MOST_SEARCH_READS + 1),
        "table": flag("table", 0.3, not raw),
        "table_offset": rng.randrange(_SEARCH_WORDS - _TABLE_WORDS),
        "rounding": rng.choice(list(Rounding)),
        "own_rounding": rng.choice(list(Rounding)),
        "own_multiplier": number(31, rng, 28),
        **_two_shifts("own", own_divided, rng),
        "total_offset": number(rng.choice((10, 10, 31)), rng),
        "multiplies_total": flag("multiplies_total", 0.5, own_code),
        "total_multiplier": number(31, rng, 28),
        "total_high_shift": rng.randrange(26, 34),
        "total_shift": rng.randrange(9),
        "total_low": low,
        "total_high": high,
        "level_shift": rng.randrange(2),
        "out_zero": rng.randrange(256),
    }


def _two_shifts(name: str, together: int, rng: Random) -> dict[str, int]:
    high = rng.randint(0, together)
    return {f"{name}_high_shift": high, f"{name}_shift": together - high}


def _bounds(rng: Random) -> tuple[int, int]:
    low, high = sorted(rng.randrange(-256, 256) for _ in range(2))
    return rng.choice(((0, 255), (-128, 127), (-256, 255), (low, high)))


def number(bits: int, rng: Random, least_bits: int = 1) -> int:
    """A whole number of either sign and any of some magnitudes; many end in zeros, which make middles."""
    width = rng.randint(least_bits, bits)
    zeros = rng.choice((0, rng.randrange(width)))
    return rng.choice((-1, 1)) * (rng.randrange(1 << (width - 1), 1 << width) >> zeros << zeros)


def _with_windows(layer_pass: Pass, rng: Random) -> Pass:
    reach = 1 if layer_pass.pool is Pool.NONE else 3
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


def _with_maps(layer_pass: Pass, rng: Random) -> Pass:
    """The pass with the map of the residual operand, and behind it the output's."""
    lanes, beats = layer_pass.lanes, max(layer_pass.places) + 1
    columns = layer_pass.region_columns * layer_pass.clusters_x
    rows = layer_pass.region_rows * (layer_pass.clusters // layer_pass.clusters_x)
    residual_base = rng.randrange(50)
    residual_pixel_bits = beats * lanes * layer_pass.residual_planes
    residual_end = residual_base + rows * columns * residual_pixel_bits
    raw = layer_pass.raw
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
    wild = rng.random() < 0.2
    reach = 1 << min(30 if wild else _SUM_BITS - 3, machine.accumulator_bits) - 1
    window_sums = 1 << (20 if wild else 6)

    def bank(words: int, channel: Any) -> NDArray[np.uint8]:
        return np.array([_bits([channel() for _ in range(lanes)]) for _ in range(words)], dtype=np.uint8)

    return OutputStageCase(
        layer_pass,
        draws.integers(-reach, reach, (*windows, beats, lanes)),
        draws.integers(-window_sums, window_sums, windows),
        bank(beats + layer_pass.parameter_base, lambda: _parameters(rng)),
        bank(beats + layer_pass.scale_base, lambda: _scales(layer_pass.float_scale, rng)),
        _thresholds(lanes, draws),
        draws.integers(0, 2, machine.image_words * machine.columns, dtype=np.uint8),
    )


def _parameters(rng: Random) -> int:
    low, high = _bounds(rng)
    return word(
        PARAMETER_FIELDS,
        rng,
        bias=number(rng.choice((_SUM_BITS, _SUM_BITS, 30)), rng),
        low=low,
        high=high,
        threshold_base=rng.randrange(_LARGEST_BASE),
        **{name: rng.randrange(2) for name in ("least", "search", "falling")},
    )


def _scales(float_scale: bool, rng: Random) -> int:
    """Of a channel; anything in a few of them."""
    if rng.random() < 0.1:
        return rng.getrandbits(CHANNEL_BITS)
    multiplier = number(24, rng, 2) if float_scale else number(31, rng, rng.choice((4, 29)))
    bits, high_shift = _SUM_BITS + multiplier.bit_length(), rng.randrange(64)
    if not float_scale:
        value_bits = rng.randint(5, min(bits, 30))
        bits, high_shift = value_bits, bits - value_bits
    return word(
        SCALE_FIELDS,
        rng,
        multiplier=multiplier,
        residual_multiplier=number(31, rng, 20),
        offset=number(max(1, bits - 2), rng),
        shift=max(0, bits - rng.randrange(2, CODE_BITS)),
        high_shift=high_shift,
    )


def word(fields: tuple[ChannelField, ...], rng: Random, **numbers: int) -> int:
    """A channel's 128 bits, random where no field is."""
    at, found = 0, 0
    for field in fields:
        found |= (numbers[field.name] & ((1 << field.bits) - 1)) << at
        at += field.bits
    return found | rng.getrandbits(CHANNEL_BITS - at) << at


def _thresholds(lanes: int, draws: np.random.Generator) -> NDArray[np.uint8]:
    """Words of a search each, some of them in the order of a search, and random ones: bits of a bank."""
    words = _LARGEST_BASE + _SEARCH_WORDS
    found = np.sort(_some_thresholds((words, lanes, THRESHOLDS_PER_WORD), draws), axis=-1)
    anything = draws.integers(-(1 << 31), 1 << 31, found.shape)
    found = np.where(draws.integers(0, 4, (words, lanes, 1)) == 0, np.sort(anything, axis=-1), found)
    for lane in range(lanes):
        if draws.integers(2):
            ascending = np.sort(_some_thresholds(_THRESHOLDS, draws))
            for step, node in enumerate(SEARCH_NODES):
                spacing = 5 ** (MOST_SEARCH_READS - 1 - step)
                places = np.arange(1, _THRESHOLDS + 1)
                mine = ascending[(places % spacing == 0) & (places % (5 * spacing) != 0)]
                found[node : node + 5**step, lane] = mine.reshape(-1, THRESHOLDS_PER_WORD)
    octets = np.ascontiguousarray(found.astype("<i4")).view(np.uint8).reshape(words, -1)
    return np.unpackbits(octets, axis=-1, bitorder="little")


def _some_thresholds(shape: Any, draws: np.random.Generator) -> NDArray[np.int64]:
    """Of either sign, and of all magnitudes that values have."""
    magnitudes = 2 ** draws.uniform(0, draws.choice([12, 20, 31]), shape)
    return (magnitudes * draws.choice([-1, 1], shape)).astype(np.int64)


def _bits(channels: list[int]) -> list[int]:
    return [value >> bit & 1 for value in channels for bit in range(CHANNEL_BITS)]
