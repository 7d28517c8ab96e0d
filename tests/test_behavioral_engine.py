"""The functional machine, command by command, by hand."""

import re
from typing import Any

import numpy as np
import pytest

from spinplane.behavioral import ArrayError, Engine, EngineRun
from spinplane.machine import Counters, Machine, Op, Program, command_dtype

MACHINE = Machine(name="hand", sub_arrays=2, rows=16, columns=32, segments=2, accumulator_bits=16)
BOTH = {"first": 0, "last": 1}
ALL = {**BOTH, "length": 31}


class Script:
    """Commands, with the rows of those that write."""

    def __init__(self) -> None:
        self._commands: list[np.ndarray] = []
        self._rows: list[list[int]] = []
        self._masks: list[list[int]] = []

    def write(self, row_d: int, ones: Any = (), columns: Any = range(32), **fields: int) -> "Script":
        """Write 1 into the columns `ones` and 0 into the others of `columns`."""
        self._rows.append([int(column in ones) for column in range(32)])
        self._masks.append([int(column in columns) for column in range(32)])
        return self.do(Op.WRITE, row_d=row_d, **BOTH | fields)

    def do(self, op: Op, **fields: int) -> "Script":
        command = np.zeros(1, dtype=command_dtype(MACHINE))
        command["op"] = op.value
        for name, value in fields.items():
            command[name] = value
        self._commands.append(command)
        return self

    def run(self, engine: Engine) -> EngineRun:
        program = Program(
            machine=MACHINE,
            commands=np.concatenate(self._commands),
            rows=np.array(self._rows, np.uint8).reshape(-1, 32),
            masks=np.array(self._masks, np.uint8).reshape(-1, 32),
        )
        return engine.run(program)


@pytest.fixture
def engine() -> Engine:
    """Row 0 holds ones in columns 0 to 19, row 1 in even columns, rows 2 and 3 hold 0 and all ones."""
    engine = Engine(MACHINE)
    Script().write(0, range(20)).write(1, range(0, 32, 2)).write(2).write(3, range(32)).run(engine)
    return engine


def columns_of(row: np.ndarray) -> list[int]:
    return np.flatnonzero(row).tolist()


def test_rows_leave_sub_array_by_sub_array(engine: Engine) -> None:
    script = Script().write(4, [5], first=0, last=0).write(4, [6], first=1, last=1)
    run = script.do(Op.READ, row_a=4, emit=1, **ALL).do(Op.READ, row_a=4, emit=1, first=1, last=1).run(engine)
    assert [columns_of(row) for row in run.rows] == [[5], [6], []]
    assert run.results.size == 0


def test_and_or_and_the_length_of_a_row(engine: Engine) -> None:
    run = (
        Script()
        .do(Op.AND, row_a=0, row_b=1, emit=1, length=31)
        .do(Op.OR, row_a=1, row_b=2, emit=1, length=4)
        .do(Op.READ, row_a=3, emit=1, length=2, log_slots=1)
        .do(Op.READ, row_a=3, length=2)
        .run(engine)
    )
    assert [columns_of(row) for row in run.rows] == [list(range(0, 20, 2)), [0, 2, 4], [0, 1, 2, 16, 17, 18]]


def test_write_back_stores_the_sensed_columns_alone(engine: Engine) -> None:
    script = Script().do(Op.OR, row_a=2, row_b=1, row_d=3, length=3, write_back=1, **BOTH)
    run = script.do(Op.READ, row_a=3, emit=1, length=31).run(engine)
    assert columns_of(run.rows[0]) == [0, 2, *range(4, 32)]
    assert run.counters.row_writes == 2


def test_counts_in_total_and_by_segment(engine: Engine) -> None:
    run = (
        Script()
        .do(Op.COUNT, row_a=0, clear=1, emit=1, **ALL)
        .do(Op.COUNT, row_a=0, clear=1, emit=1, log_slots=1, **ALL)
        .do(Op.DOT, row_a=0, row_b=1, clear=1, emit=1, log_slots=1, length=15)
        .do(Op.COUNT, row_a=0, clear=1, emit=1, log_slots=1, length=1)
        .run(engine)
    )
    assert run.results.tolist() == [20, 20, 16, 4, 16, 4, 8, 2, 2, 2]
    assert (run.counters.bit_counts, run.counters.shifts, run.counters.additions) == (6, 10, 10)


