"""Lines of an array, clock edge by clock edge: legal row operations, and those that it must refuse."""

from collections.abc import Callable
from random import Random

import numpy as np

from spinplane.behavioral import ArrayError, SotMramArray

from .packing import pack_bits

#: Values of the input ports at one clock edge; those that are absent are 0.
Lines = dict[str, int]

INPUTS = ("standby", "wwl", "wbl", "wbl_enable", "rwl", "rbl_enable", "en_m", "en_and", "en_or")
EVENTS = ("writes", "reads", "ands", "ors")
_REFERENCES = ("en_m", "en_and", "en_or")


def random_operations(array: SotMramArray, rng: Random, operations: int) -> list[tuple[Lines, int]]:
    """Legal row operations, chosen and answered by a golden model of one sub-array.

    Parameters
    ----------
    array : SotMramArray
        Goes on from its state and counts the events.
    rng : Random
    operations : int
        Writes and senses; there are idle edges between some of them.

    Returns
    -------
    list of (Lines, int)
        Lines of each clock edge and what ``sense`` shows after it.
    """
    machine, where = array.machine, slice(0, 1)
    edges: list[tuple[Lines, int]] = []
    shown = done = 0
    while done < operations:
        kind = rng.choice(("write", *_REFERENCES, "idle"))
        row_a, row_b = rng.sample(range(machine.rows), 2)
        bits, columns = _random_bits(rng, machine.columns), _random_bits(rng, machine.columns)
        rows_a, rows_b, sensed_columns = np.array([row_a]), np.array([row_b]), columns[np.newaxis]
        if kind == "idle":
            edges.append(({}, shown))
            continue
        if kind == "write":
            array.write(where, row_a, bits, columns)
            lines = {"wwl": 1 << row_a, "wbl": pack_bits(bits), "wbl_enable": pack_bits(columns)}
            edges += [(lines, shown)] * machine.write_cycles
            done += 1
            continue
        try:
            if kind == "en_m":
                sensed = array.read(where, rows_a, sensed_columns)
            else:
                sense = array.sense_and if kind == "en_and" else array.sense_or
                sensed = sense(where, rows_a, rows_b, sensed_columns)
        except ArrayError:
            continue
        lines = {"rwl": 1 << row_a, "rbl_enable": pack_bits(columns), kind: 1}
        if kind != "en_m":
            lines["rwl"] |= 1 << row_b
        edges += [(lines, shown)] * (machine.sense_cycles - 1)
        shown = pack_bits(sensed[0, 0])
        edges.append((lines, shown))
        done += 1
    return edges


def overlapping_operations(array: SotMramArray, rng: Random, edges: int) -> list[tuple[Lines, int]]:
    """Lines and answers as of `random_operations`: rows are sensed while others are written, in any phase.

    No pulse begins after as many `edges`.
    """
    machine, where = array.machine, slice(0, 1)
    found: list[tuple[Lines, int]] = []
    shown = sensed = write_left = sense_left = row = 0
    bits = columns = np.zeros(machine.columns, dtype=np.uint8)
    write, sense = Lines(), Lines()
    while len(found) < edges or write_left or sense_left:
        begins = len(found) < edges
        if begins and not write_left and rng.random() < 0.5:
            row, bits, columns = (
                rng.randrange(machine.rows),
                *(_random_bits(rng, machine.columns) for _ in range(2)),
            )
            if not (sense_left and sense["rwl"] >> row & 1):
                write = {"wwl": 1 << row, "wbl": pack_bits(bits), "wbl_enable": pack_bits(columns)}
                write_left = machine.write_cycles
        if begins and not sense_left:
            new, answer = _random_sense(array, rng)
            if new and not (write_left and write["wwl"] & new["rwl"]):
                sense, sensed, sense_left = new, answer, machine.sense_cycles
        if sense_left == 1:
            shown = sensed
        found.append(((write if write_left else {}) | (sense if sense_left else {}), shown))
        if write_left == 1:
            array.write(where, row, bits, columns)
        write_left, sense_left = max(0, write_left - 1), max(0, sense_left - 1)
    return found


def _random_sense(array: SotMramArray, rng: Random) -> tuple[Lines, int]:
    """Lines of a sense and its answer, no lines if it would show an unknown cell."""
    kind, rows = rng.choice(_REFERENCES), rng.sample(range(array.machine.rows), 2)
    columns = _random_bits(rng, array.machine.columns)
    operations: dict[str, Callable[..., np.ndarray]] = {
        "en_m": array.read,
        "en_and": array.sense_and,
        "en_or": array.sense_or,
    }
    operands = [np.array([row]) for row in rows[: 1 if kind == "en_m" else 2]]
    try:
        sensed = operations[kind](slice(0, 1), *operands, columns[np.newaxis])
    except ArrayError:
        return {}, 0
    lines = sum(1 << int(operand[0]) for operand in operands)
    return {"rwl": lines, "rbl_enable": pack_bits(columns), kind: 1}, pack_bits(sensed[0, 0])


def _random_bits(rng: Random, columns: int) -> np.ndarray:
    ones = rng.choice((0.02, 0.5, 1.0))
    return np.array([rng.random() < ones for _ in range(columns)], dtype=np.uint8)


