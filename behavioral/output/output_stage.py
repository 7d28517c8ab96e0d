"""Golden model of the output stage: from the accumulators of a pass to its writes into the image bank."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import (
    OFFSET_BITS,
    POOLED_BITS,
    PRODUCT_BITS,
    RAW_BITS,
    VALUE_BITS,
    WINDOW_SCALE_BITS,
    WINDOW_SUM_BITS,
)
from spinplane.machine.passes import Pass

from ..bit_strings import ImageBanks
from ..fixed_point import fit, signed_integers, wrapped
from .batch_norm import sums_before_scaling
from .output_packer import OutputMap
from .parameters import Parameters
from .pooling import pool
from .quantizer import quantize
from .residual_loader import ResidualLoader
from .scaling import scale
from .step_table import StepTable
from .window_correction import correct_window

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]

#: Codes from which on a table of steps is worth its preparation.
_TABLE_CODES = 1 << 15
#: Codes that are computed at a time.
_CODES = 1 << 15
#: Steps up to which a table of steps is faster than arithmetic.
_MOST_STEPS = 16
#: Whole numbers up to which float32 holds them all.
_EXACT_IN_FLOAT32 = 1 << 24


class OutputStageRun(NamedTuple):
    """What a pass wrote and read.

    Parameters
    ----------
    addresses : ndarray of shape (writes,), int64
        Bit address of each write, in the order of the hardware.
    bits : ndarray of shape (writes, bits of a write), uint8
    image_writes, residual_reads, parameter_reads : int
        Events: writes, planes of residuals, words of parameters, scales, thresholds and tables.
    """

    addresses: Integers
    bits: Octets
    image_writes: int
    residual_reads: int
    parameter_reads: int


class OutputStage:
    """The output stage of a pass, prepared for its parameters and places.

    Parameters
    ----------
    layer_pass : Pass
    parameters : Parameters
    places : OutputMap
    wraps : bool
        Whether a pooled sum that does not fit wraps, as where cells are faulty.
    """

    def __init__(
        self, layer_pass: Pass, parameters: Parameters, places: OutputMap, *, wraps: bool = False
    ) -> None:
        self._pass, self.parameters, self.places, self._wraps = layer_pass, parameters, places, wraps
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
            That no sum exceeds in magnitude.

        Returns
        -------
        ndarray of shape (images, outputs, channels), of integers
            Codes, or values with ``raw``; their lower bits count.

        Raises
        ------
        OutputStageError
            If a value leads to a word of thresholds or of a table that there is not.
        OverflowError
            If a pooled sum does not fit in 36 bits, and does not wrap.
        """
        bound *= self._pass.windows if self._pass.pool is Pool.SUM else 1
        pooled = self._pool(values, bound)
        region, cluster = self.places.outputs
        pooled = pooled[:, cluster, region]
        if bound >= 1 << (POOLED_BITS - 1):
            pooled = fit(pooled.astype(np.int64), POOLED_BITS, "pooled sum", wraps=self._wraps)
            bound = 1 << (POOLED_BITS - 1)
        table = self._step_table(bound) if self._is_monotone(bound) and pooled.size >= _TABLE_CODES else None
        if table is not None and table.steps <= _MOST_STEPS:
            return self._stored(table.levels(pooled))
        of_image = max(1, pooled[:1].size)
        step = max(1, _CODES // of_image)
        codes = []
        for part in (slice(first, first + step) for first in range(0, len(pooled), step)):
            of_part = None if residuals is None else residuals[part]
            y = scale(pooled[part].astype(np.int64), self._pass, self.parameters, of_part).y
            codes.append(y if self._pass.raw else self._stored(levels_of(y, self._pass, self.parameters)))
        return codes[0] if len(codes) == 1 else np.concatenate(codes)

    def _pool(self, values: NDArray, bound: int) -> NDArray:
        """Pooled sums: ndarray of shape (images, clusters, regions, channels)."""
        mode = self._pass.pool
        if values.shape[3] == 1 and (mode is Pool.NONE or self.places.counts.all()):
            return values[:, :, :, 0]
        if mode is Pool.SUM and values.dtype.itemsize == 4 and bound > _EXACT_IN_FLOAT32:
            values = values.astype(np.float64 if values.dtype.kind == "f" else np.int64)
        counts = np.moveaxis(self.places.counts, 2, 0)[:, :, np.newaxis]
        return pool(np.moveaxis(values, 3, -1), mode, counts=counts, least=self.parameters.least)

    def _is_monotone(self, bound: int) -> bool:
        """Whether levels follow pooled sums up or down: nothing else is added, and no product wraps."""
        p = self._pass
        if p.raw or p.residual or p.own_code or self.parameters.searches.missing.word.size:
            return False
        largest = int(np.abs(self.parameters.multiplier).max())
        return 2 * bound * largest + (1 << OFFSET_BITS) < 1 << (PRODUCT_BITS - 1)

    def _step_table(self, bound: int) -> StepTable:
        """Levels by steps, for sums up to a bound."""
        if self._table is None or self._table.bound < bound:
            p, c = self._pass, self.parameters
            rises = np.where(c.search & c.falling, -1, 1)
            self._table = StepTable(
                lambda sums: levels_of(scale(sums, p, c).y, p, c),
                rises * np.sign(c.multiplier) if p.multiplies else rises,
                bound=bound,
            )
        return self._table

    def _stored(self, levels: NDArray[np.integer]) -> NDArray[np.integer]:
        """Codes of levels."""
        p = self._pass
        if self.parameters.table is not None:
            return self.parameters.table.look_up(levels)
        if not p.level_shift and not p.out_zero:
            return levels
        codes = np.left_shift(levels, p.level_shift, dtype=np.result_type(levels, np.int16))
        return np.asarray(codes + codes.dtype.type(p.out_zero))


def levels_of(y: Integers, layer_pass: Pass, parameters: Parameters) -> Integers:
    """Levels of values: searched, or rounded and clipped, as each channel says.

    Parameters
    ----------
    y : ndarray of shape (..., channels), int64
    layer_pass : Pass
    parameters : Parameters
        Of the channels.

    Returns
    -------
    ndarray of shape (..., channels), int64

    Raises
    ------
    OutputStageError
        If a value leads to a word of thresholds that there is not.
    """
    p, c = layer_pass, parameters
    shift, low, high = (p.total_shift, p.total_low, p.total_high) if p.own_code else (c.shift, c.low, c.high)
    if not c.search.any():
        return quantize(y, shift=shift, rounding=p.rounding, low=low, high=high)
    numbers = c.searches.numbers(y)
    found = np.where(c.falling, high - numbers, low + numbers)
    if c.search.all():
        return found
    return np.where(c.search, found, quantize(y, shift=shift, rounding=p.rounding, low=low, high=high))


def run_output_stage(
    layer_pass: Pass,
    accumulators: ArrayLike,
    window_sums: ArrayLike,
    *,
    parameters: Octets,
    scales: Octets,
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
    parameters, scales, thresholds : ndarray of shape (words, lanes · 128), uint8
        Bits of the banks.
    image : ndarray of shape (bits,), uint8
        Bits of the image bank, from which residuals are read before anything is written.
    wraps : bool
        Keep the bits of sums, pooled sums, raw values and codes that the hardware keeps, where faulty cells leave
        nothing to prove.

    Returns
    -------
    OutputStageRun

    Raises
    ------
    ValueError
        If ``interval`` is too short for a beat.
    OutputStageError
        If a word, a residual or a write is beyond its bank, or a write not at a multiple of its bits.
    OverflowError
        If a sum does not fit in 32 bits, a pooled one in 36, a raw value in 32 or a code in its planes.
    """
    p = layer_pass
    if p.interval < p.least_interval:
        raise ValueError(f"interval = {p.interval}: must be at least {p.least_interval}")
    banks = {"parameters": parameters, "scales": scales, "thresholds": thresholds}
    words = {name: np.packbits(bits, axis=-1, bitorder="little") for name, bits in banks.items()}
    of_channels = Parameters.read(p, **words)
    places = OutputMap(p)
    output_stage = OutputStage(p, of_channels, places, wraps=wraps)
    # Of the case, (1, clusters, regions, windows, channels) and without channels.
    values = np.moveaxis(np.asarray(accumulators).reshape(1, p.regions, p.windows, p.clusters, -1), 3, 1)
    sums = np.moveaxis(np.asarray(window_sums).reshape(1, p.regions, p.windows, p.clusters), 3, 1)
    values = _sums_before_scaling(p, values, sums[..., np.newaxis], of_channels.bias, wraps)
    loader = ResidualLoader(p, places) if p.residual else None
    read = None
    if loader is not None:
        loader.check(len(image))
        read = loader.read(ImageBanks(image, 0, len(image), 1))
    codes = output_stage.codes(values, read, int(np.abs(values).max(initial=0)))
    if p.raw:
        codes = wrapped(codes, RAW_BITS) if wraps else signed_integers(codes, RAW_BITS, "raw values")
    elif not wraps:
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