def test_signs_shifts_and_what_is_kept(engine: Engine) -> None:
    """Rows 0 and 1 as the planes of a number: 20 + 2·16, or 20 − 2·16 in two's complement."""
    run = (
        Script()
        .do(Op.COUNT, row_a=0, planes_a=1, clear=1, emit=1, length=31)
        .do(Op.COUNT, row_a=0, planes_a=1, signed_a=1, emit=1, length=31)
        .do(Op.COUNT, row_a=0, planes_a=1, signed_a=1, negate=1, shift=3, emit=1, length=31)
        .run(engine)
    )
    assert run.results.tolist() == [52, 52 - 12, 52 - 12 + 8 * 12]


def test_a_dot_product_of_planes_and_tiles(engine: Engine) -> None:
    """2 planes of 2 tiles each: rows 0, 1 and 2, 3 against rows 4, 5 and 6, 7, whose last tile ends early."""
    script = Script().write(4, range(32)).write(5, range(32)).write(6).write(7, range(32))
    script.do(
        Op.DOT,
        **{"row_a": 0, "row_b": 4, "planes_a": 1, "planes_b": 1, "tiles": 1, "length": 9},
        **{"signed_b": 1, "clear": 1, "emit": 1, "last": 1},
    )
    run = script.run(engine)
    plane_a = [20 + 5, 0 + 10]  # row 0 with 5 of row 1; row 2 with 10 of row 3
    tile_1 = [5, 10]
    expected = sum(2**m * plane_a[m] - 2 ** (m + 1) * tile_1[m] for m in range(2))
    assert run.results.tolist() == [expected, expected]
    assert run.counters.ands == 2 * 8


def test_load_takes_twos_complement_constants(engine: Engine) -> None:
    script = Script().write(8, [*range(1, 16), 16, 18])  # −2 and 5
    script.do(Op.LOAD, row_a=8, log_slots=1, **ALL).do(Op.COUNT, row_a=2, log_slots=1, emit=1, **ALL)
    script.do(Op.LOAD, row_a=8, length=3, log_slots=1).do(Op.COUNT, row_a=2, log_slots=1, emit=1, length=31)
    run = script.run(engine)
    assert run.results.tolist() == [-2, 5, -2, 5, 0b1110, 5]
    assert run.counters.row_reads == 2 + 2 + 1 + 1


def test_load_leaves_0_where_there_is_no_slot(engine: Engine) -> None:
    script = Script().do(Op.COUNT, row_a=3, log_slots=1, clear=1, **ALL).write(8, [1, 18])
    run = script.do(Op.LOAD, row_a=8, **ALL).do(Op.COUNT, row_a=2, log_slots=1, emit=1, length=31).run(engine)
    assert run.results.tolist() == [2, 0]


def test_accumulators_and_cells_persist(engine: Engine) -> None:
    Script().do(Op.COUNT, row_a=0, clear=1, **ALL).run(engine)
    assert Script().do(Op.COUNT, row_a=1, emit=1, length=31).run(engine).results.tolist() == [36]
    assert Engine(MACHINE).array.written.sum() == 0


