"""Golden model of the output stage: from the accumulators of a pass to its writes into the image bank."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import OFFSET_BITS
from spinplane.machine.activation import (
    RAW_BITS,
    SCALE_BITS,
    VALUE_BITS,
    WINDOW_SCALE_BITS,
    WINDOW_SUM_BITS,
)
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLDS_PER_WORD, PoolAt, Requantize
from spinplane.machine.passes import Pass

from ..bit_strings import ImageBanks
from ..fixed_point import signed_integers, wrapped
from .activation import requantize
from .batch_norm import sums_before_scaling
from .output_packer import OutputMap, OutputStageError
from .pooling import pool
from .residual_loader import ResidualLoader
from .step_table import StepTable
from .window_correction import correct_window

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Bytes of a channel's bias, multiplier, offset and residual multiplier in a word of parameters.
_PARAMETER_BYTES = tuple(bits // 8 for bits in (VALUE_BITS, SCALE_BITS, OFFSET_BITS, SCALE_BITS))
#: Codes from which on a table is worth its preparation.
_TABLE_CODES = 1 << 15
#: Codes that are computed at a time.
_CODES = 1 << 15
#: Steps up to which a table is faster than arithmetic.
_MOST_STEPS = 16


class OutputStageRun(NamedTuple):
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
    bits: Octets
    image_writes: int
    residual_reads: int
    parameter_reads: int


class Parameters(NamedTuple):
    """Parameters of all channels of a pass.

    Parameters
    ----------
    bias, multiplier, offset, residual_multiplier : ndarray of shape (channels,), int64
    thresholds : ndarray of shape (channels, 4 · threshold words that are read), int64
    words, threshold_words : ndarray of shape (words, lanes · 16), uint8
        Where they come from: one word for each channel beat, and those of thresholds.
    bases : tuple of int
        First of these words in their banks.
    """

    bias: Integers
    multiplier: Integers
    offset: Integers
    residual_multiplier: Integers
    thresholds: Integers
    words: Octets
    threshold_words: Octets
    bases: tuple[int, int]

    @classmethod
    def read(cls, layer_pass: Pass, parameters: Octets, thresholds: Octets) -> "Parameters":
        """Read them from their banks.

        Parameters
        ----------
        layer_pass : Pass
        parameters, thresholds : ndarray of shape (beats, lanes · 16), uint8

        Raises
        ------
        OutputStageError
            If a word lies beyond a bank, or pooling takes more beats than its memory has.
        """
        p, beats = layer_pass, layer_pass.channel_beats
        if p.pool is not PoolAt.NONE and p.clusters * beats > p.machine.pool_beats:
            raise OutputStageError(
                "parameters",
                f"{p.clusters * beats} beats per window: the pooling memory holds {p.machine.pool_beats}",
            )
        words = _words("parameters", parameters, p.parameter_base, beats)
        level_words = _words("thresholds", thresholds, p.threshold_base, beats * p.read_threshold_words)
        octets = np.split(words.reshape(beats * p.lanes, -1), np.cumsum(_PARAMETER_BYTES)[:-1], axis=1)
        levels = level_words.reshape(
            beats, p.read_threshold_words, p.lanes, THRESHOLDS_PER_WORD, THRESHOLD_BITS // 8
        )
        bias, multiplier, offset, residual_multiplier = (_signed(part) for part in octets)
        return cls(
            bias=bias,
            multiplier=multiplier,
            offset=offset,
            residual_multiplier=residual_multiplier,
            thresholds=_signed(levels.swapaxes(1, 2)).reshape(beats * p.lanes, -1),
            words=words.copy(),
            threshold_words=level_words.copy(),
            bases=(p.parameter_base, p.threshold_base),
        )

    def are_in(self, parameters: Octets, thresholds: Octets) -> bool:
        """Whether the banks hold them still; arguments as of `read`, of whose pass they are."""
        first, level_first = self.bases
        return np.array_equal(self.words, parameters[first : first + len(self.words)]) and np.array_equal(
            self.threshold_words, thresholds[level_first : level_first + len(self.threshold_words)]
        )


def _words(bank: str, words: Octets, base: int, number: int) -> Octets:
    if number and base + number > len(words):
        raise OutputStageError(
            "parameters", f"{bank}: word {base + number - 1} is beyond the bank of {len(words)}"
        )
    return words[base : base + number]


def _signed(octets: Octets) -> Integers:
    """Numbers in two's complement from their bytes along the last axis, the lowest first."""
    bits = 8 * octets.shape[-1]
    numbers = octets.astype(np.int64) @ (np.int64(1) << np.arange(0, bits, 8))
    return np.asarray(numbers - (numbers >> (bits - 1) << bits))


