"""Golden model of the residual loader: codes of another map, added to the outputs of a pass."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from ..bit_strings import CodeMap, ImageBanks
from .output_packer import OutputMap, OutputStageError

Octets = NDArray[np.uint8]


class ResidualLoader:
    """Reads a code of each channel for each output of a pass.

    Parameters
    ----------
    layer_pass : Pass
        With a residual operand.
    places : OutputMap

    Attributes
    ----------
    addresses : ndarray of shape (outputs, channel beats that exist, planes), int64
        First bit of each read of a beat's plane.
    """

    def __init__(self, layer_pass: Pass, places: OutputMap) -> None:
        self._pass = p = layer_pass
        first = p.residual_base + places.y * p.residual_line_bits + places.x * p.residual_pixel_bits
        self._places = places
        beats = first[:, np.newaxis] + p.lanes * places.beat_places
        self.addresses = beats[..., np.newaxis] + p.residual_plane_bits * np.arange(p.residual_planes)
        together = (np.diff(places.beat_places) == 1).all()
        self._map = CodeMap(
            beats[:, 0] if together else beats.ravel(),
            elements=len(places.beats) * p.lanes if together else p.lanes,
            planes=p.residual_planes,
            plane_bits=p.residual_plane_bits,
        )

    @property
    def reads(self) -> int:
        """Number of all reads."""
        return self.addresses.size

    def bits(self) -> NDArray[np.int64]:
        """Addresses of all bits that are read: ndarray of shape (outputs, beats, planes, bits), int64."""
        return self.addresses[..., np.newaxis] + np.arange(self._pass.lanes)

    @property
    def span(self) -> tuple[int, int]:
        """First bit read, and the one after the last; (0, 0) for none."""
        if not self.addresses.size:
            return 0, 0
        return int(self.addresses.min()), int(self.addresses.max()) + self._pass.lanes

    def check(self, bank_bits: int) -> None:
        """Refuse reads beyond an image bank of so many bits.

        Raises
        ------
        OutputStageError
        """
        if self.span[1] > bank_bits:
            raise OutputStageError(
                "image", f"residual bit {self.span[1] - 1} is beyond the bank of {bank_bits} bits"
            )

    def read(self, banks: ImageBanks) -> Octets:
        """Codes of many images: ndarray of shape (images, outputs, channels), uint8; 0 in beats that do not exist."""
        p, codes = self._pass, self._map.read(banks)
        if codes.shape[2:] == (p.channel_beats * p.lanes,) and not p.spread:
            return codes
        found = np.zeros((len(codes), len(self.addresses), p.channel_beats, p.lanes), dtype=np.uint8)
        found[:, :, self._places.beats] = codes.reshape(*found.shape[:2], -1, p.lanes)
        return found.reshape(*found.shape[:2], -1)
