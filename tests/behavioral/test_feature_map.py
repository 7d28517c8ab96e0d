"""Feature maps as bits of the image bank, against the addresses of the contract one by one."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.behavioral.feature_map import map_addresses, map_bits, map_codes
from spinplane.machine import SpinplaneError
from spinplane.machine.program import FeatureMap

SIZES = {"channels": 3, "height": 2, "width": 4}
MAPS = {
    "planes": FeatureMap(
        layout="planes", base=8, line_bits=200, pixel_bits=40, plane_bits=10, planes=4, **SIZES
    ),
    "bytes": FeatureMap(
        layout="bytes", base=16, line_bits=112, pixel_bits=0, plane_bits=0, planes=5, **SIZES
    ),
    "raw": FeatureMap(layout="raw", base=64, line_bits=512, pixel_bits=128, plane_bits=0, planes=1, **SIZES),
}


def address(m: FeatureMap, p: int, y: int, x: int, c: int) -> int:
    if m.layout == "planes":
        return m.base + y * m.line_bits + x * m.pixel_bits + p * m.plane_bits + c
    if m.layout == "bytes":
        return m.base + y * m.line_bits + (x * m.channels + c) * 8 + p
    return m.base + y * m.line_bits + x * m.pixel_bits + c * 32 + p


@pytest.mark.parametrize("layout", MAPS)
def test_bits_lie_where_the_contract_says(layout: str) -> None:
    feature_map = MAPS[layout]
    addresses = map_addresses(feature_map)
    for (c, y, x, p), at in np.ndenumerate(addresses):
        assert at == address(feature_map, p, y, x, c)
    assert len(np.unique(addresses)) == addresses.size


@pytest.mark.parametrize("layout", MAPS)
def test_codes_come_back(layout: str) -> None:
    feature_map = MAPS[layout]
    rng = np.random.default_rng(1)
    least, end = (-(1 << 31), 1 << 31) if layout == "raw" else (0, 1 << feature_map.planes)
    codes = rng.integers(least, end, (3, 2, 4))
    codes[0, 0, :2] = least, end - 1
    image = rng.integers(0, 2, 4096).astype(np.uint8)
    addresses, bits = map_bits(feature_map, codes)
    image[addresses] = bits
    np.testing.assert_array_equal(map_codes(feature_map, image), codes)


def test_refusals() -> None:
    planes, image = MAPS["planes"], np.zeros(64, dtype=np.uint8)
    codes = np.zeros((3, 2, 4), dtype=int)
    with pytest.raises(SpinplaneError, match=r"^layout = 'rows': must be one of bytes, planes, raw$"):
        map_addresses(replace(planes, layout="rows"))
    with pytest.raises(SpinplaneError, match=r"^codes of shape \(3, 2\): the map has \(3, 2, 4\) "):
        map_bits(planes, codes[..., 0])
    with pytest.raises(SpinplaneError, match=r"^code 16: must be from 0 to 15$"):
        map_bits(planes, codes + 16)
    with pytest.raises(SpinplaneError, match=r"^code -1: must be from 0 to 31$"):
        map_bits(MAPS["bytes"], codes - 1)
    with pytest.raises(SpinplaneError, match=r"^feature map from bit 8 to 360: the image bank has 64 bits$"):
        map_codes(planes, image)
