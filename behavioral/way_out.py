"""Golden model of the way out: from the accumulators of a pass to what is written into the image bank."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import OFFSET_BITS, Machine
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
    Descriptor,
    PoolAt,
    Requantize,
)
from spinplane.machine.timing import way_out_cycles

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


def channel_beats(descriptor: Descriptor) -> int:
    """Beats of all rounds of a window and group."""
    return descriptor["rounds"] * (descriptor["beats"] + 1) + descriptor["last_beats"] + 1


def writes_of_a_beat(machine: Machine, descriptor: Descriptor) -> int:
    """Writes into the image bank."""
    if descriptor["requantize"] != Requantize.RAW.value:
        return descriptor["out_planes"] + 1
    return -(-RAW_BITS * machine.results_per_cycle // machine.columns)


def least_interval(machine: Machine, descriptor: Descriptor) -> int:
    """Cycles of an outer beat."""
    by_thresholds = descriptor["requantize"] == Requantize.THRESHOLDS.value
    planes = descriptor["residual_planes"] + 1 if descriptor["residual"] else 0
    words = descriptor["threshold_words"] if by_thresholds else 0
    return max(writes_of_a_beat(machine, descriptor), words, planes)


def last_write_cycles(machine: Machine, descriptor: Descriptor) -> int:
    """Cycles from the one in which a pass's last beat is taken to that of its last write."""
    by_thresholds = descriptor["requantize"] == Requantize.THRESHOLDS.value
    return way_out_cycles(
        writes=writes_of_a_beat(machine, descriptor),
        threshold_words=descriptor["threshold_words"] if by_thresholds else 0,
        residual_planes=descriptor["residual_planes"] + 1 if descriptor["residual"] else 0,
    )