@pytest.mark.parametrize(
    ("script", "cycles"),
    [
        # A command is accepted in a cycle of its own and its pulse follows.
        (Script().write(0), 1 + 2),
        (Script().write(0).write(1), 1 + 2 + 2),
        (Script().do(Op.READ, row_a=0), 1 + 1),
        # One row a cycle leaves, from the cycle after the sense.
        (Script().do(Op.READ, row_a=0, emit=1, **ALL), 1 + 1 + 2),
        (Script().do(Op.READ, row_a=0, row_d=9, write_back=1), 1 + 1 + 2),
        # Through sense amplifiers, bit-counter and sum, to the result.
        (Script().do(Op.COUNT, row_a=0, length=31), 1 + 1 + 2),
        (Script().do(Op.COUNT, row_a=0, emit=1, length=31), 1 + 1 + 2 + 1),
        (Script().do(Op.COUNT, row_a=0, emit=1, log_slots=1, **ALL), 1 + 1 + 2 + 2),
        (Script().do(Op.DOT, row_a=0, row_b=2, planes_a=1, planes_b=1, emit=1, length=31), 1 + 4 + 2 + 1),
    ],
)
def test_cycles(engine: Engine, script: Script, cycles: int) -> None:
    counters = script.run(engine).counters
    assert (counters.cycles, counters.stalled) == (cycles, 0)
    assert type(counters.cycles) is type(counters.stalled) is int


def test_stalls_where_results_leave_more_slowly_than_they_come(engine: Engine) -> None:
    """Two results of each of two sub-arrays are two beats of two."""
    script = Script()
    for _ in range(8):
        script.do(Op.COUNT, row_a=0, log_slots=1, emit=1, **ALL)
    counters = script.run(engine).counters
    assert counters.cycles == 1 + 1 + 2 + 8 * 2
    assert counters.stalled > 0


@pytest.mark.parametrize(("log_slots", "tiles"), [(0, 1), (1, 2)])
def test_results_that_leave_as_fast_as_they_come_hold_nothing_up(
    engine: Engine, log_slots: int, tiles: int
) -> None:
    script = Script()
    for _ in range(8):
        script.do(Op.COUNT, row_a=0, log_slots=log_slots, tiles=tiles - 1, clear=1, emit=1, **ALL)
    counters = script.run(engine).counters
    assert (counters.cycles, counters.stalled) == (1 + 8 * tiles + 2 + tiles, 0)


# Four sub-arrays on two buses, two results a cycle; a row has four sub-blocks.
FOUR = Machine(
    name="four",
    sub_arrays=4,
    rows=8,
    columns=64,
    segments=4,
    accumulator_bits=16,
    row_buses=2,
    results_per_cycle=2,
)


def run_on_four(rows: list[list[range]], commands: list[dict[str, int]]) -> EngineRun:
    """Write rows, each with the columns of ones on both buses, and obey what follows."""
    bits = np.array([[[c in ones for c in range(64)] for ones in buses] for buses in rows], np.uint8)
    array = np.zeros(len(rows) + len(commands), command_dtype(FOUR))
    array["op"][: len(rows)], array["row_d"][: len(rows)] = Op.WRITE.value, range(len(rows))
    array["last"][: len(rows)] = 3
    array["length"], array["clear"], array["emit"] = 63, 1, 1
    for command, fields in zip(array[len(rows) :], commands, strict=True):
        for name, value in fields.items():
            command[name] = value
    masks = np.ones((len(rows), 64), np.uint8)
    return Engine(FOUR).run(Program(machine=FOUR, commands=array, rows=bits, masks=masks))


def test_each_bus_brings_a_row_to_its_sub_arrays() -> None:
    run = run_on_four([[range(3), range(5, 7)]], [{"op": Op.READ.value, "last": 3}])
    assert [columns_of(row) for row in run.rows] == [[0, 1, 2], [0, 1, 2], [5, 6], [5, 6]]


def test_groups_give_their_results_one_after_the_other() -> None:
    count, both = {"op": Op.COUNT.value, "first": 1, "last": 1}, {"op": Op.COUNT.value, "last": 1}
    rows = [[range(3), range(30, 41)]]
    run = run_on_four(rows, [count | {"log_groups": 1}, both | {"log_groups": 1, "log_slots": 1}])
    assert run.results.tolist() == [3, 11] + [3, 0] * 2 + [2, 9] * 2
    assert (run.counters.bit_counts, run.counters.additions) == (2 + 4, 2 + 8)
    run = run_on_four(rows, [{"op": Op.READ.value, "first": 1, "last": 1, "log_groups": 1}])
    assert [len(columns_of(row)) for row in run.rows] == [3, 11]


