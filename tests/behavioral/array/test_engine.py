"""The golden engine, command by command, by hand."""

import re
from typing import Any

import numpy as np
import pytest

from spinplane.behavioral import ArrayError, Engine, EngineRun
from spinplane.machine import CommandStream, Counters, Machine, Op, command_dtype

MACHINE = Machine(
    name="hand", sub_arrays=2, rows=16, columns=32, segments=2, accumulator_bits=16, memory_operations=True
)
BOTH = {"first": 0, "last": 1}


class Script:
    """Commands, with the rows of those that write."""

    def __init__(self) -> None:
        self._commands: list[np.ndarray] = []
        self._rows: list[list[int]] = []

    def write(self, row_d: int, ones: Any = (), **fields: int) -> "Script":
        """Write 1 into the columns `ones` and 0 into the others."""
        self._rows.append([int(column in ones) for column in range(32)])
        return self.do(Op.WRITE, row_d=row_d, **BOTH | fields)

    def do(self, op: Op, **fields: int) -> "Script":
        command = np.zeros(1, dtype=command_dtype(MACHINE))
        command["op"] = op.value
        for name, value in fields.items():
            command[name] = value
        self._commands.append(command)
        return self

    def run(self, engine: Engine, columns: Any = range(32)) -> EngineRun:
        """Run it with these columns alone."""
        program = CommandStream(
            machine=MACHINE,
            commands=np.concatenate(self._commands),
            rows=np.array(self._rows, np.uint8).reshape(-1, 32),
            columns=np.array([int(column in columns) for column in range(32)], np.uint8),
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


def test_rows_are_seen_sub_array_by_sub_array(engine: Engine) -> None:
    script = Script().write(4, [5], first=0, last=0).write(4, [6], first=1, last=1)
    run = script.do(Op.READ, row_a=4, **BOTH).do(Op.READ, row_a=4, first=1, last=1).run(engine)
    assert [columns_of(row) for row in run.rows] == [[5], [6], [6]]
    assert run.results.size == 0


def test_read_and_or(engine: Engine) -> None:
    script = Script().do(Op.AND, row_a=0, row_b=1).do(Op.OR, row_a=1, row_b=2).do(Op.READ, row_a=3)
    run = script.run(engine)
    assert [columns_of(row) for row in run.rows] == [[*range(0, 20, 2)], [*range(0, 32, 2)], [*range(32)]]
    assert (run.counters.ands, run.counters.ors, run.counters.row_reads, run.counters.bit_counts) == (
        1,
        1,
        1,
        0,
    )


def test_columns_that_are_left_out_sense_0_and_stay_as_they_are(engine: Engine) -> None:
    script = Script().do(Op.OR, row_a=2, row_b=1, row_d=3, write_back=1, **BOTH)
    run = script.write(2, range(32)).run(engine, range(4))
    assert [columns_of(row) for row in run.rows] == [[0, 2]] * 2
    assert run.counters.row_writes == 4
    rows = Script().do(Op.READ, row_a=3).do(Op.READ, row_a=2).run(engine).rows
    assert [columns_of(row) for row in rows] == [[0, 2, *range(4, 32)], [0, 1, 2, 3]]


def test_counts_in_total_and_by_segment(engine: Engine) -> None:
    run = (
        Script()
        .do(Op.DOT, row_a=0, row_b=3, clear=1, emit=1, **BOTH)
        .do(Op.DOT, row_a=0, row_b=3, clear=1, emit=1, log_slots=1, **BOTH)
        .run(engine)
    )
    assert run.results.tolist() == [20, 20, 16, 4, 16, 4]
    assert (run.counters.bit_counts, run.counters.shifts, run.counters.additions) == (4, 6, 6)


def test_a_dot_product_of_pairs_shifts_and_what_is_kept(engine: Engine) -> None:
    """Rows 0, 1 with rows 3 and 4, which is all ones too: 20 + 16, as they are and eight times."""
    dot = {"row_a": 0, "row_b": 3, "tiles": 1, "emit": 1}
    script = Script().write(4, range(32)).do(Op.DOT, clear=1, **dot).do(Op.DOT, shift=3, **dot)
    run = script.run(engine)
    assert run.results.tolist() == [36, 36 + 8 * 36]
    assert run.counters.ands == 4


def test_accumulators_and_cells_persist(engine: Engine) -> None:
    Script().do(Op.DOT, row_a=0, row_b=3, clear=1, **BOTH).run(engine)
    assert Script().do(Op.DOT, row_a=1, row_b=3, emit=1).run(engine).results.tolist() == [36]
    assert Engine(MACHINE).array.written.sum() == 0


@pytest.mark.parametrize(
    ("script", "cycles"),
    [
        # A command is accepted in a cycle of its own and its pulse follows.
        (Script().write(0), 1 + 2),
        (Script().write(0).write(1), 1 + 2 + 2),
        (Script().do(Op.READ, row_a=0, **BOTH), 1 + 1),
        (Script().do(Op.READ, row_a=0, row_d=9, write_back=1), 1 + 1 + 2),
        # Through sense amplifiers, bit-counter and sum, to the result.
        (Script().do(Op.DOT, row_a=0, row_b=3), 1 + 1 + 2),
        (Script().do(Op.DOT, row_a=0, row_b=3, emit=1), 1 + 1 + 2 + 1),
        (Script().do(Op.DOT, row_a=0, row_b=3, emit=1, log_slots=1, **BOTH), 1 + 1 + 2 + 2),
        (Script().write(4).do(Op.DOT, row_a=0, row_b=3, tiles=1, emit=1), 1 + 2 + 2 + 2 + 1),
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
        script.do(Op.DOT, row_a=0, row_b=3, log_slots=1, emit=1, **BOTH)
    counters = script.run(engine).counters
    assert counters.cycles == 1 + 1 + 2 + 8 * 2
    assert counters.stalled > 0


@pytest.mark.parametrize(("log_slots", "pairs"), [(0, 1), (1, 2)])
def test_results_that_leave_as_fast_as_they_come_hold_nothing_up(
    engine: Engine, log_slots: int, pairs: int
) -> None:
    Script().write(4).run(engine)
    script = Script()
    for _ in range(8):
        script.do(Op.DOT, row_a=0, row_b=3, log_slots=log_slots, tiles=pairs - 1, clear=1, emit=1, **BOTH)
    counters = script.run(engine).counters
    assert (counters.cycles, counters.stalled) == (1 + 8 * pairs + 2 + pairs, 0)


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
    memory_operations=True,
)
ONES_ROW = 7


def run_on_four(rows: list[list[range]], commands: list[dict[str, int]]) -> EngineRun:
    """Write rows, each with the columns of ones on both buses, and one of ones, and obey what follows."""
    bits = [[[c in ones for c in range(64)] for ones in buses] for buses in [*rows, [range(64)] * 2]]
    array = np.zeros(len(bits) + len(commands), command_dtype(FOUR))
    array["op"][: len(bits)], array["row_d"][: len(bits)] = Op.WRITE.value, [*range(len(rows)), ONES_ROW]
    array["last"][: len(bits)] = 3
    array["row_b"], array["clear"], array["emit"] = ONES_ROW, 1, 1
    for command, fields in zip(array[len(bits) :], commands, strict=True):
        for name, value in fields.items():
            command[name] = value
    return Engine(FOUR).run(CommandStream(machine=FOUR, commands=array, rows=np.array(bits, np.uint8)))


def test_each_bus_brings_a_row_to_its_sub_arrays() -> None:
    run = run_on_four([[range(3), range(5, 7)]], [{"op": Op.READ.value, "last": 3}])
    assert [columns_of(row) for row in run.rows] == [[0, 1, 2], [0, 1, 2], [5, 6], [5, 6]]


def test_clusters_give_their_results_one_after_the_other() -> None:
    dot = {"op": Op.DOT.value, "log_clusters": 1}
    rows = [[range(3), range(30, 41)]]
    run = run_on_four(rows, [dot, dot | {"last": 1, "log_slots": 1}])
    assert run.results.tolist() == [3, 11] + [3, 0] * 2 + [2, 9] * 2
    assert (run.counters.bit_counts, run.counters.additions) == (2 + 4, 2 + 8)
    run = run_on_four(rows, [{"op": Op.READ.value, "first": 1, "last": 1, "log_clusters": 1}])
    assert [len(columns_of(row)) for row in run.rows] == [3, 11]


@pytest.mark.parametrize(
    ("fields", "beats"),
    [
        ({"last": 3}, 2),
        ({"last": 2}, 2),
        ({"last": 1}, 1),
        ({"last": 3, "log_slots": 2}, 8),
        ({"last": 1, "log_slots": 1, "log_clusters": 1}, 4),
        # A cluster of one sub-array has less than a beat.
        ({"log_clusters": 2}, 4),
    ],
)
def test_results_leave_in_beats(fields: dict[str, int], beats: int) -> None:
    rows = [[range(3), range(3)]]
    dot = {"op": Op.DOT.value, **fields}
    cycles = run_on_four(rows, [dot]).counters.cycles
    assert cycles == run_on_four(rows, [dot | {"emit": 0}]).counters.cycles + beats


def test_planes_side_by_side_weigh_by_their_number() -> None:
    """Ones in 1, 2, 3 and 4 columns of the four sub-blocks."""
    ones = [0, 16, 17, 32, 33, 34, *range(48, 52)]
    dot = {"op": Op.DOT.value}
    modes = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (2, 0)]
    run = run_on_four([[ones, ones]], [dot | {"log_slots": s, "log_planes": p} for s, p in modes])  # type: ignore[list-item]
    assert run.results.tolist() == [
        *(10, 3 + 2 * 7, 1 + 2 * 2 + 4 * 3 + 8 * 4),
        *(3, 7, 1 + 2 * 2, 3 + 2 * 4),
        *(1, 2, 3, 4),
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"log_clusters": 3}, "8 clusters: must divide the 4 sub-arrays"),
        ({"log_clusters": 1, "last": 2}, "sub-arrays 0 to 2: a cluster has sub-arrays 0 to 1"),
        ({"op": Op.READ.value, "first": 2, "last": 1}, "sub-arrays 2 to 1: a cluster has sub-arrays 0 to 3"),
        ({"log_slots": 3}, "8 slots: must be at most 4 (segments)"),
        ({"log_slots": 1, "log_planes": 2}, "2 slots of 4 planes: a row has 4 sub-blocks of 16 columns"),
    ],
)
def test_refuses_what_the_machine_does_not_have(fields: dict[str, int], text: str) -> None:
    with pytest.raises(ArrayError, match=f"^{re.escape(text)}$"):
        run_on_four([[range(3), range(3)]], [{"op": Op.DOT.value, **fields}])