def run_way_out(
    machine: Machine,
    descriptor: Descriptor,
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
    machine : Machine
    descriptor : Descriptor
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
    configuration = ActivationConfiguration.from_descriptor(descriptor)
    if descriptor["interval"] < least_interval(machine, descriptor):
        raise ValueError(
            f"interval = {descriptor['interval']}: allowed are at least {least_interval(machine, descriptor)} cycles"
        )
    counts, exists, out_x, out_y = _regions(descriptor)
    values = np.asarray(accumulators)
    sums = np.asarray(window_sums)[..., np.newaxis, np.newaxis]
    beats = channel_beats(descriptor)
    window_beats = counts.shape[-1] * beats
    mode = PoolAt(descriptor["pool"])
    if mode is not PoolAt.NONE and window_beats > machine.pool_beats:
        raise WayOutError("parameters", f"{window_beats} beats of a window: {machine.pool_beats} can be held")

    words = _words("parameters", parameters, descriptor["parameter_base"], beats)
    bias, multiplier, offset, residual_multiplier = _parameters(words)
    scaled = _scale(descriptor, values, sums, bias, multiplier, wraps)
    counted = _windows_last(counts[..., np.newaxis, np.newaxis])
    pooled = pool(_windows_last(scaled), mode, counts=counted, negative=multiplier < 0)
    pooled = signed_integers(pooled, POOLED_BITS, "pooled values")

    beat = np.arange(beats)
    line = descriptor["out_base"] + out_y * descriptor["out_line_bits"]
    addresses = (line + out_x * descriptor["out_pixel_bits"])[..., np.newaxis] + (
        beat * descriptor["out_beat_bits"] + descriptor["out_first_bit"]
    )
    # Row by row as the hardware writes them: round, group, beat.
    order = _order(descriptor, counts.shape[-1])
    where = np.argwhere(exists[..., order[0]])
    row, column, group, channel = where[:, 0], where[:, 1], order[0][where[:, 2]], order[1][where[:, 2]]

    residuals: Integers = np.zeros((len(row), machine.results_per_cycle), dtype=np.int64)
    residual_reads = 0
    if descriptor["residual"]:
        places = (
            descriptor["residual_base"]
            + out_y[row, column, group] * descriptor["residual_line_bits"]
            + out_x[row, column, group] * descriptor["residual_pixel_bits"]
            + channel * machine.results_per_cycle
        )
        residuals = _residuals(machine, descriptor, places, image)
        residual_reads = len(row) * (descriptor["residual_planes"] + 1)

    steps = np.zeros((beats, machine.results_per_cycle, 0), dtype=np.int64)
    threshold_words = configuration.thresholds // THRESHOLDS_PER_WORD
    if threshold_words:
        words = _words("thresholds", thresholds, descriptor["threshold_base"], beats * threshold_words)
        steps = _thresholds(words, threshold_words)
    y = pooled[row, column, group, channel]
    added = {"offsets": offset[channel], "residual_multipliers": residual_multiplier[channel]}
    codes = _codes(configuration, y, residuals, added, steps[channel], wraps)
    starts = addresses[row, column, group, channel]
    places, bits = _writes(machine, descriptor, starts, codes, len(image))
    return WayOutRun(
        places,
        bits,
        image_writes=len(places),
        residual_reads=residual_reads,
        parameter_reads=beats * (counts.size + exists.size * threshold_words),
    )


def _regions(descriptor: Descriptor) -> _Regions:
    rows, columns = descriptor["region_rows"] + 1, descriptor["region_columns"] + 1
    groups = np.arange(1 << descriptor["log_groups"])
    line = groups >> descriptor["log_groups_x"]
    out_y = line * rows + np.arange(rows)[:, np.newaxis]
    out_x = (groups & ((1 << descriptor["log_groups_x"]) - 1)) * columns + np.arange(columns)[:, np.newaxis]
    window_y = np.arange(descriptor["region_height"] + 1)[:, np.newaxis]
    window_x = np.arange(descriptor["region_width"] + 1)[:, np.newaxis]
    y = descriptor["first_window_y"] + out_y[:, np.newaxis] * descriptor["stride_y"] + window_y
    x = descriptor["first_window_x"] + out_x[:, np.newaxis] * descriptor["stride_x"] + window_x
    inside_y, inside_x = (y >= 0) & (y < descriptor["windows_y"]), (x >= 0) & (x < descriptor["windows_x"])
    counts = inside_y[:, np.newaxis, :, np.newaxis] & inside_x[np.newaxis, :, np.newaxis, :]
    shape = (rows, columns, len(groups))
    ox, oy = np.broadcast_to(out_x, shape), np.broadcast_to(out_y[:, np.newaxis], shape)
    return _Regions(counts, (ox < descriptor["out_width"]) & (oy < descriptor["out_height"]), ox, oy)


def _order(descriptor: Descriptor, groups: int) -> tuple[Integers, Integers]:
    """Groups and channel beats of a window in the order in which they leave the engine."""
    beat = np.arange(channel_beats(descriptor))
    group, channel = (part.ravel() for part in np.meshgrid(np.arange(groups), beat, indexing="ij"))
    # The last round may have more beats than the others, so that one more would not begin in it.
    last = descriptor["rounds"] * (descriptor["beats"] + 1)
    order = np.lexsort((channel, group, np.minimum(channel, last) // (descriptor["beats"] + 1)))
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
    descriptor: Descriptor,
    values: Integers,
    sums: Integers,
    bias: Integers,
    multiplier: Integers,
    wraps: bool,
) -> Integers:
    shift = descriptor["accumulator_shift"]
    if not wraps:
        corrections = correct_window(sums, descriptor["window_sum_scale"])
        return batch_normalize(values, corrections, bias, multiplier, accumulator_shift=shift)
    sums = signed_integers(sums, WINDOW_SUM_BITS, "window_sums")
    scale = signed_integers(descriptor["window_sum_scale"], WINDOW_SCALE_BITS, "window_sum_scale")
    return _wrapped((_wrapped(values) << shift) - sums * scale + bias) * multiplier


def _windows_last(of_windows: NDArray) -> NDArray:
    """Windows of a region, axes 2 and 3, as one last axis."""
    shape = of_windows.shape
    return np.moveaxis(of_windows.reshape(*shape[:2], -1, *shape[4:]), 2, -1)


def _residuals(
    machine: Machine, descriptor: Descriptor, places: Integers, image: NDArray[np.uint8]
) -> Integers:
    planes = np.arange(descriptor["residual_planes"] + 1)
    at = places[:, np.newaxis, np.newaxis] + np.arange(machine.results_per_cycle)[:, np.newaxis]
    at = at + planes * descriptor["residual_plane_bits"]
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
    machine: Machine, descriptor: Descriptor, starts: Integers, codes: Integers, image_bits: int
) -> tuple[Integers, NDArray[np.uint8]]:
    """Addresses and bits of the writes of all beats, in order."""
    lanes, writes = machine.results_per_cycle, writes_of_a_beat(machine, descriptor)
    if descriptor["requantize"] == Requantize.RAW.value:
        size = min(RAW_BITS * lanes, machine.columns)
        bits = codes[..., np.newaxis] >> np.arange(RAW_BITS) & 1
        addresses = starts[:, np.newaxis] + size * np.arange(writes)
    else:
        size = lanes
        outside = (codes < -(1 << (writes - 1))) | (codes >= 1 << writes)
        if outside.any():
            raise OverflowError(f"code {codes[outside][0]} does not fit in {writes} planes")
        bits = codes[:, np.newaxis] >> np.arange(writes)[:, np.newaxis] & 1
        addresses = starts[:, np.newaxis] + descriptor["out_plane_bits"] * np.arange(writes)
    addresses = addresses.ravel()
    if len(addresses) and addresses.max() + size > image_bits:
        raise WayOutError(
            "image", f"bit {addresses.max() + size - 1} is beyond the bank of {image_bits} bits"
        )
    if (addresses % size).any():
        odd = addresses[addresses % size != 0][0]
        raise WayOutError("image", f"bit address {odd}: allowed are multiples of {size}")
    return addresses, bits.reshape(-1, size).astype(np.uint8)
