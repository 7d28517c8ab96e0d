import numpy as np
import pytest

from spinplane.behavioral.host.axi_banks import Address, AxiBanks
from spinplane.machine.memory_map import (
    REGION_BYTES,
    REGIONS,
    BankSize,
    Burst,
    MemoryMap,
    Response,
    region_address,
)

OKAY, SLVERR, DECERR = Response.OKAY, Response.SLVERR, Response.DECERR
MEMORY = MemoryMap(bus_bits=32, **{region: BankSize(words=3, width=64) for region in REGIONS})
FULL = 2  # log2 of the bytes of a beat


def beats(count: int, first: int = 1) -> np.ndarray:
    return np.arange(first, first + 4 * count, dtype=np.uint8).reshape(count, 4)


def all_strobes(count: int) -> np.ndarray:
    return np.ones((count, 4), dtype=bool)


def is_untouched(model: AxiBanks) -> bool:
    return not any(bank.any() for bank in model.banks.values())


@pytest.mark.parametrize("region", REGIONS)
def test_a_burst_lies_in_order_from_the_lowest_byte_on(region: str) -> None:
    model = AxiBanks(MEMORY)
    where = Address(region_address(region) + 8, 2, FULL)
    assert model.write(where, beats(3), all_strobes(3)) == OKAY
    assert model.banks.pop(region).tolist() == [0] * 8 + list(range(1, 13)) + [0] * 4
    assert is_untouched(model)


def test_reads_what_was_written() -> None:
    model = AxiBanks(MEMORY)
    where = Address(region_address("kernel"), 5, FULL)
    model.write(where, beats(6), all_strobes(6))
    assert [(data.tolist(), answer) for data, answer in model.read(where)] == [
        (data.tolist(), OKAY) for data in beats(6)
    ]


def test_strobes_and_an_address_within_a_beat() -> None:
    model = AxiBanks(MEMORY)
    strobes = np.array([[False, False, True, True]])
    assert model.write(Address(6, 0, FULL), beats(1), strobes) == OKAY
    assert model.banks["image"][:12].tolist() == [0] * 6 + [3, 4] + [0] * 4


def test_beats_beyond_a_bank() -> None:
    model = AxiBanks(MEMORY)
    where = Address(region_address("program") + 16, 3, FULL)
    assert model.write(where, beats(4), all_strobes(4)) == DECERR
    assert model.banks["program"].tolist() == [0] * 16 + list(range(1, 9))
    assert [answer for _, answer in model.read(where)] == [OKAY, OKAY, DECERR, DECERR]


def test_a_burst_does_not_run_on_into_the_next_bank() -> None:
    model = AxiBanks(MEMORY)
    where = Address(REGION_BYTES - 4, 1, FULL)
    assert model.write(where, beats(2), all_strobes(2)) == DECERR
    assert is_untouched(model)


@pytest.mark.parametrize(
    "where",
    [
        Address(0, 1, FULL, Burst.FIXED),
        Address(0, 1, FULL, Burst.WRAP),
        Address(0, 1, FULL, 3),
        Address(0, 1, FULL - 1),
        Address(1 << 31 | 1 << 29, 1, FULL - 1),
    ],
)
def test_refused_bursts(where: Address) -> None:
    model = AxiBanks(MEMORY)
    assert model.write(where, beats(2), all_strobes(2)) == SLVERR
    assert is_untouched(model)
    model.banks["image"][:] = 1
    assert [(data.any(), answer) for data, answer in model.read(where)] == [(False, SLVERR)] * 2


def test_addresses_without_a_bank() -> None:
    model = AxiBanks(MEMORY)
    for address in (24, len(REGIONS) * REGION_BYTES, (1 << 32) - 4):
        assert model.write(Address(address, 0, FULL), beats(1), all_strobes(1), [True]) == DECERR
        assert [answer for _, answer in model.read(Address(address, 0, FULL))] == [DECERR]
    assert is_untouched(model)


def test_beats_that_meet_busy() -> None:
    model = AxiBanks(MEMORY)
    where = Address(0, 2, FULL)
    assert model.write(where, beats(3), all_strobes(3), [False, True, False]) == SLVERR
    assert model.banks["image"].tolist() == [1, 2, 3, 4, 0, 0, 0, 0, 9, 10, 11, 12] + [0] * 12
    answers = model.read(where, [True, False, False])
    assert [(data.tolist(), answer) for data, answer in answers] == [
        ([0] * 4, SLVERR),
        ([0] * 4, OKAY),
        ([9, 10, 11, 12], OKAY),
    ]


@pytest.mark.parametrize(("length", "written"), [(2, 2), (0, 1)])
def test_a_wrong_number_of_beats(length: int, written: int) -> None:
    model = AxiBanks(MEMORY)
    assert model.write(Address(0, length, FULL), beats(2), all_strobes(2)) == SLVERR
    assert model.banks["image"].astype(bool).sum() == 4 * written
