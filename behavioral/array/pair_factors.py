"""What the row pairs of a pass count: a constant, and a factor for each bit of the input.

A sense amplifier shows c + d·a of an input bit a, whatever the faults of the memory. With all kernel bits the same for
all images and windows, the accumulators of a window are a constant and a sum of factors over its input bits. Where
faults lie in the input rows themselves, windows that lie in other rows have other factors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from ..control.sequencer import RowPairs
from .sot_mram_array import SotMramArray

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Lot:
    """Windows that have the same factors.

    Parameters
    ----------
    clusters : slice
        Clusters of sub-arrays.
    windows : ndarray of shape (n,), int64, or None
        Numbers of their windows; None for all.
    """

    clusters: slice
    windows: Integers | None


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of a lot.

    Parameters
    ----------
    constants : ndarray of shape (channels,), int64
        What accumulators are without any input bit.
    added : ndarray of shape (kernel planes, window rows, planes, elements, channels), uint8
        1 where a bit of the input adds 2^(kernel plane + plane) to an accumulator, or subtracts it. All planes are the
        same, and only one of them is here, where `alike`.
    alike : bool
    """

    constants: Integers
    added: Octets
    alike: bool


class PairFactors:
    """Factors of all windows of a pass, for what the array holds now.

    Parameters
    ----------
    layer_pass : Pass
    pairs : RowPairs
    array : SotMramArray
        A pass whose kernel rows have all been written.
    elements : int
        Of the longest row.
    planes : int
        Planes of the input that there are.

    Attributes
    ----------
    lots : list of Lot
    """

    def __init__(
        self, layer_pass: Pass, pairs: RowPairs, array: SotMramArray, elements: int, planes: int
    ) -> None:
        self._pass, self._pairs, self._array = layer_pass, pairs, array
        self._elements, self._planes = elements, planes
        self._members = int(pairs.sub_arrays.max())
        self._cells = kernel_cells(layer_pass, pairs, array.cells)
        self.lots = self._divide()

    def _divide(self) -> list[Lot]:
        p, faults = self._pass, self._array.faults
        if faults is None:
            if all(np.array_equal(self._cells[0], cells) for cells in self._cells[1:]):
                return [Lot(slice(0, p.clusters), None)]
            return [Lot(slice(cluster, cluster + 1), None) for cluster in range(p.clusters)]
        rows = self._pairs.input_rows.reshape(p.regions * p.windows, -1)
        lots = []
        for cluster in range(p.clusters):
            # Cells that do not vary and are not stuck make no difference between rows.
            stuck = self._array.stuck_rows(self._where(cluster))[rows]
            kinds = rows if faults.variation is not None else np.where(stuck, rows, -1)
            _, first, number = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
            for kind in range(len(first)):
                windows = None if len(first) == 1 else np.flatnonzero(number.ravel() == kind)
                lots.append(Lot(slice(cluster, cluster + 1), windows))
        return lots

    def _where(self, cluster: int) -> slice:
        first = cluster * self._pass.cluster_size
        return slice(first, first + self._members)

    def of(self, lot: Lot) -> Factors:
        """Factors of a lot."""
        p, pairs, elements = self._pass, self._pairs, self._elements
        cluster = lot.clusters.start
        window = 0 if lot.windows is None else int(lot.windows[0])
        rows = pairs.input_rows.reshape(-1, p.plane_groups, p.window_rows)[window]
        faultless = self._array.faults is None
        rows = rows[:1] if faultless else rows
        # Axes of pairs: plane group, kernel tile, kernel plane, window row.
        rows_a, rows_b = np.broadcast_arrays(rows[:, np.newaxis, np.newaxis], pairs.kernel_rows)
        shape = (self._members, *rows_a.shape, p.slots, p.planes, p.block_columns)
        constant, added = (
            bits.reshape(shape)
            for bits in self._array.and_factors(self._where(cluster), rows_a.ravel(), rows_b.ravel())
        )
        constants = np.zeros((p.kernel_tiles, self._members, p.slots), dtype=np.int64)
        if not faultless:
            ones = constant.sum(
                axis=(4, 7), dtype=np.int64
            )  # member, plane group, kernel tile, kernel plane, slot, plane
            weights = np.array(p.kernel_plane_signs)[:, np.newaxis, np.newaxis] << (
                np.arange(p.plane_groups)[:, np.newaxis, np.newaxis, np.newaxis, np.newaxis] * p.planes
                + np.arange(p.kernel_planes)[:, np.newaxis, np.newaxis]
                + np.arange(p.planes)
            )
            constants = (ones * weights).sum(axis=(1, 3, 5)).transpose(1, 0, 2)
        added = _of_elements(p, added)[..., :elements]
        alike = faultless and bool((added == added[..., :1, :]).all())
        # To: kernel plane, window row, plane group, plane, element, kernel tile, member, slot.
        added = added[..., :1, :] if alike else added
        added = added.transpose(3, 4, 1, 6, 7, 2, 0, 5)
        if not alike:
            added = np.broadcast_to(added, (*added.shape[:2], p.plane_groups, *added.shape[3:]))
            added = added.reshape(*added.shape[:2], -1, *added.shape[4:])[:, :, : self._planes]
        else:
            added = added[:, :, 0]
        return Factors(of_channels(p, pairs, constants), of_channels(p, pairs, added), alike)


def _of_elements(layer_pass: Pass, columns: NDArray) -> NDArray:
    """Columns of slots, of shape (..., slots, planes, block columns), as those of all elements of a row."""
    p = layer_pass
    if not p.spread:
        return columns
    elements = np.zeros((*columns.shape[:-1], p.slots, p.block_columns), dtype=columns.dtype)
    for slot in range(p.slots):
        elements[..., slot, :, slot, :] = columns[..., slot, :, :]
    return elements.reshape(*columns.shape[:-1], -1)


def of_channels(layer_pass: Pass, pairs: RowPairs, results: NDArray) -> NDArray:
    """Results of shape (..., kernel tiles, sub-arrays, slots) where they stand in the beats of all kernel tiles."""
    p = layer_pass
    channels = np.zeros((*results.shape[:-3], p.channel_beats * p.lanes), dtype=results.dtype)
    for number, sub_arrays in enumerate(pairs.sub_arrays.tolist()):
        start = number * p.beats * p.lanes
        of_kernel_tile = results[..., number, :sub_arrays, :]
        if p.spread:
            beats = of_kernel_tile.reshape(*results.shape[:-3], -1, p.lanes, p.slots)
            of_kernel_tile = beats.swapaxes(-1, -2).reshape(of_kernel_tile.shape)
        channels[..., start : start + sub_arrays * p.slots] = of_kernel_tile.reshape(
            *of_kernel_tile.shape[:-2], -1
        )
    return channels


def kernel_cells(layer_pass: Pass, pairs: RowPairs, cells: Octets) -> list[Octets]:
    """What cells, of shape (sub_arrays, rows, columns), hold of the kernel rows of each cluster, without a copy."""
    first, last = int(pairs.kernel_rows[0, 0, 0]), int(pairs.kernel_rows[-1, -1, -1])
    members, size = int(pairs.sub_arrays.max()), layer_pass.cluster_size
    return [cells[cluster * size :][:members, first : last + 1] for cluster in range(layer_pass.clusters)]
