"""The codec: what a descriptor means comes back from its words, and nothing goes in that does not fit."""

from dataclasses import fields, replace
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.codec import (
    PASS_FIELDS,
    End,
    FieldError,
    Header,
    KindError,
    UnitError,
    decode,
    encode,
    largest,
    raw_words,
)
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS, DESCRIPTOR_WORDS, FIELD_INDEX, Holds, Load
from spinplane.machine.memory_operation import MemoryOperation, RowOperation, row_operations
from spinplane.machine.passes import Pass
from spinplane.machine.registers import machine_digest
from spinplane.machine.timing import LOOKUP_CYCLES, MULTIPLY_CYCLES

#: Eight lanes share a multiplier.
PAPER = replace(load_machine("paper"), multipliers=2)
LEAST = Pass(machine=PAPER, first_lines=1, first_columns=1, interval=1)
#: The same as words.
HELD = {"kind": 1, "first_lines": 1, "first_columns": 1, "interval": 1}
#: Cycles that are enough for everything.
AMPLE = {"interval": 127}


def test_every_field_of_a_pass_has_a_word() -> None:
    meant = [field.meant for field in DESCRIPTOR_FIELDS]
    assert len(set(meant)) == len(meant)
    assert set(meant) - {field.name for field in fields(Pass)} == {"kind", "version", "tag", "operation"}
    assert {field.name for field in fields(Pass)} - {"machine"} == {field.meant for field in PASS_FIELDS}


@given(st.data())
def test_a_pass_is_read_as_it_was_written(data: st.DataObject) -> None:
    numbers: dict[str, object] = {}
    for field in PASS_FIELDS:
        default = getattr(LEAST, field.meant)
        if isinstance(default, Enum):
            numbers[field.meant] = data.draw(st.sampled_from(list(type(default))))
        elif isinstance(default, bool):
            numbers[field.meant] = data.draw(st.booleans())
        elif field.holds is Holds.NUMBER:
            numbers[field.meant] = data.draw(st.integers(field.smallest, field.largest))
        elif field.holds is Holds.LESS_ONE:
            numbers[field.meant] = data.draw(st.integers(1, field.largest + 1))
        else:
            numbers[field.meant] = 1 << data.draw(st.integers(0, field.largest))
    drawn = replace(LEAST, **numbers)  # type: ignore[arg-type]
    words = encode(drawn)
    assert words.dtype == np.uint32
    for field in PASS_FIELDS:
        word = words[FIELD_INDEX[field.name]]
        meant = getattr(drawn, field.meant)
        number = meant.value if isinstance(meant, Enum) else int(meant)
        held = {
            Holds.NUMBER: number,
            Holds.LESS_ONE: number - 1,
            Holds.LOGARITHM: int(np.log2(max(number, 1))),
        }
        assert word == held[field.holds] % 2**32
    assert _decoded(words) in (drawn, "refused")


def _decoded(words: np.ndarray) -> object:
    """A pass, or that it asks for what no unit of `paper` does."""
    try:
        return decode(words, PAPER)
    except FieldError:
        return "refused"


@given(st.data())
def test_raw_words_hold_what_they_are_given(data: st.DataObject) -> None:
    held = {f.name: data.draw(st.integers(f.smallest, f.largest)) for f in DESCRIPTOR_FIELDS}
    words = raw_words(**held)
    assert words.shape == (DESCRIPTOR_WORDS,)
    assert words.dtype == np.uint32
    assert words.tolist()[: len(held)] == [value % 2**32 for value in held.values()]


def test_the_least_pass_header_and_end_come_back() -> None:
    header = Header(machine=machine_digest(PAPER), tag=7)
    for descriptor in (LEAST, header, End()):
        assert decode(encode(descriptor), PAPER) == descriptor


def test_the_largest_number_of_a_field_is_the_one_that_fits() -> None:
    for field in PASS_FIELDS:
        if isinstance(getattr(LEAST, field.meant), Enum):
            continue
        most = largest(field.meant)
        encode(replace(LEAST, **{field.meant: most}))  # type: ignore[arg-type]
        with pytest.raises(SpinplaneError, match=f"^descriptor field {field.meant} = {most + 1}: must be"):
            encode(replace(LEAST, **{field.meant: most + 1}))  # type: ignore[arg-type]


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(
        SpinplaneError, match=r"^descriptor field start_y = 32768: must be a whole number from -32768"
    ):
        encode(replace(LEAST, start_y=32768))
    with pytest.raises(
        SpinplaneError,
        match=r"^descriptor field kernel_tiles = 4097: must be a whole number from 1 to 4096$",
    ):
        encode(replace(LEAST, kernel_tiles=4097))
    for slots in (0, 3, 16):
        with pytest.raises(
            SpinplaneError,
            match=rf"^descriptor field slots = {slots}: must be a power of two from 1 to 8$",
        ):
            encode(replace(LEAST, slots=slots))
    with pytest.raises(SpinplaneError, match=r"^a descriptor has no field 'colour'$"):
        raw_words(colour=1)