@pytest.mark.parametrize(
    ("fields", "beats"),
    [
        ({"last": 3}, 2),
        ({"first": 1, "last": 2}, 2),
        ({"first": 2, "last": 2}, 1),
        ({"last": 3, "log_slots": 2}, 8),
        ({"first": 1, "last": 1, "log_slots": 1, "log_groups": 1}, 2),
        # A group of one sub-array has less than a beat.
        ({"log_groups": 2}, 4),
    ],
)
def test_results_leave_in_beats(fields: dict[str, int], beats: int) -> None:
    rows = [[range(3), range(3)]]
    count = {"op": Op.COUNT.value, **fields}
    cycles = run_on_four(rows, [count]).counters.cycles
    assert cycles == run_on_four(rows, [count | {"emit": 0}]).counters.cycles + beats


def test_planes_side_by_side_weigh_by_their_number() -> None:
    """Ones in 1, 2, 3 and 4 columns of the four sub-blocks."""
    ones = [0, 16, 17, 32, 33, 34, *range(48, 52)]
    count = {"op": Op.COUNT.value}
    modes = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)]
    run = run_on_four([[ones, ones]], [count | {"log_slots": s, "log_planes": p} for s, p in modes])  # type: ignore[list-item]
    assert run.results.tolist() == [
        *(10, 3 + 2 * 7, 1 + 2 * 2 + 4 * 3 + 8 * 4),
        *(3, 7, 1 + 2 * 2, 3 + 2 * 4),
        *(1, 2, 3, 4),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"log_groups": 3}, "8 groups: 4 sub-arrays cannot be divided among them"),
        ({"log_groups": 1, "last": 2}, "sub-arrays 0 to 2: a group has sub-arrays 0 to 1"),
        ({"first": 2, "last": 1}, "sub-arrays 2 to 1: a group has sub-arrays 0 to 3"),
        ({"log_slots": 3}, "8 slots: a row has 4 at most (segments)"),
        ({"log_slots": 1, "log_planes": 2}, "2 slots of 4 planes: a row has 4 sub-blocks of 16 columns"),
    ],
)
def test_refuses_what_the_machine_does_not_have(fields: dict[str, int], text: str) -> None:
    with pytest.raises(ArrayError, match=f"^{re.escape(text)}$"):
        run_on_four([[range(3), range(3)]], [{"op": Op.COUNT.value, **fields}])


def test_an_empty_program(engine: Engine) -> None:
    run = Engine(MACHINE).run(
        Program(
            machine=MACHINE,
            commands=np.zeros(0, command_dtype(MACHINE)),
            rows=np.zeros((0, 32), np.uint8),
            masks=np.zeros((0, 32), np.uint8),
        )
    )
    assert run.counters == Counters()
    assert (run.results.shape, run.rows.shape) == ((0,), (0, 32))


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            Script().do(Op.READ, row_a=9, length=0),
            "EN_M senses an unknown cell: sub-array 0, row 9, column 0 was never written",
        ),
        (
            Script().do(Op.DOT, row_a=3, row_b=8, first=1, last=1, length=31),
            "EN_AND senses an unknown cell: sub-array 1, rows 3 and 8, column 0 was never written",
        ),
        (Script().do(Op.OR, row_a=1, row_b=1), "EN_OR senses two different rows, not row 1 alone"),
        (Script().do(Op.COUNT, row_a=15, tiles=1), "row 16 does not exist: the array has rows 0 to 15"),
    ],
)
def test_refuses_what_the_array_refuses(engine: Engine, script: Script, text: str) -> None:
    with pytest.raises(ArrayError, match=f"^{re.escape(text)}$"):
        script.run(engine)


def test_refuses_to_hand_out_what_an_accumulator_cannot_hold(engine: Engine) -> None:
    script = Script().do(Op.COUNT, row_a=3, shift=10, clear=1, emit=1, length=31)
    with pytest.raises(OverflowError, match=r"^accumulator 32768 does not fit in 16 bits$"):
        script.run(engine)
    script = Script().do(Op.COUNT, row_a=3, shift=10, clear=1, negate=1, emit=1, length=31)
    assert script.run(engine).results.tolist() == [-32768]
