"""The register map: every register, bit, error, counter and bank is there, with a text of its own."""

import re

from spinplane.hdl.export.register_map import (
    CONTROL_TEXTS,
    COUNTER_TEXTS,
    ERROR_TEXTS,
    STATUS_TEXTS,
    bank_rows,
    counter_rows,
    register_rows,
    register_table,
)
from spinplane.machine import load_machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.memory_map import MemoryMap, region_address
from spinplane.machine.registers import Control, Error, Register, Status, counter_address, log_address

TINY = load_machine("tiny")


def test_nothing_is_left_out() -> None:
    assert [(row.name, row.address) for row in register_rows(TINY)] == [(r.name, r.value) for r in Register]
    assert [row.address for row in counter_rows()] == [counter_address(n) for n in ACCELERATOR_COUNTER_NAMES]
    assert list(CONTROL_TEXTS) == list(Control)
    assert list(STATUS_TEXTS) == list(Status)
    assert list(ERROR_TEXTS) == list(Error)
    assert list(COUNTER_TEXTS) == list(ACCELERATOR_COUNTER_NAMES)
    banks = MemoryMap.of(TINY).banks
    assert [(row.name, row.address, row.words, row.width, row.size) for row in bank_rows(TINY)] == [
        (name, region_address(name), bank.words, bank.width, bank.size) for name, bank in banks.items()
    ]


def test_texts_differ() -> None:
    texts = [*CONTROL_TEXTS.values(), *STATUS_TEXTS.values(), *ERROR_TEXTS.values(), *COUNTER_TEXTS.values()]
    texts += [row.text for row in [*register_rows(TINY), *bank_rows(TINY)]]
    assert len(set(texts)) == len(texts)


def test_the_table_has_a_line_for_each() -> None:
    table = register_table(TINY)
    for row in [*register_rows(TINY), *counter_rows()]:
        assert (
            f"\n| 0x{row.address:03x} | {row.name} | {row.access} | 0x{row.reset:x} | {row.text} |\n" in table
        )
    for error in Error:
        assert f"\n| {error.value} | {error.name} | {ERROR_TEXTS[error]} |\n" in table
    assert "bit 0 START: start the program" in table
    assert "bit 1 DONE: a program has ended, write 1 to clear it" in table


def test_the_table_tells_where_the_log_is() -> None:
    found = re.search(r"0 ≤ d ≤ (\d+): .* a \+ (0x\w+) \+ (0x\w+)·d", register_table(TINY))
    assert found is not None
    last, base, stride = int(found[1]), int(found[2], 0), int(found[3], 0)
    assert last == TINY.descriptors - 1
    assert counter_address("cycles") + base + stride * last == log_address(last, "cycles")


def test_every_table_is_one() -> None:
    """Lines of a table have as many cells as its headings."""
    width = 0
    for line in register_table(TINY).splitlines():
        cells = line.count("|")
        if cells:
            assert width in (0, cells)
        width = cells
