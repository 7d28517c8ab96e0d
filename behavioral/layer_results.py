"""The way out of a layer: from accumulators of its windows to codes in the image bank."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine
from spinplane.machine.activation import RAW_BITS, VALUE_BITS
from spinplane.machine.descriptor import THRESHOLDS_PER_WORD, PoolAt, Requantize
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error

from .layer_walk import PassError
from .pooling import pool
from .quantizer import quantize

_PARAMETER_BYTES = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """Batch-norm parameters of all channels of a layer, ndarrays of shape (channels,), int64.

    Parameters
    ----------
    bias, multiplier, offset, residual_multiplier : ndarray
    thresholds : ndarray of shape (channels, 4 · threshold_words), int64
    """

    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    offset: NDArray[np.int64]
    residual_multiplier: NDArray[np.int64]
    thresholds: NDArray[np.int64]


def read_parameters(
    n: Pass, machine: Machine, parameters: NDArray[np.uint8], thresholds: NDArray[np.uint8]
) -> Parameters:
    """What the banks hold for a layer.

    Parameters
    ----------
    n : Pass
    machine : Machine
    parameters, thresholds : ndarray of shape (beats, results_per_cycle · 16), uint8
        The banks.

    Raises
    ------
    PassError
        ``PARAMETER_BANK`` if a word lies beyond a bank, or pooling takes more beats than its memory has.
    """
    end = n.threshold_base + n.channel_beats * n.read_threshold_words
    pools = n.pool is not PoolAt.NONE
    if (
        n.parameter_base + n.channel_beats > machine.parameter_beats
        or (n.read_threshold_words and end > machine.threshold_beats)
        or (pools and n.groups * n.channel_beats > machine.pool_beats)
    ):
        raise PassError(Error.PARAMETER_BANK)
    words = parameters[n.parameter_base :][: n.channel_beats].reshape(-1, _PARAMETER_BYTES)
    levels = thresholds[n.threshold_base : end].view("<i4").astype(np.int64)
    levels = levels.reshape(n.channel_beats, n.read_threshold_words, n.lanes, THRESHOLDS_PER_WORD).swapaxes(
        1, 2
    )
    return Parameters(
        bias=_signed(words[:, 0:4]),
        multiplier=_signed(words[:, 4:7]),
        offset=_signed(words[:, 7:13]),
        residual_multiplier=_signed(words[:, 13:16]),
        thresholds=levels.reshape(n.channel_beats * n.lanes, n.read_threshold_words * THRESHOLDS_PER_WORD),
    )


def _signed(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Numbers in two's complement from their bytes, lowest first."""
    bits = 8 * octets.shape[1]
    numbers = octets.astype(np.int64) @ (np.int64(1) << np.arange(0, bits, 8))
    return numbers - (numbers >> (bits - 1) << bits)


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """Which windows count, and which regions yield an output where.

    Parameters
    ----------
    counts : ndarray of shape (regions, windows, groups), bool
    yields : ndarray of shape (regions, groups), bool
    x, y : ndarray of shape (regions, groups), int64
    """

    counts: NDArray[np.bool_]
    yields: NDArray[np.bool_]
    x: NDArray[np.int64]
    y: NDArray[np.int64]