def test_an_empty_program(engine: Engine) -> None:
    commands = np.zeros(0, command_dtype(MACHINE))
    run = Engine(MACHINE).run(
        CommandStream(machine=MACHINE, commands=commands, rows=np.zeros((0, 32), np.uint8))
    )
    assert run.counters == Counters()
    assert (run.results.shape, run.rows.shape) == ((0,), (0, 32))


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            Script().do(Op.READ, row_a=9),
            "EN_M senses an unknown cell: sub-array 0, row 9, column 0 was never written",
        ),
        (
            Script().write(8, first=0, last=0).do(Op.DOT, row_a=3, row_b=8, last=1),
            "EN_AND senses an unknown cell: sub-array 1, rows 3 and 8, column 0 was never written",
        ),
        (Script().do(Op.OR, row_a=1, row_b=1), "EN_OR senses two different rows, not row 1 alone"),
        (Script().do(Op.DOT, row_a=15, tiles=1), "row 16 does not exist: the array has rows 0 to 15"),
    ],
)
def test_refuses_what_the_array_refuses(engine: Engine, script: Script, text: str) -> None:
    with pytest.raises(ArrayError, match=f"^{re.escape(text)}$"):
        script.run(engine)


def test_refuses_to_hand_out_what_an_accumulator_cannot_hold(engine: Engine) -> None:
    """31 · 2^10 fits in 16 bits, 32 · 2^10 does not."""
    Script().write(4, range(31)).run(engine)
    script = Script().do(Op.DOT, row_a=4, row_b=3, shift=10, clear=1, emit=1)
    assert script.run(engine).results.tolist() == [31 << 10]
    script = Script().write(4, range(32)).do(Op.DOT, row_a=4, row_b=3, shift=10, clear=1, emit=1)
    with pytest.raises(OverflowError, match=r"^accumulator 32768 does not fit in 16 bits$"):
        script.run(engine)
