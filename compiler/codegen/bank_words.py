"""Words of the banks: kernels row by row, parameters and thresholds beat by beat."""

import numpy as np

from spinplane.machine import OFFSET_BITS, Machine, SpinplaneError
from spinplane.machine.activation import SCALE_BITS, VALUE_BITS
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLDS_PER_WORD

from ..mapping.placement import Placement, ceil_div
from ..mapping.requantize import UNUSED_THRESHOLD

_PARAMETER_BYTES = 16


def kernel_rows(placement: Placement, codes: np.ndarray) -> np.ndarray:
    """Kernels of a pass as words of the kernel bank, row by row and sub-array by sub-array.

    Parameters
    ----------
    placement : Placement
    codes : ndarray of shape (kernels, channels, kernel height, kernel width), int64
    """
    kernels, channels, height, _ = codes.shape
    units = placement.taps_x
    # Rows follow lines of taps, units of a line and pieces of a unit; elements follow pixels and channels.
    lines = codes.transpose(0, 2, 3, 1).astype(np.uint8)
    if placement.strips:
        lines = np.pad(lines, ((0, 0),) * 3 + ((0, placement.pixel_elements - channels),))
        beyond = ((0, 0), (0, 0), (0, placement.empty_taps), (0, 0))
        lines = np.pad(lines, beyond, constant_values=zero_code(placement))
    lines = lines.reshape(kernels, height, units, -1)[..., : placement.elements]
    lines = np.pad(lines, ((0, 0),) * 3 + ((0, placement.pieces * placement.length - placement.elements),))
    rows = lines.reshape(kernels, height * units * placement.pieces, placement.length)
    kernel_tiles = ceil_div(kernels, placement.kernel_tile_kernels)
    sub_arrays = placement.used_sub_arrays(kernels)
    room = kernel_tiles * sub_arrays * placement.slots - kernels
    rows = np.pad(rows, ((0, room), (0, 0), (0, placement.block - placement.length)))
    rows = rows.reshape(kernel_tiles, sub_arrays, placement.slots, rows.shape[1], placement.block)
    # A sub-block has whole bytes.
    bits = placement.layer.weights.bits
    planes = np.stack([np.packbits(rows >> n & 1, axis=-1, bitorder="little") for n in range(bits)])
    # From (plane, kernel tile, sub-array, slot, row, byte) to (kernel tile, plane, row, sub-array, slot, byte).
    planes = planes.transpose(1, 0, 4, 2, 3, 5)
    words = np.repeat(planes[..., np.newaxis, :], placement.planes, axis=-2)
    return words.reshape(-1, placement.machine.columns // 8)


def zero_code(placement: Placement) -> int:
    """Code of the weight 0, where there are taps beyond the kernel."""
    weights = placement.layer.weights
    return -weights.offset // weights.scale if placement.empty_taps else 0


def parameters(
    machine: Machine,
    *,
    bias: np.ndarray,
    multiplier: np.ndarray,
    offset: np.ndarray,
    residual_multiplier: np.ndarray,
) -> np.ndarray:
    """Words of the parameter bank; channels beyond the last give the code 0."""
    lanes = machine.results_per_cycle
    beats = ceil_div(len(bias), lanes)
    words = np.zeros((beats * lanes, _PARAMETER_BYTES), dtype=np.uint8)
    at = 0
    for name, values, bits in (
        ("bias", bias, VALUE_BITS),
        ("multiplier", multiplier, SCALE_BITS),
        ("offset", offset, OFFSET_BITS),
        ("residual_multiplier", residual_multiplier, SCALE_BITS),
    ):
        least, greatest = int(values.min()), int(values.max())
        if least < -(1 << (bits - 1)) or greatest >= 1 << (bits - 1):
            raise SpinplaneError(
                f"{name} from {least} to {greatest}: does not fit in a parameter of {bits} bits"
            )
        raw = np.ascontiguousarray(values, dtype="<i8").view(np.uint8).reshape(-1, 8)
        words[: len(values), at : at + bits // 8] = raw[:, : bits // 8]
        at += bits // 8
    return words.reshape(beats, lanes * _PARAMETER_BYTES)


def thresholds(machine: Machine, thresholds: np.ndarray) -> np.ndarray:
    """Words of the threshold bank: those of a beat follow each other."""
    lanes = machine.results_per_cycle
    channels, count = thresholds.shape
    beats, words = ceil_div(channels, lanes), ceil_div(count, THRESHOLDS_PER_WORD)
    full = np.full((beats * lanes, words * THRESHOLDS_PER_WORD), UNUSED_THRESHOLD, dtype="<i4")
    full[:channels, :count] = thresholds
    by_word = full.reshape(beats, lanes, words, THRESHOLDS_PER_WORD).transpose(0, 2, 1, 3)
    assert THRESHOLD_BITS * THRESHOLDS_PER_WORD == 8 * _PARAMETER_BYTES
    return np.ascontiguousarray(by_word).view(np.uint8).reshape(beats * words, lanes * _PARAMETER_BYTES)