def places(n: Pass) -> Places:
    """Places of all windows and regions of a layer."""
    group, region, window = np.arange(n.groups), np.arange(n.regions), np.arange(n.windows)
    x = (group % n.groups_x) * n.region_columns + (region % n.region_columns)[:, np.newaxis]
    y = (group // n.groups_x) * n.region_rows + (region // n.region_columns)[:, np.newaxis]
    wx = n.first_window_x + x[:, np.newaxis] * n.stride_x + (window % n.region_width)[:, np.newaxis]
    wy = n.first_window_y + y[:, np.newaxis] * n.stride_y + (window // n.region_width)[:, np.newaxis]
    counts = (wx >= 0) & (wx < n.windows_x) & (wy >= 0) & (wy < n.windows_y)
    return Places(counts=counts, yields=(x < n.out_width) & (y < n.out_height), x=x, y=y)


def pool_values(
    n: Pass,
    accumulators: NDArray[np.int64],
    window_sums: NDArray[np.int64],
    parameters: Parameters,
    where: Places,
    *,
    wraps: bool,
) -> NDArray[np.int64]:
    """Scaled and pooled values of regions.

    Parameters
    ----------
    n : Pass
    accumulators : ndarray of shape (regions, windows, groups, channels), int64
    window_sums : ndarray of shape (regions, windows, groups), int64
    parameters : Parameters
    where : Places
        Of these regions.
    wraps : bool
        Whether what does not fit in 32 bits wraps.

    Returns
    -------
    ndarray of shape (regions, groups, channels), int64

    Raises
    ------
    OverflowError
        If a value that counts does not fit in 32 bits.
    """
    pools = n.pool is not PoolAt.NONE
    if not pools:
        accumulators, window_sums = accumulators[:, -1:], window_sums[:, -1:]
    value = (accumulators << n.accumulator_shift) - n.window_sum_scale * window_sums[..., np.newaxis]
    value += parameters.bias
    matters = where.yields[:, np.newaxis] & (where.counts if pools else True)
    fitting = (value + (1 << (VALUE_BITS - 1)) & (1 << VALUE_BITS) - 1) - (1 << (VALUE_BITS - 1))
    outside = (fitting != value) & matters[..., np.newaxis]
    if outside.any() and not wraps:
        raise OverflowError(f"sum before scaling {value[outside][0]} does not fit in {VALUE_BITS} bits")
    scaled = fitting * parameters.multiplier
    if not pools:
        return scaled[:, 0]
    return pool(
        np.moveaxis(scaled, 1, -1),
        n.pool,
        counts=np.moveaxis(where.counts, 1, -1)[..., np.newaxis, :],
        negative=parameters.multiplier < 0,
    )


def codes_of(
    n: Pass, pooled: NDArray[np.int64], residuals: NDArray[np.int64], parameters: Parameters
) -> NDArray[np.int64]:
    """What is stored for pooled values: codes, of ``RAW`` numbers whose lower 32 bits count.

    Parameters
    ----------
    n : Pass
    pooled, residuals : ndarray of shape (..., channels), int64
    parameters : Parameters
    """
    y = pooled + parameters.offset + residuals * parameters.residual_multiplier
    if n.absolute:
        y = np.abs(y)
    if n.requantize is Requantize.RAW:
        return y
    if n.requantize is Requantize.THRESHOLDS:
        codes = n.low + (parameters.thresholds <= y[..., np.newaxis]).sum(axis=-1)
    else:
        codes = quantize(y, shift=n.shift, rounding=n.rounding, low=n.low, high=n.high)
    return codes << n.code_shift


def output_bits(n: Pass, where: Places) -> NDArray[np.int64]:
    """Bit addresses of all writes of the regions that yield an output.

    Returns
    -------
    ndarray of shape (outputs, channel_beats, writes · bits of a write), int64
    """
    first = n.out_base + where.y * n.out_line_bits + where.x * n.out_pixel_bits + n.out_first_bit
    beats = first[where.yields][:, np.newaxis] + np.arange(n.channel_beats) * n.out_beat_bits
    if n.requantize is Requantize.RAW:
        bits = np.arange(n.lanes * RAW_BITS)
    else:
        bits = (np.arange(n.out_planes)[:, np.newaxis] * n.out_plane_bits + np.arange(n.lanes)).ravel()
    return beats[..., np.newaxis] + bits


def output_span(n: Pass, where: Places, bits: int) -> tuple[int, int]:
    """First and last bit that a layer writes; (0, −1) if it writes none.

    Raises
    ------
    PassError
        ``IMAGE_BANK`` if a write lies beyond the bank of so many `bits`, or at no multiple of its own bits.
    """
    if not where.yields.any():
        return 0, -1
    raw = n.requantize is Requantize.RAW
    unit = n.lanes * RAW_BITS // n.writes if raw else n.lanes
    first = n.out_base + where.y * n.out_line_bits + where.x * n.out_pixel_bits + n.out_first_bit
    beats = first[where.yields][:, np.newaxis] + np.arange(n.channel_beats) * n.out_beat_bits
    of_a_beat = n.lanes * RAW_BITS if raw else (n.out_planes - 1) * n.out_plane_bits + n.lanes
    apart = not raw and n.out_planes > 1 and n.out_plane_bits % unit
    end = int(beats.max()) + of_a_beat
    if end > bits or (beats % unit).any() or apart:
        raise PassError(Error.IMAGE_BANK)
    return int(beats.min()), end - 1


def stored_bits(n: Pass, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Bits of codes of shape (outputs, channels) in the order of `output_bits`."""
    beats = codes.reshape(len(codes), n.channel_beats, n.lanes)
    if n.requantize is Requantize.RAW:
        bits = beats[..., np.newaxis] >> np.arange(RAW_BITS) & 1
    else:
        bits = beats[:, :, np.newaxis] >> np.arange(n.out_planes)[:, np.newaxis] & 1
    return bits.reshape(len(codes), n.channel_beats, -1).astype(np.uint8)


def residual_codes(n: Pass, where: Places, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Codes of the residual map for the regions that yield an output: (outputs, channels), int64.

    Raises
    ------
    PassError
        ``IMAGE_BANK`` if one lies beyond the bank.
    """
    channels = n.channel_beats * n.lanes
    if not n.residual:
        return np.zeros((1, channels), dtype=np.int64)
    first = n.residual_base + where.y * n.residual_line_bits + where.x * n.residual_pixel_bits
    codes = np.zeros((int(where.yields.sum()), channels), dtype=np.int64)
    for plane in range(n.residual_planes):
        address = first[where.yields][:, np.newaxis] + plane * n.residual_plane_bits + np.arange(channels)
        if address.size and address.max() >= len(image):
            raise PassError(Error.IMAGE_BANK)
        codes += image[address].astype(np.int64) << plane
    return codes
