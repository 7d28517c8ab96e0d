"""Strings of bits in the banks of many images against single bits."""

import numpy as np
import pytest

from spinplane.behavioral.bit_strings import (
    BitStrings,
    CodeMap,
    ImageBanks,
    codes_of_planes,
    planes_of_codes,
)

BITS = 4096


def random_banks(rng: np.random.Generator, images: int = 3) -> tuple[ImageBanks, np.ndarray]:
    """Banks from bit 128 on, and their bits from bit 0 on."""
    bits = rng.integers(0, 2, BITS).astype(np.uint8)
    banks = ImageBanks(bits, 150, 3900, images)
    octets = banks.octets((0, BITS))
    octets[:, :-8] = rng.integers(0, 256, octets[:, :-8].shape)
    unpacked = np.unpackbits(octets[:, :-8], axis=1, bitorder="little")
    return banks, np.concatenate([np.zeros((images, banks.base), np.uint8), unpacked], axis=1)


@pytest.mark.parametrize("step", [1, 8, 16, 32, 64])
@pytest.mark.parametrize("length", [1, 5, 8, 16, 24, 64, 100])
def test_strings_are_read_and_written_from_any_bit_on(step: int, length: int) -> None:
    rng = np.random.default_rng(step * length)
    banks, bits = random_banks(rng)
    assert banks.base == 128
    # Apart from each other, so that each bit is written once.
    apart = -(-length // step) * step
    first = 192 + (rng.permutation(12)[:6] * (apart + step)).reshape(3, 2)
    strings = BitStrings(first, length, base=banks.base, size=banks.size)
    read = np.unpackbits(strings.read(banks.octets((0, BITS))), axis=-1, count=length, bitorder="little")
    places = first[..., np.newaxis] + np.arange(length)
    np.testing.assert_array_equal(read, bits[:, places])
    written = rng.integers(0, 2, read.shape).astype(np.uint8)
    strings.write(banks.octets((0, BITS)), np.packbits(written, axis=-1, bitorder="little"))
    bits[:, places] = written
    for image in range(3):
        stored = np.zeros(BITS, dtype=np.uint8)
        banks.store(stored, image)
        np.testing.assert_array_equal(stored[128:3904], bits[image, 128:3904])


def test_strings_that_do_not_exist_read_as_0() -> None:
    banks, bits = random_banks(np.random.default_rng(0))
    first = np.array([200, -40, 5000, 300])
    exists = np.array([True, False, False, True])
    strings = BitStrings(first, 8, base=banks.base, size=banks.size, exists=exists)
    read = np.unpackbits(strings.read(banks.octets((0, BITS))), axis=-1, bitorder="little")
    assert not read[:, 1:3].any()
    np.testing.assert_array_equal(read[:, 3], bits[:, 300:308])


@pytest.mark.parametrize("planes", range(1, 9))
def test_planes_and_codes_are_inverse(planes: int) -> None:
    codes = np.random.default_rng(planes).integers(0, 1 << planes, (2, 3, 21)).astype(np.uint8)
    of_planes = planes_of_codes(codes, planes)
    assert of_planes.shape == (2, 3, planes, 3)
    np.testing.assert_array_equal(codes_of_planes(of_planes)[..., :21], codes)
    bits = np.unpackbits(of_planes, axis=-1, count=21, bitorder="little")
    np.testing.assert_array_equal((bits << np.arange(planes)[:, np.newaxis]).sum(axis=-2), codes)


def code_map(base: int, *, elements: int = 16, strings: int = 4, planes: int = 3) -> CodeMap:
    first = base + np.arange(strings) * elements * planes
    return CodeMap(first, elements=elements, planes=planes, plane_bits=elements)


def test_a_map_becomes_bits_when_somebody_reads_bits() -> None:
    rng = np.random.default_rng(0)
    banks, _ = random_banks(rng)
    codes, others = rng.integers(0, 8, (2, 3, 4, 16)).astype(np.uint8)
    one, over_it = code_map(256), code_map(256 + 64)
    banks.write_map(one, codes)
    assert one.find(banks) is not None
    np.testing.assert_array_equal(code_map(256).read(banks), codes)
    # Half a string, and strings in another order.
    half = CodeMap(np.array([256 + 48 + 8, 256]), elements=8, planes=3, plane_bits=16)
    np.testing.assert_array_equal(half.read(banks), np.stack([codes[:, 1, 8:], codes[:, 0, :8]], axis=1))
    banks.octets((1024, 1100))
    assert one.find(banks) is not None
    banks.write_map(over_it, others)
    assert one.find(banks) is None
    found = one.read(banks)
    np.testing.assert_array_equal(found[:, 0], codes[:, 0])
    assert (found[:, 2:] != codes[:, 2:]).any()


@pytest.mark.parametrize(
    "other",
    [
        CodeMap(np.array([256]), elements=16, planes=2, plane_bits=16),
        CodeMap(np.array([256]), elements=16, planes=3, plane_bits=32),
        CodeMap(np.array([256]), elements=5, planes=3, plane_bits=16),
        CodeMap(np.array([257]), elements=16, planes=3, plane_bits=16),
        CodeMap(np.array([256 + 16]), elements=16, planes=3, plane_bits=16),
        CodeMap(np.array([240]), elements=16, planes=3, plane_bits=16),
        CodeMap(np.array([256, 1024]), elements=16, planes=3, plane_bits=16),
    ],
)
def test_what_are_no_strings_of_a_map_is_read_from_bits(other: CodeMap) -> None:
    rng = np.random.default_rng(1)
    banks, _ = random_banks(rng)
    codes = rng.integers(0, 8, (3, 4, 16)).astype(np.uint8)
    banks.write_map(code_map(256), codes)
    assert other.find(banks) is None
    read = other.read(banks)
    held = np.zeros(BITS, dtype=np.uint8)
    for image in range(3):
        banks.store(held, image)
        places = other.first[:, np.newaxis, np.newaxis] + np.arange(other.elements)[:, np.newaxis]
        planes = held[places + np.arange(other.planes) * other.plane_bits].astype(np.int64)
        np.testing.assert_array_equal(read[image], planes @ (1 << np.arange(other.planes)))
