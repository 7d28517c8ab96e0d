"""Golden model of the way out: from the accumulators of a pass to what is written into the image bank."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import OFFSET_BITS
from spinplane.machine.activation import (
    POOLED_BITS,
    RAW_BITS,
    SCALE_BITS,
    VALUE_BITS,
    WINDOW_SCALE_BITS,
    WINDOW_SUM_BITS,
    ActivationConfiguration,
)
from spinplane.machine.descriptor import (
    THRESHOLD_BITS,
    THRESHOLDS_PER_WORD,
    PoolAt,
    Requantize,
)
from spinplane.machine.passes import Pass

from .activation import activate
from .batch_norm import batch_normalize
from .fixed_point import signed_integers
from .pooling import pool
from .window_correction import correct_window

Integers = NDArray[np.int64]

#: Bits of a channel in a word of parameters, lowest first.
_PARAMETER_BITS = (VALUE_BITS, SCALE_BITS, OFFSET_BITS, SCALE_BITS)
_CHANNEL_BITS = sum(_PARAMETER_BITS)


class WayOutError(ValueError):
    """A bank does not hold what a descriptor asks for; `bank` is ``"image"`` or ``"parameters"``."""

    def __init__(self, bank: str, message: str) -> None:
        super().__init__(message)
        self.bank = bank


class WayOutRun(NamedTuple):
    """What a pass wrote and read.

    Parameters
    ----------
    addresses : ndarray of shape (writes,), int64
        Bit address of each write, in the order of the hardware.
    bits : ndarray of shape (writes, bits of a write), uint8
    image_writes, residual_reads, parameter_reads : int
        Events: writes, planes of residuals, words of parameters and thresholds.
    """

    addresses: Integers
    bits: NDArray[np.uint8]
    image_writes: int
    residual_reads: int
    parameter_reads: int


class _Regions(NamedTuple):
    """What exists of a pass: ``counts`` of shape (rows, columns, height, width, groups), others without windows."""

    counts: NDArray[np.bool_]
    exists: NDArray[np.bool_]
    out_x: Integers
    out_y: Integers


def run_way_out(
    layer_pass: Pass,
    accumulators: ArrayLike,
    window_sums: ArrayLike,
    *,
    parameters: NDArray[np.uint8],
    thresholds: NDArray[np.uint8],
    image: NDArray[np.uint8],
    wraps: bool = False,
) -> WayOutRun:
    """Codes of all regions of a pass.

    Parameters
    ----------
    layer_pass : Pass
    accumulators : array_like of int, shape (region rows, region columns, height, width, groups, channel beats, lanes)
        Signed. Channel beat j·beats + b is beat b of round j.
    window_sums : array_like of int, shape (region rows, region columns, height, width, groups)
    parameters, thresholds : ndarray of shape (words, lanes · 128), uint8
        Bits of the banks.
    image : ndarray of shape (bits,), uint8
        Bits of the image bank, from which residuals are read before anything is written.
    wraps : bool
        Reduce sums to 32 bits as the hardware does, where faulty cells leave nothing to prove, and raw values likewise.

    Returns
    -------
    WayOutRun

    Raises
    ------
    SpinplaneError
        If a field holds what the units cannot take.
    ValueError
        If ``interval`` is too short for a beat.
    WayOutError
        If a word, a residual or a write is beyond its bank, or a write not at a multiple of its bits.
    OverflowError
        If a sum does not fit in 32 bits, a pooled value in 63, a raw value in 32 or a code in its planes.
    """
    machine, lanes = layer_pass.machine, layer_pass.lanes
    configuration = layer_pass.activation
    if layer_pass.interval < layer_pass.least_interval:
        raise ValueError(
            f"interval = {layer_pass.interval}: allowed are at least {layer_pass.least_interval} cycles"
        )
    counts, exists, out_x, out_y = _regions(layer_pass)
    values = np.asarray(accumulators)
    sums = np.asarray(window_sums)[..., np.newaxis, np.newaxis]
    beats = layer_pass.channel_beats
    window_beats = counts.shape[-1] * beats
    if layer_pass.pool is not PoolAt.NONE and window_beats > machine.pool_beats:
        raise WayOutError("parameters", f"{window_beats} beats of a window: {machine.pool_beats} can be held")

    words = _words("parameters", parameters, layer_pass.parameter_base, beats)
    bias, multiplier, offset, residual_multiplier = _parameters(words)
    scaled = _scale(layer_pass, values, sums, bias, multiplier, wraps)
    counted = _windows_last(counts[..., np.newaxis, np.newaxis])
    pooled = pool(_windows_last(scaled), layer_pass.pool, counts=counted, negative=multiplier < 0)
    pooled = signed_integers(pooled, POOLED_BITS, "pooled values")

    beat = np.arange(beats)
    line = layer_pass.out_base + out_y * layer_pass.out_line_bits
    addresses = (line + out_x * layer_pass.out_pixel_bits)[..., np.newaxis] + (
        beat * layer_pass.out_beat_bits + layer_pass.out_first_bit
    )
    # Row by row as the hardware writes them: round, group, beat.
    order = _order(layer_pass, counts.shape[-1])
    where = np.argwhere(exists[..., order[0]])
    row, column, group, channel = where[:, 0], where[:, 1], order[0][where[:, 2]], order[1][where[:, 2]]

    residuals: Integers = np.zeros((len(row), lanes), dtype=np.int64)
    if layer_pass.residual:
        places = (
            layer_pass.residual_base
            + out_y[row, column, group] * layer_pass.residual_line_bits
            + out_x[row, column, group] * layer_pass.residual_pixel_bits
            + channel * lanes
        )
        residuals = _residuals(layer_pass, places, image)

    steps = np.zeros((beats, lanes, 0), dtype=np.int64)
    threshold_words = layer_pass.read_threshold_words
    if threshold_words:
        words = _words("thresholds", thresholds, layer_pass.threshold_base, beats * threshold_words)
        steps = _thresholds(words, threshold_words)
    y = pooled[row, column, group, channel]
    added = {"offsets": offset[channel], "residual_multipliers": residual_multiplier[channel]}
    codes = _codes(configuration, y, residuals, added, steps[channel], wraps)
    starts = addresses[row, column, group, channel]
    places, bits = _writes(layer_pass, starts, codes, len(image))
    return WayOutRun(
        places,
        bits,
        image_writes=len(places),
        residual_reads=len(row) * layer_pass.read_residual_planes,
        parameter_reads=beats * (counts.size + exists.size * threshold_words),
    )


def _regions(layer_pass: Pass) -> _Regions:
    rows, columns = layer_pass.region_rows, layer_pass.region_columns
    groups = np.arange(layer_pass.groups)
    line = groups // layer_pass.groups_x
    out_y = line * rows + np.arange(rows)[:, np.newaxis]
    out_x = groups % layer_pass.groups_x * columns + np.arange(columns)[:, np.newaxis]
    window_y = np.arange(layer_pass.region_height)[:, np.newaxis]
    window_x = np.arange(layer_pass.region_width)[:, np.newaxis]
    y = layer_pass.first_window_y + out_y[:, np.newaxis] * layer_pass.stride_y + window_y
    x = layer_pass.first_window_x + out_x[:, np.newaxis] * layer_pass.stride_x + window_x
    inside_y, inside_x = (y >= 0) & (y < layer_pass.windows_y), (x >= 0) & (x < layer_pass.windows_x)
    counts = inside_y[:, np.newaxis, :, np.newaxis] & inside_x[np.newaxis, :, np.newaxis, :]
    shape = (rows, columns, len(groups))
    ox, oy = np.broadcast_to(out_x, shape), np.broadcast_to(out_y[:, np.newaxis], shape)
    return _Regions(counts, (ox < layer_pass.out_width) & (oy < layer_pass.out_height), ox, oy)


def _order(layer_pass: Pass, groups: int) -> tuple[Integers, Integers]:
    """Groups and channel beats of a window in the order in which they leave the engine."""
    beat = np.arange(layer_pass.channel_beats)
    group, channel = (part.ravel() for part in np.meshgrid(np.arange(groups), beat, indexing="ij"))
    # The last round may have more beats than the others, so that one more would not begin in it.
    last = (layer_pass.rounds - 1) * layer_pass.beats
    order = np.lexsort((channel, group, np.minimum(channel, last) // layer_pass.beats))
    return group[order], channel[order]


def _words(bank: str, bits: NDArray[np.uint8], base: int, number: int) -> NDArray[np.uint8]:
    if base + number > len(bits):
        raise WayOutError("parameters", f"{bank}: word {base + number - 1} is beyond the bank of {len(bits)}")
    return bits[base : base + number]


def _numbers(bits: NDArray[np.uint8], signed: bool = True) -> Integers:
    """Numbers whose bits lie along the last axis, the lowest first."""
    weights = np.int64(1) << np.arange(bits.shape[-1], dtype=np.int64)
    if signed:
        weights[-1] = -weights[-1]
    return np.asarray(bits.astype(np.int64) @ weights)


def _parameters(words: NDArray[np.uint8]) -> list[Integers]:
    """Bias, multiplier, offset and residual multiplier, each of shape (words, lanes)."""
    channels = words.reshape(len(words), -1, _CHANNEL_BITS)
    return [_numbers(part) for part in np.split(channels, np.cumsum(_PARAMETER_BITS)[:-1], axis=-1)]


def _thresholds(words: NDArray[np.uint8], threshold_words: int) -> Integers:
    """Of shape (channel beats, lanes, 4 · threshold_words)."""
    lanes = words.shape[1] // _CHANNEL_BITS
    numbers = _numbers(words.reshape(-1, threshold_words, lanes, THRESHOLDS_PER_WORD, THRESHOLD_BITS))
    return numbers.transpose(0, 2, 1, 3).reshape(len(numbers), lanes, -1)


def _wrapped(values: Integers) -> Integers:
    """Lower 32 bits as signed numbers."""
    return ((values + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _scale(
    layer_pass: Pass,
    values: Integers,
    sums: Integers,
    bias: Integers,
    multiplier: Integers,
    wraps: bool,
) -> Integers:
    shift = layer_pass.accumulator_shift
    if not wraps:
        corrections = correct_window(sums, layer_pass.window_sum_scale)
        return batch_normalize(values, corrections, bias, multiplier, accumulator_shift=shift)
    sums = signed_integers(sums, WINDOW_SUM_BITS, "window_sums")
    scale = signed_integers(layer_pass.window_sum_scale, WINDOW_SCALE_BITS, "window_sum_scale")
    return _wrapped((_wrapped(values) << shift) - sums * scale + bias) * multiplier


def _windows_last(of_windows: NDArray) -> NDArray:
    """Windows of a region, axes 2 and 3, as one last axis."""
    shape = of_windows.shape
    return np.moveaxis(of_windows.reshape(*shape[:2], -1, *shape[4:]), 2, -1)


def _residuals(layer_pass: Pass, places: Integers, image: NDArray[np.uint8]) -> Integers:
    planes = np.arange(layer_pass.residual_planes)
    at = places[:, np.newaxis, np.newaxis] + np.arange(layer_pass.lanes)[:, np.newaxis]
    at = at + planes * layer_pass.residual_plane_bits
    if at.size and at.max() >= len(image):
        raise WayOutError("image", f"residual bit {at.max()} is beyond the bank of {len(image)} bits")
    return _numbers(image[at], signed=False)


def _codes(
    configuration: ActivationConfiguration,
    y: Integers,
    residuals: Integers,
    added: dict[str, Integers],
    thresholds: Integers,
    wraps: bool,
) -> Integers:
    if configuration.requantize is Requantize.RAW and wraps:
        raw = y + added["offsets"] + residuals * added["residual_multipliers"]
        return _wrapped(np.abs(raw) if configuration.absolute else raw)
    return activate(y, configuration, residuals=residuals, thresholds=thresholds, **added)


def _writes(
    layer_pass: Pass, starts: Integers, codes: Integers, image_bits: int
) -> tuple[Integers, NDArray[np.uint8]]:
    """Addresses and bits of the writes of all beats, in order."""
    writes, size = layer_pass.writes, layer_pass.write_bits
    if layer_pass.requantize is Requantize.RAW:
        bits = codes[..., np.newaxis] >> np.arange(RAW_BITS) & 1
        addresses = starts[:, np.newaxis] + size * np.arange(writes)
    else:
        outside = (codes < -(1 << (writes - 1))) | (codes >= 1 << writes)
        if outside.any():
            raise OverflowError(f"code {codes[outside][0]} does not fit in {writes} planes")
        bits = codes[:, np.newaxis] >> np.arange(writes)[:, np.newaxis] & 1
        addresses = starts[:, np.newaxis] + layer_pass.out_plane_bits * np.arange(writes)
    addresses = addresses.ravel()
    if len(addresses) and addresses.max() + size > image_bits:
        raise WayOutError(
            "image", f"bit {addresses.max() + size - 1} is beyond the bank of {image_bits} bits"
        )
    if (addresses % size).any():
        odd = addresses[addresses % size != 0][0]
        raise WayOutError("image", f"bit address {odd}: allowed are multiples of {size}")
    return addresses, bits.reshape(-1, size).astype(np.uint8)
