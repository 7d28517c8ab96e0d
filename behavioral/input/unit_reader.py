"""Rows of all plane groups as one: the part of the input that a pass multiplies."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from ..bit_strings import CodeMap, ImageBanks
from .input_streamer import FormedRows

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class UnitReader:
    """Reads unit rows: rows of all plane groups as one, with whole codes.

    Parameters
    ----------
    layer_pass : Pass
    rows : FormedRows
        Of all clusters and row sets, as of `FormedRows.of_walk`.
    """

    def __init__(self, layer_pass: Pass, rows: FormedRows) -> None:
        self._pass, self._rows = layer_pass, rows
        self._map, self._place = self._code_map(rows)

    def _code_map(self, rows: FormedRows) -> tuple[CodeMap | None, Integers]:
        """Unit rows that are read, if each one is a string of codes, and the number of each or −1."""
        p = self._pass
        of_units = (p.clusters, -1, p.plane_groups, p.pieces)
        reads = rows.reads.reshape(of_units)
        first = rows._first.reshape(of_units)
        plane = np.arange(p.plane_groups) * p.plane_group_bits
        plane_bits = p.plane_bits if p.planes > 1 else p.plane_group_bits
        planes = min(p.in_planes, p.plane_groups * p.planes)
        in_line = planes <= p.planes or p.plane_group_bits == p.planes * plane_bits
        together = (reads == reads[:, :, :1]).all() and (
            first == first[:, :, :1] + plane[:, np.newaxis]
        ).all()
        if p.in_bytes or not in_line or not together or not rows._exists.all() or not reads.any():
            return None, np.zeros(0, dtype=np.int64)
        read = reads[:, :, 0].reshape(p.clusters, -1)
        place = np.where(read, np.cumsum(read).reshape(read.shape) - 1, -1)
        strings = first[:, :, 0].reshape(p.clusters, -1)[read]
        elements = rows.inside.shape[1]
        return CodeMap(strings, elements=elements, planes=planes, plane_bits=plane_bits), place

    def read(self, banks: ImageBanks) -> tuple[Octets, Integers]:
        """Codes, and which of them each unit row has.

        Parameters
        ----------
        banks : ImageBanks

        Returns
        -------
        codes : ndarray of shape (images, n, elements), uint8
        places : ndarray of shape (clusters, unit rows), int64
            Number of each unit row among the n.
        """
        held = None if self._map is None else self._map.find(banks)
        if held is None or self._map is None:
            codes = self._units(self._rows.read(banks))
            return codes, np.arange(codes.shape[1]).reshape(self._pass.clusters, -1)
        codes, strings = held
        padding = self._pass.pad_code & (1 << self._map.planes) - 1
        padded = np.full((len(codes), codes.shape[1] + 1, codes.shape[2]), padding, dtype=np.uint8)
        padded[:, :-1] = codes
        return padded, np.where(self._place < 0, codes.shape[1], strings[self._place])

    def _units(self, rows: Octets) -> Octets:
        """Codes of unit rows, (images, clusters · unit rows, elements), from those of rows."""
        p = self._pass
        if p.plane_groups == 1:
            return rows
        parts = rows.reshape(len(rows), -1, p.plane_groups, p.pieces, rows.shape[-1])
        codes = parts[:, :, 0]
        for plane_group in range(1, p.plane_groups):
            codes = codes | parts[:, :, plane_group] << np.uint8(plane_group * p.planes)
        return codes.reshape(len(rows), -1, rows.shape[-1])