#: Words, besides those of the least pass, and the first of them that no unit of `paper` obeys.
REFUSED: list[tuple[dict[str, int], str]] = [
    ({"plane_groups": 7, "log_planes": 1}, "plane_groups"),
    ({"log_slots": 3}, "log_slots"),
    ({"log_slots": 2, "log_planes": 3}, "log_planes"),
    ({"length": 256}, "length"),
    ({"log_slots": 1, "log_planes": 1, "length": 64}, "length"),
    ({"in_bytes": 1, "length": 32}, "length"),
    ({"in_bytes": 1, "spread": 1, "length": 32}, "spread"),
    ({"spread": 1, "log_slots": 1, "log_planes": 1, "length": 127}, ""),
    ({"spread": 1, "log_slots": 1, "log_planes": 1, "length": 128}, "length"),
    ({"last_length": 256}, "last_length"),
    ({"first_lines": 0, "rounding": 9}, "first_lines"),
    ({"first_columns": 0}, "first_columns"),
    ({"log_clusters": 3}, "log_clusters"),
    ({"log_clusters_x": 1}, "log_clusters_x"),
    ({"sub_arrays": 32}, "sub_arrays"),
    ({"log_clusters": 2, "last_sub_arrays": 8}, "last_sub_arrays"),
    ({"load_sub_arrays": 32}, "load_sub_arrays"),
    ({"load": 3}, "load"),
    ({"interval": 0}, "interval"),
    ({"interval": 2, "out_planes": 1}, ""),
    ({"interval": 2, "out_planes": 2}, "interval"),
    ({"interval": 1, "raw": 1}, "interval"),
    ({"interval": 4 * LOOKUP_CYCLES - 2, "search_reads": 3, "table": 1}, "interval"),
    ({"interval": 7, "multiplies": 1}, "interval"),
    ({"interval": 15, "multiplies": 1, "residual": 1}, "interval"),
    # Its reads alone, before the residual is refused for want of products.
    ({"interval": 4, "residual": 1, "residual_planes": 4}, "interval"),
    ({"interval": 5, "residual": 1, "residual_planes": 4}, "residual"),
    ({"interval": 18, "multiplies": 1, "residual": 1, "residual_planes": 3}, "interval"),
    ({"interval": 19, "multiplies": 1, "residual": 1, "residual_planes": 3}, ""),
    ({"interval": MULTIPLY_CYCLES + 9, "multiplies": 1, "own_code": 1}, "interval"),
    ({"interval": MULTIPLY_CYCLES + 10, "multiplies": 1, "own_code": 1}, ""),
    ({"interval": LOOKUP_CYCLES + 7, "multiplies": 1, "search_reads": 1}, "interval"),
    ({"interval": LOOKUP_CYCLES + 8, "multiplies": 1, "search_reads": 1}, ""),
    ({"pool": 3}, "pool"),
    ({"float_scale": 1}, "float_scale"),
    ({"rounding": 9}, "rounding"),
    ({"search_reads": 5} | AMPLE, "search_reads"),
    ({"residual": 1}, "residual"),
    ({"own_code": 1}, "own_code"),
    ({"own_rounding": 9}, "own_rounding"),
    ({"multiplies_total": 1}, "multiplies_total"),
    ({"multiplies": 1, "multiplies_total": 1} | AMPLE, "multiplies_total"),
    ({"total_low": 1}, "total_high"),
    ({"raw": 1, "search_reads": 1} | AMPLE, "raw"),
    ({"raw": 1, "table": 1} | AMPLE, "raw"),
    ({"multiplies": 1, "float_scale": 1, "residual": 1, "own_code": 1, "multiplies_total": 1} | AMPLE, ""),
]


@pytest.mark.parametrize(("held", "word"), REFUSED)
def test_the_first_word_that_no_unit_obeys_is_named(held: dict[str, int], word: str) -> None:
    words = raw_words(**HELD | held)
    if not word:
        assert isinstance(decode(words, PAPER), Pass)
        return
    with pytest.raises(UnitError, match="no unit of machine paper does this") as caught:
        decode(words, PAPER)
    assert DESCRIPTOR_FIELDS[caught.value.word].name == word


