"""Feature maps as bits of the image bank: their layouts, codes to bits and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.program import FeatureMap

from .bit_strings import BitStrings, CodeMap, ImageBanks
from .bitplane import integers

#: Bits of a channel in the layouts that give each channel a place of its own.
_CHANNEL_BITS = {"bytes": 8, "raw": 32}


def map_addresses(feature_map: FeatureMap) -> NDArray[np.int64]:
    """Bit addresses of a map in the image bank.

    Returns
    -------
    ndarray of shape (channels, height, width, bits), int64
        Lowest bit of a code first: 8 of ``bytes``, 32 of ``raw``, the planes of ``planes``.

    Raises
    ------
    SpinplaneError
        If there is no such layout.
    """
    layout = feature_map.layout
    if layout not in ("bytes", "planes", "raw"):
        raise SpinplaneError(f"layout = {layout!r}: must be one of bytes, planes, raw")
    line = feature_map.base + np.arange(feature_map.height)[:, np.newaxis, np.newaxis] * feature_map.line_bits
    column = np.arange(feature_map.width)[:, np.newaxis]
    channel = np.arange(feature_map.channels)[:, np.newaxis, np.newaxis, np.newaxis]
    if layout == "planes":
        bit = np.arange(feature_map.planes) * feature_map.plane_bits
        return channel + line + column * feature_map.pixel_bits + bit
    size = _CHANNEL_BITS[layout]
    pixel_bits = feature_map.channels * size if layout == "bytes" else feature_map.pixel_bits
    return channel * size + line + column * pixel_bits + np.arange(size)


def map_bits(feature_map: FeatureMap, codes: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Codes of a map as bits of the image bank.

    Parameters
    ----------
    feature_map : FeatureMap
    codes : array_like of int, shape (channels, height, width)
        0 to 2^planes − 1; signed with 32 bits of ``raw``.

    Returns
    -------
    addresses : ndarray of shape (channels, height, width, bits), int64
    bits : ndarray of the same shape, uint8

    Raises
    ------
    SpinplaneError
        If the codes have another shape than the map, or one does not fit.
    """
    numbers = integers(codes, "codes")
    check_codes(feature_map, numbers)
    addresses = map_addresses(feature_map)
    return addresses, (numbers[..., np.newaxis] >> np.arange(addresses.shape[-1]) & 1).astype(np.uint8)


def check_codes(feature_map: FeatureMap, codes: NDArray[np.integer]) -> None:
    """Refuse codes, of shape (..., channels, height, width), that are not those of a map.

    Raises
    ------
    SpinplaneError
        If the codes have another shape than the map, or one does not fit.
    """
    shape = (feature_map.channels, feature_map.height, feature_map.width)
    if codes.shape[-3:] != shape:
        raise SpinplaneError(f"codes of shape {codes.shape}: the map has {shape} (channels, height, width)")
    raw = feature_map.layout == "raw"
    least, most = (-(1 << 31), (1 << 31) - 1) if raw else (0, (1 << feature_map.planes) - 1)
    if codes.size and not least <= codes.min() <= codes.max() <= most:
        outside = (codes < least) | (codes > most)
        raise SpinplaneError(f"code {codes[outside][0]}: must be from {least} to {most}")


def map_codes(feature_map: FeatureMap, image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Codes of a map from the bits of the image bank; the inverse of `map_bits`.

    Parameters
    ----------
    feature_map : FeatureMap
    image : ndarray of shape (bits,), uint8
        The bank, bit by bit.

    Returns
    -------
    ndarray of shape (channels, height, width), int64
        Of ``raw`` signed.

    Raises
    ------
    SpinplaneError
        If the map lies outside of the bank.
    """
    addresses = map_addresses(feature_map)
    if addresses.size and not 0 <= addresses.min() <= addresses.max() < len(image):
        raise SpinplaneError(
            f"feature map from bit {addresses.min()} to {addresses.max()}: the image bank has {len(image)} bits"
        )
    codes = image[addresses].astype(np.int64) @ (1 << np.arange(addresses.shape[-1], dtype=np.int64))
    return codes - (codes >> 31 << 32) if feature_map.layout == "raw" else codes


def map_span(feature_map: FeatureMap) -> tuple[int, int]:
    """First bit of a map in the image bank, and the one after the last."""
    strings, length = _strings(feature_map)
    return int(strings.min()), int(strings.max()) + length


def _strings(feature_map: FeatureMap) -> tuple[NDArray[np.int64], int]:
    """First bits of the strings of a map, one for each line or pixel, and their length."""
    m = feature_map
    line = m.base + np.arange(m.height) * m.line_bits
    if m.layout == "bytes":
        return line, 8 * m.width * m.channels
    pixel = line[:, np.newaxis] + np.arange(m.width) * m.pixel_bits
    if m.layout == "raw":
        return pixel, 32 * m.channels
    return pixel[..., np.newaxis] + np.arange(m.planes) * m.plane_bits, m.channels


class MapStrings:
    """A map in the image banks of many images.

    Parameters
    ----------
    feature_map : FeatureMap
    """

    def __init__(self, feature_map: FeatureMap) -> None:
        self._map = m = feature_map
        first, self._length = _strings(m)
        self._first = first.ravel()
        self._codes: CodeMap | None = None
        if m.layout == "planes":
            self._codes = CodeMap(
                first[..., 0].ravel(), elements=m.channels, planes=m.planes, plane_bits=m.plane_bits
            )

    def write(self, banks: ImageBanks, codes: NDArray[np.integer]) -> None:
        """Write codes.

        Parameters
        ----------
        banks : ImageBanks
            Are changed.
        codes : ndarray of shape (images, channels, height, width), of integers
            That fit the map, see `check_codes`.
        """
        size = np.dtype("<u4") if self._map.layout == "raw" else np.uint8
        channels_last = np.ascontiguousarray(np.moveaxis(codes, 1, -1).astype(size))
        if self._codes is not None:
            banks.write_map(self._codes, channels_last.reshape(len(codes), -1, self._map.channels))
            return
        octets = channels_last.view(np.uint8).reshape(len(codes), len(self._first), -1)
        self._in(banks).write(banks.octets(map_span(self._map)), octets)

    def read(self, banks: ImageBanks) -> NDArray[np.integer]:
        """Read codes: ndarray of shape (images, channels, height, width), int32 of ``raw``, else uint8."""
        m = self._map
        if self._codes is not None:
            codes: NDArray[np.integer] = self._codes.read(banks)
        else:
            octets = np.ascontiguousarray(self._in(banks).read(banks.octets(map_span(m))))
            codes = octets.view(np.dtype("<i4") if m.layout == "raw" else np.uint8)
        codes = codes.reshape(len(codes), m.height, m.width, m.channels)
        return np.ascontiguousarray(np.moveaxis(codes, -1, 1))

    def _in(self, banks: ImageBanks) -> BitStrings:
        return BitStrings(self._first, self._length, base=banks.base, size=banks.size)