class OutputStage:
    """The output stage of a pass, prepared for its parameters and places.

    Parameters
    ----------
    layer_pass : Pass
    parameters : Parameters
    places : OutputMap
    """

    def __init__(self, layer_pass: Pass, parameters: Parameters, places: OutputMap) -> None:
        self._pass, self.parameters, self.places = layer_pass, parameters, places
        self._table: StepTable | None = None

    def codes(self, values: NDArray[np.number], residuals: NDArray[np.integer] | None, bound: int) -> NDArray:
        """What is stored of the outputs.

        Parameters
        ----------
        values : ndarray of shape (images, clusters, regions, windows, channels), of whole numbers in any type
            Sums before scaling, of 32 bits.
        residuals : ndarray of shape (images, outputs, channels), of integers, or None
            Codes of the residual operand.
        bound : int
            That no pooled value exceeds in magnitude.

        Returns
        -------
        ndarray of shape (images, outputs, channels), of integers
            Codes; of ``RAW`` numbers whose lower 32 bits count.
        """
        pooled = self._pool(values)
        region, cluster = self.places.outputs
        pooled = pooled[:, cluster, region]
        if self._is_tabled(pooled, residuals):
            if self._table is None or self._table.bound < bound:
                self._table = StepTable(
                    lambda numbers: self._requantized(numbers) >> self._pass.code_shift,
                    self.parameters.multiplier,
                    least=self._pass.low,
                    steps=self._steps,
                    bound=bound,
                )
            levels = self._table.levels(pooled)
            return levels << self._pass.code_shift if self._pass.code_shift else levels
        of_image = max(1, pooled[:1].size)
        step = max(1, _CODES // of_image)
        parts = [slice(first, first + step) for first in range(0, len(pooled), step)]
        codes = [
            self._requantized(pooled[part].astype(np.int64), None if residuals is None else residuals[part])
            for part in parts
        ]
        return codes[0] if len(codes) == 1 else np.concatenate(codes)

    @property
    def _steps(self) -> int:
        """Steps from the least code to the greatest, before they are shifted."""
        p = self._pass
        return (
            self.parameters.thresholds.shape[1] if p.requantize is Requantize.THRESHOLDS else p.high - p.low
        )

    def _is_tabled(self, pooled: NDArray, residuals: NDArray | None) -> bool:
        p = self._pass
        rises = p.requantize is not Requantize.RAW and not p.absolute and residuals is None
        few = rises and 0 <= self._steps <= _MOST_STEPS and 0 <= p.low + self._steps < 128
        return few and pooled.size >= _TABLE_CODES

    def _pool(self, values: NDArray) -> NDArray:
        """Pooled values before scaling: ndarray of shape (images, clusters, regions, channels).

        The multiplier is a factor of them all: the greatest product is that of the least value where it is negative.
        """
        mode = self._pass.pool
        if values.shape[3] == 1 and (mode is PoolAt.NONE or self.places.counts.all()):
            return values[:, :, :, 0]
        turned = {PoolAt.MAX: PoolAt.MAX_BEFORE, PoolAt.MAX_BEFORE: PoolAt.MAX}
        return pool(
            np.moveaxis(values, 3, -1),
            turned.get(mode, mode),
            counts=np.moveaxis(self.places.counts, 2, 0)[:, :, np.newaxis],
            negative=self.parameters.multiplier < 0,
        )

    def _requantized(self, pooled: Integers, residuals: NDArray[np.integer] | None = None) -> Integers:
        """Codes of pooled values of shape (..., channels) before scaling."""
        p = self.parameters
        y = pooled * p.multiplier
        y += p.offset
        if residuals is not None:
            y += residuals * p.residual_multiplier
        return requantize(y, self._pass, p.thresholds)


def run_output_stage(
    layer_pass: Pass,
    accumulators: ArrayLike,
    window_sums: ArrayLike,
    *,
    parameters: Octets,
    thresholds: Octets,
    image: Octets,
    wraps: bool = False,
) -> OutputStageRun:
    """Codes of all regions of a pass.

    Parameters
    ----------
    layer_pass : Pass
    accumulators : array_like of int, shape (region rows, region columns, height, width, clusters, channel beats, lanes)
        Signed. Channel beat j·beats + b is beat b of kernel tile j.
    window_sums : array_like of int, shape (region rows, region columns, height, width, clusters)
    parameters, thresholds : ndarray of shape (words, lanes · 128), uint8
        Bits of the banks.
    image : ndarray of shape (bits,), uint8
        Bits of the image bank, from which residuals are read before anything is written.
    wraps : bool
        Reduce sums to 32 bits as the hardware does, where faulty cells leave nothing to prove, and raw values likewise.

    Returns
    -------
    OutputStageRun

    Raises
    ------
    SpinplaneError
        If a field holds what the units cannot take.
    ValueError
        If ``interval`` is too short for a beat.
    OutputStageError
        If a word, a residual or a write is beyond its bank, or a write not at a multiple of its bits.
    OverflowError
        If a sum does not fit in 32 bits, a raw value in 32 or a code in its planes.
    """
    p = layer_pass
    assert p.activation
    if p.interval < p.least_interval:
        raise ValueError(f"interval = {p.interval}: must be at least {p.least_interval}")
    words = (np.packbits(bits, axis=-1, bitorder="little") for bits in (parameters, thresholds))
    of_channels = Parameters.read(p, *words)
    places = OutputMap(p)
    output_stage = OutputStage(p, of_channels, places)
    # Of the case, (1, clusters, regions, windows, channels) and without channels.
    values = np.moveaxis(np.asarray(accumulators).reshape(1, p.regions, p.windows, p.clusters, -1), 3, 1)
    sums = np.moveaxis(np.asarray(window_sums).reshape(1, p.regions, p.windows, p.clusters), 3, 1)
    values = _sums_before_scaling(p, values, sums[..., np.newaxis], of_channels.bias, wraps)
    loader = ResidualLoader(p, places) if p.residual else None
    read = None
    if loader is not None:
        loader.check(len(image))
        read = loader.read(ImageBanks(image, 0, len(image), 1))
    codes = output_stage.codes(values, read, int(np.abs(values).max(initial=0)) * p.windows)
    if p.requantize is Requantize.RAW:
        codes = wrapped(codes, RAW_BITS) if wraps else signed_integers(codes, RAW_BITS, "raw values")
    else:
        outside = (codes < -(1 << (p.out_planes - 1))) | (codes >= 1 << p.out_planes)
        if outside.any():
            raise OverflowError(f"code {codes[outside][0]} does not fit in {p.out_planes} planes")
    places.check(len(image))
    addresses, bits = places.writes(codes[0])
    return OutputStageRun(
        addresses,
        bits,
        image_writes=places.image_writes,
        residual_reads=0 if loader is None else loader.reads,
        parameter_reads=places.parameter_reads,
    )


def _sums_before_scaling(
    layer_pass: Pass, values: Integers, sums: Integers, bias: Integers, wraps: bool
) -> Integers:
    shift = layer_pass.accumulator_shift
    if not wraps:
        corrections = correct_window(sums, layer_pass.window_sum_scale)
        return sums_before_scaling(values, corrections, bias, accumulator_shift=shift)
    sums = signed_integers(sums, WINDOW_SUM_BITS, "window_sums")
    scale = signed_integers(layer_pass.window_sum_scale, WINDOW_SCALE_BITS, "window_sum_scale")
    return wrapped((wrapped(values, VALUE_BITS) << shift) - sums * scale + bias, VALUE_BITS)
