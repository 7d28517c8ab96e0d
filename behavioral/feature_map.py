"""Feature maps as bits of the image bank: which bit is which, codes to bits and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.program import FeatureMap

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
        raise SpinplaneError(f"layout = {layout!r}: allowed are bytes, planes, raw")
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
    shape = (feature_map.channels, feature_map.height, feature_map.width)
    if numbers.shape != shape:
        raise SpinplaneError(f"codes of shape {numbers.shape}: the map has {shape} (channels, height, width)")
    raw = feature_map.layout == "raw"
    least, most = (-(1 << 31), (1 << 31) - 1) if raw else (0, (1 << feature_map.planes) - 1)
    outside = (numbers < least) | (numbers > most)
    if outside.any():
        raise SpinplaneError(f"code {numbers[outside][0]}: allowed are {least} to {most}")
    addresses = map_addresses(feature_map)
    return addresses, (numbers[..., np.newaxis] >> np.arange(addresses.shape[-1]) & 1).astype(np.uint8)


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