def test_words_beyond_their_fields_and_kinds_that_do_not_exist_are_refused() -> None:
    words = encode(End())
    words[FIELD_INDEX["load"]] = 4
    with pytest.raises(
        FieldError, match=r"^descriptor field load = 4: must be a whole number from 0 to 3$"
    ) as caught:
        decode(words, PAPER)
    assert caught.value.word == FIELD_INDEX["load"]
    without = replace(PAPER, memory_operations=False)
    with pytest.raises(
        KindError, match=r"^descriptor field kind = 3: machine paper has no memory operations"
    ):
        decode(raw_words(kind=3), without)
    assert decode(encode(replace(LEAST, load=Load.ALWAYS)), PAPER) == replace(LEAST, load=Load.ALWAYS)


OPERATION = MemoryOperation(machine=PAPER, operation=RowOperation.AND)


@given(st.data())
def test_a_memory_operation_is_read_as_it_was_written(data: st.DataObject) -> None:
    first, last = sorted(data.draw(st.integers(0, PAPER.sub_arrays - 1)) for _ in range(2))
    machine = replace(PAPER, xor_sensing=data.draw(st.booleans()))
    kind = data.draw(st.sampled_from(row_operations(machine)))
    drawn = MemoryOperation(
        machine=machine,
        operation=kind,
        rows=data.draw(st.integers(1, 4096)),
        **{name: data.draw(st.integers(0, 4095)) for name in ("row_a", "row_b", "row_d")},
        first_sub_array=first,
        last_sub_array=last,
        kernel_word=data.draw(st.integers(0, 2**24 - 1)),
        masked=data.draw(st.booleans()),
        write_back=kind is not RowOperation.WRITE and data.draw(st.booleans()),
        store=kind is not RowOperation.WRITE and data.draw(st.booleans()),
        image_word=data.draw(st.integers(0, 2**32 - 1)),
    )
    assert decode(encode(drawn), machine) == drawn


def test_an_xor_is_an_and_that_subtracts() -> None:
    exclusive = replace(PAPER, xor_sensing=True)
    xor = replace(OPERATION, machine=exclusive, operation=RowOperation.XOR)
    words = encode(xor)
    changed = {name for name, index in FIELD_INDEX.items() if words[index] != encode(OPERATION)[index]}
    assert changed == {"subtracts"}
    # A machine without the option does not look at the word.
    assert decode(words, PAPER) == OPERATION
    for code in (RowOperation.WRITE, RowOperation.READ, RowOperation.OR):
        with pytest.raises(
            UnitError, match=r"^descriptor field subtracts = 1: no memory operation"
        ) as caught:
            decode(raw_words(kind=3, operation=code.value, subtracts=1), exclusive)
        assert caught.value.word == FIELD_INDEX["subtracts"]
    with pytest.raises(SpinplaneError, match=r"^XOR: machine paper does not sense it \(xor_sensing\)$"):
        encode(replace(xor, machine=PAPER))


def test_where_the_numbers_of_a_memory_operation_lie() -> None:
    words = encode(
        replace(
            OPERATION,
            rows=7,
            row_a=1,
            row_b=2,
            row_d=3,
            first_sub_array=4,
            last_sub_array=5,
            kernel_word=8,
            image_word=9,
            write_back=True,
        )
    )
    held = {name: int(words[index]) for name, index in FIELD_INDEX.items() if words[index]}
    assert held == {
        **{"kind": 3, "operation": 0b01010, "burst_rows": 6, "input_row": 1, "line_rows": 2, "kernel_row": 3},
        **{"load_sub_arrays": 4, "last_sub_arrays": 5, "load_base": 8, "out_base": 9},
    }


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        ({"last_sub_array": 32}, "last_sub_arrays"),
        ({"first_sub_array": 2, "last_sub_array": 1}, "load_sub_arrays"),
        ({"operation": RowOperation.WRITE, "store": True}, "operation"),
        ({"operation": RowOperation.WRITE, "write_back": True}, "operation"),
        ({"operation": RowOperation.WRITE, "store": True, "first_sub_array": 1}, "load_sub_arrays"),
    ],
)
def test_memory_operations_that_no_sub_array_obeys(numbers: dict[str, Any], word: str) -> None:
    with pytest.raises(
        UnitError, match=rf"^descriptor field {word} = \d+: no memory operation of machine paper"
    ) as e:
        decode(encode(replace(OPERATION, **numbers)), PAPER)
    assert e.value.word == FIELD_INDEX[word]


def test_numbers_of_a_memory_operation_that_no_word_holds() -> None:
    with pytest.raises(SpinplaneError, match=r"^descriptor field input_row = 4096: must be a whole number"):
        encode(replace(OPERATION, row_a=4096))
    with pytest.raises(
        SpinplaneError, match=r"^descriptor field burst_rows = 0: must be a whole number from 1"
    ):
        encode(replace(OPERATION, rows=0))