def refusals(
    *, columns: int, sense_cycles: int, write_cycles: int, write_overlap: str = "none"
) -> dict[str, tuple[list[Lines], str]]:
    """What an array of at least 4 rows must refuse: lines by clock edge, and the message after the last.

    Rows 0 and 1 are written first, row 1 without its column 0; the others stay unknown. Both kinds of pulses
    take more than one edge.
    """
    everything = (1 << columns) - 1

    def write(row: int, bits: int = 0, enable: int = everything) -> Lines:
        return {"wwl": 1 << row, "wbl": bits, "wbl_enable": enable}

    def sense(*rows: int, enable: int = everything, **references: int) -> Lines:
        return {"rwl": sum(1 << row for row in rows), "rbl_enable": enable, **references}

    known = [write(0, 0b01)] * write_cycles + [write(1, 0b10, everything - 1)] * write_cycles
    cut_write = f"write pulse of {write_cycles - 1} cycles, the cell needs {write_cycles}"
    cut_sense = f"sense of {sense_cycles - 1} cycles, the amplifier needs {sense_cycles}"
    changed_write = "write word line or bit lines changed during a write pulse"
    changed_sense = "read word lines, columns or reference changed during a sense"
    in_standby = "a word line or a reference is high in standby"
    reads = sense(0, en_m=1)

    def unknown(row_a: int, row_b: int, cells: int) -> str:
        return f"senses an unknown cell in row {row_a} or {row_b}, columns {cells:0{-(-columns // 4)}x}"

    cases: dict[str, tuple[list[Lines], str]] = {
        "two_write_lines": ([{**write(0), "wwl": 0b11}], "more than one write word line"),
        "three_read_lines": ([sense(0, 1, 2, en_and=1)], "more than two read word lines"),
        "no_reference": ([sense(0)], "no reference is enabled"),
        "two_references": ([sense(0, 1, en_and=1, en_or=1)], "several references are enabled"),
        "en_m_with_two_rows": ([sense(0, 1, en_m=1)], "EN_M senses one row, not two"),
        "en_and_with_one_row": ([sense(0, en_and=1)], "EN_AND and EN_OR sense two rows, not one"),
        "en_or_with_one_row": ([sense(0, en_or=1)], "EN_AND and EN_OR sense two rows, not one"),
        "reference_without_row": ([{"en_m": 1}], "a reference is enabled without a read word line"),
        "read_line_in_standby": ([{"standby": 1, "rwl": 0b100}], in_standby),
        "write_line_in_standby": ([write(0)] * (write_cycles - 1) + [{"standby": 1, **write(0)}], in_standby),
        "reference_in_standby": ([{"standby": 1, "en_or": 1}], in_standby),
        "cut_write": ([write(0)] * (write_cycles - 1) + [{}], cut_write),
        "write_of_another_row": ([write(0), write(1)], changed_write),
        "write_of_other_bits": ([write(0, 0b1), write(0, 0b11)], changed_write),
        "write_of_other_columns": ([write(0, 0, 0b1), write(0, 0, 0b11)], changed_write),
        "cut_sense": ([reads] * (sense_cycles - 1) + [{}], cut_sense),
        "sense_of_another_row": ([reads, sense(1, en_m=1)], changed_sense),
        "sense_of_other_columns": ([reads, sense(0, enable=1, en_m=1)], changed_sense),
        "sense_with_other_reference": ([sense(0, 1, en_and=1), sense(0, 1, en_or=1)], changed_sense),
        "read_of_unknown": ([sense(1, en_m=1)] * sense_cycles, unknown(1, 1, 1)),
        "and_of_1_with_unknown": ([sense(0, 1, en_and=1)] * sense_cycles, unknown(0, 1, 1)),
        "or_of_0_with_unknown": ([sense(0, 2, en_or=1)] * sense_cycles, unknown(0, 2, everything - 1)),
        "row_whose_write_was_cut": (
            [write(0, 0b11, 0b10)] * (write_cycles - 1) + [{"standby": 1}] + [reads] * sense_cycles,
            unknown(0, 0, 0b10),
        ),
        "and_of_two_unknowns": ([sense(2, 3, enable=4, en_and=1)] * sense_cycles, unknown(2, 3, 4)),
    }
    if write_overlap == "none":
        during = "sensing during a write pulse"
        cases["sense_during_write"] = [{**write(0), **sense(1, en_m=1)}], during
        cases["reference_during_write"] = [{**write(0), "en_and": 1}], during
    else:
        during = "senses a row during its write pulse"
        cases["sense_of_the_row_under_write"] = [{**write(0), **sense(0, en_m=1)}], during
        cases["and_with_the_row_under_write"] = [{**write(1), **sense(0, 1, en_and=1)}], during
        without_row = "a reference is enabled without a read word line"
        cases["reference_during_write"] = [{**write(0), "en_and": 1}], without_row
    return {name: (known + edges, message) for name, (edges, message) in cases.items()}


def unknowns_that_pass(*, columns: int, sense_cycles: int, write_cycles: int) -> list[tuple[Lines, int]]:
    """Senses of unknown cells that are legal: lines of each clock edge and what ``sense`` shows after it.

    0 AND unknown is 0, 1 OR unknown is 1, and a column that is not enabled shows 0. A standby
    ends a sense.
    """
    everything = (1 << columns) - 1
    half = everything >> columns // 2
    row_0 = {"wwl": 1, "wbl": half, "wbl_enable": everything}
    zeros_and = {"rwl": 0b11, "rbl_enable": everything - half, "en_and": 1}
    ones_or = {"rwl": 0b11, "rbl_enable": half, "en_or": 1}
    nothing = {"rwl": 0b10, "rbl_enable": 0, "en_m": 1}
    edges: list[tuple[Lines, int]] = [(row_0, 0)] * write_cycles
    shown = 0
    for lines, after in ((ones_or, half), (zeros_and, 0), (ones_or, half), (nothing, 0)):
        edges += [(lines, shown)] * (sense_cycles - 1) + [(lines, after)]
        shown = after
    standby = {"standby": 1}
    edges += [(ones_or, 0)] * (sense_cycles - 1) + [(standby, 0)] * 2
    return edges + [(ones_or, 0)] * (sense_cycles - 1) + [(ones_or, half), (standby, 0)]
