"""Fields of a command, and the word that they are packed into."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.hdl import command_layout
from spinplane.machine import (
    Machine,
    Op,
    bits_for,
    command_dtype,
    command_fields,
    load_machine,
    machine_names,
    operations,
    pack_commands,
)
from spinplane.sim.packing import unpack

TINY = load_machine("tiny")


@pytest.mark.parametrize(("largest", "bits"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (255, 8), (256, 9)])
def test_bits_for(largest: int, bits: int) -> None:
    assert bits_for(largest) == bits


def test_fields_of_tiny() -> None:
    assert list(command_fields(TINY).items()) == [
        ("op", 3),
        *(("first", 1), ("last", 1)),
        *(("row_a", 6), ("row_b", 6), ("row_d", 6)),
        *(("tiles", 6), ("log_slots", 2), ("log_planes", 2), ("log_clusters", 2)),
        *(("spread", 1), ("shift", 4), ("subtract", 1), ("clear", 1), ("emit", 1), ("write_back", 1)),
    ]


def test_a_machine_has_fields_for_what_it_is_sent() -> None:
    without = replace(TINY, memory_operations=False)
    assert operations(TINY) == (Op.WRITE, Op.DOT, Op.READ, Op.AND, Op.OR)
    assert operations(without) == (Op.WRITE, Op.DOT)
    assert operations(replace(TINY, xor_sensing=True)) == (*operations(TINY), Op.XOR)
    assert command_fields(replace(TINY, xor_sensing=True)) == command_fields(TINY)
    assert operations(replace(TINY, write_overlap="same_array")) == (Op.DOT, Op.READ, Op.AND, Op.OR)
    assert command_fields(without)["op"] == 1
    assert "write_back" not in command_fields(without)


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_has_a_command_that_int16_holds(name: str) -> None:
    machine = load_machine(name)
    assert command_dtype(machine).names == tuple(command_fields(machine))
    assert max(command_fields(machine).values()) < 16


def test_the_largest_machine_has_a_command_that_int16_holds() -> None:
    machine = Machine(name="most", sub_arrays=256, rows=4096, columns=2048, segments=1)
    assert max(command_fields(machine).values()) == 12


@given(st.data())
def test_packs_as_the_hardware_lays_it_out(data: st.DataObject) -> None:
    commands = np.zeros(2, command_dtype(TINY))
    for name, width in command_fields(TINY).items():
        commands[name] = [data.draw(st.integers(0, 2**width - 1), name) for _ in range(2)]
    words = pack_commands(TINY, commands)
    for command, word in zip(commands, words, strict=True):
        assert unpack(command_layout(TINY), word) == {
            name: int(command[name]) for name in command.dtype.names
        }


def test_packs_the_first_field_lowest() -> None:
    commands = np.zeros(2, command_dtype(TINY))
    commands["op"], commands["write_back"] = [Op.OR.value, 0], [0, 1]
    assert pack_commands(TINY, commands) == [4, 1 << (sum(command_fields(TINY).values()) - 1)]
    assert pack_commands(TINY, commands[:0]) == []


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("row_a", 64, "command field row_a: 0 … 64 exceed 6 bits"),
        ("row_d", -1, "command field row_d: -1 … 0 exceed 6 bits"),
        ("first", 2, "command field first: 0 … 2 exceed 1 bits"),
        ("shift", 16, "command field shift: 0 … 16 exceed 4 bits"),
    ],
)
def test_refuses_what_does_not_fit(field: str, value: int, text: str) -> None:
    commands = np.zeros(2, command_dtype(TINY))
    commands[field][1] = value
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        pack_commands(TINY, commands)
