import re

import numpy as np
import pytest

from spinplane.behavioral import BankWrite, plane_writes, raw_writes

WIDTH = 64


def written(writes: list[BankWrite], words: int) -> np.ndarray:
    """Bits of a bank of zeros after the writes."""
    bank = np.zeros((words, WIDTH), dtype=np.uint8)
    for address, data, mask in writes:
        bank[address] = np.where(mask, data, bank[address])
    return bank.ravel()


@pytest.mark.parametrize("low", [0, -4])
def test_planes_lie_where_a_feature_map_is_read(low: int) -> None:
    """Bit of plane m, channel c: base + m · line_bits + c."""
    codes = np.random.default_rng(2).integers(low, low + 8, 16)
    writes = [
        write
        for first in range(0, 16, 4)
        for write in plane_writes(codes[first : first + 4], 72 + first, planes=3, line_bits=132, width=WIDTH)
    ]
    bank = written(writes, 8)
    planes = np.array([bank[72 + m * 132 :][:16] for m in range(3)], dtype=np.int64)
    assert (planes.T @ [1, 2, 4 if low == 0 else -4] == codes).all()
    assert bank.sum() == planes.sum()
    assert len(writes) == 12


@pytest.mark.parametrize(("lanes", "count"), [(1, 1), (2, 1), (8, 4)])
def test_raw_values_lie_one_after_the_other(lanes: int, count: int) -> None:
    values = np.random.default_rng(3).integers(-(2**31), 2**31, lanes)
    address = max(WIDTH, 32 * lanes)
    writes = raw_writes(values, address, width=WIDTH)
    assert len(writes) == count
    bank = written(writes, 9)
    read = np.packbits(bank, bitorder="little").view("<i4")
    assert (read[address // 32 :][:lanes] == values).all()
    assert np.count_nonzero(read) == np.count_nonzero(values)


@pytest.mark.parametrize(
    ("codes", "address", "sizes", "error", "text"),
    [
        ([8, 0], 0, {"planes": 3}, OverflowError, "code 8 does not fit in 3 planes"),
        ([-5, 0], 0, {"planes": 3}, OverflowError, "code -5 does not fit in 3 planes"),
        ([0, 0], 0, {"planes": 9}, ValueError, "planes must be from 1 to 8, not 9"),
        ([0, 0], 3, {}, ValueError, "bit address 3: must be a multiple of 2 below 2^32"),
        ([0, 0], 0, {"line_bits": 1}, ValueError, "bit address 1: must be a multiple of 2 below 2^32"),
        ([0, 0], 2**32, {}, ValueError, f"bit address {2**32}: must be a multiple of 2 below 2^32"),
        ([0] * 3, 0, {}, ValueError, "a write of 3 bits to words of 64: both must be powers of two"),
        ([0], 0, {"width": 48}, ValueError, "a write of 1 bits to words of 48: both must be powers of two"),
    ],
)
def test_refuses_what_the_unit_cannot_write(
    codes: list[int], address: int, sizes: dict[str, int], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(text)}$"):
        plane_writes(codes, address, **{"planes": 2, "line_bits": 64, "width": WIDTH} | sizes)
