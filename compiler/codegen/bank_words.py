"""Words of the banks: kernels row by row, parameters and scales beat by beat, thresholds and tables lane by lane."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import SEARCH_NODES, THRESHOLDS_PER_WORD, UNUSED_THRESHOLD, ChannelField

from ..mapping.placement import Placement, ceil_div
from ..requantization.parameters import Requantization

_CHANNEL_BYTES = CHANNEL_BITS // 8


def kernel_rows(placement: Placement, codes: np.ndarray) -> np.ndarray:
    """Kernels of a pass as words of the kernel bank, row by row and sub-array by sub-array.

    Parameters
    ----------
    placement : Placement
    codes : ndarray of shape (kernels, channels of a slot, kernel height, kernel width), int64
    """
    kernels, channels, height, _ = codes.shape
    elements, length = placement.elements, placement.length
    if placement.spread:
        elements = length = placement.block
    units = placement.taps_x
    # Rows follow lines of taps, units of a line and pieces of a unit; elements follow pixels and channels.
    lines = codes.transpose(0, 2, 3, 1).astype(np.uint8)
    if placement.strips:
        lines = np.pad(lines, ((0, 0),) * 3 + ((0, placement.pixel_elements - channels),))
        beyond = ((0, 0), (0, 0), (0, placement.empty_taps), (0, 0))
        lines = np.pad(lines, beyond, constant_values=zero_code(placement))
    lines = lines.reshape(kernels, height, units, -1)[..., :elements]
    lines = np.pad(lines, ((0, 0),) * 3 + ((0, placement.pieces * length - elements),))
    rows = lines.reshape(kernels, height * units * placement.pieces, length)
    kernel_tiles = ceil_div(kernels, placement.kernel_tile_kernels)
    sub_arrays = placement.used_sub_arrays(kernels)
    room = kernel_tiles * sub_arrays * placement.slots - kernels
    rows = np.pad(rows, ((0, room), (0, 0), (0, placement.block - length)))
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


def channel_words(
    machine: Machine, fields: Sequence[ChannelField], numbers: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Numbers of channels as words of the banks of parameters or of scales, beat by beat.

    Parameters
    ----------
    machine : Machine
    fields : sequence of ChannelField
        From the lowest bit on.
    numbers : dict of str to ndarray of shape (channels,), int64
        One for each field, of whole beats.

    Returns
    -------
    ndarray of shape (beats, results_per_cycle · 16), uint8

    Raises
    ------
    SpinplaneError
        If a number does not fit its field.
    """
    lanes = machine.results_per_cycle
    bits = np.zeros((len(numbers[fields[0].name]), CHANNEL_BITS), dtype=np.uint8)
    at = 0
    for field in fields:
        of_field = numbers[field.name]
        least, greatest = int(of_field.min()), int(of_field.max())
        if least < field.smallest or greatest > field.largest:
            raise SpinplaneError(
                f"{field.name} from {least} to {greatest}: does not fit in {field.bits} bits of a channel"
            )
        bits[:, at : at + field.bits] = of_field[:, np.newaxis] >> np.arange(field.bits) & 1
        at += field.bits
    return np.packbits(bits, axis=1, bitorder="little").reshape(-1, lanes * _CHANNEL_BYTES)


def lookup_words(machine: Machine, requantization: Requantization) -> np.ndarray:
    """Words of the threshold bank for a layer, each lane's lists and tables where `list_places` puts them.

    Returns
    -------
    ndarray of shape (words, results_per_cycle · 16), uint8
    """
    lanes, searched = machine.results_per_cycle, requantization.search_words
    if not requantization.lookup_words:
        return np.zeros((0, lanes * _CHANNEL_BYTES), dtype=np.uint8)
    requantization = requantization.with_gaps(lanes)
    places = requantization.list_places(lanes)
    lists = np.full(
        (len(places.word), requantization.lookup_words, THRESHOLDS_PER_WORD), UNUSED_THRESHOLD, "<i4"
    )
    for number, (step, word, digit) in enumerate(_tree(requantization)):
        lists[:, SEARCH_NODES[step] + word, digit] = requantization.thresholds[:, number]
    entries = requantization.tables
    held = lists.view(np.uint8).reshape(len(lists), -1)
    held[:, searched * _CHANNEL_BYTES :][:, : entries.shape[1]] = entries
    held[:, searched * _CHANNEL_BYTES + entries.shape[1] :] = 0
    unused = np.full((places.words, lanes, THRESHOLDS_PER_WORD), UNUSED_THRESHOLD, "<i4")
    words = unused.view(np.uint8).reshape(places.words, lanes, _CHANNEL_BYTES)
    for channel, first in enumerate(places.word):
        own = words[first : first + requantization.lookup_words, channel % lanes]
        own[:] = held[channel].reshape(-1, _CHANNEL_BYTES)
    return words.reshape(places.words, lanes * _CHANNEL_BYTES)


def _tree(requantization: Requantization) -> Iterator[tuple[int, int, int]]:
    """Step, word of the step, and place in it, of each threshold of a search."""
    last = requantization.fields.get("search_reads", 0) - 1
    for number in range(1, requantization.thresholds.shape[1] + 1):
        # A threshold whose number 5 divides is passed in an earlier step.
        step, left = last, number
        while left % 5 == 0:
            step, left = step - 1, left // 5
        yield step, left // 5, left % 5 - 1
