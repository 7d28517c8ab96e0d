"""Lines of an array, clock edge by clock edge: legal row operations, and those that it must refuse."""

from collections.abc import Callable
from random import Random

import numpy as np

from spinplane.behavioral import ArrayError, SotMramArray
from spinplane.machine import Machine

from .packing import pack_bits

#: Values of the input ports at one clock edge; those that are absent are 0.
Lines = dict[str, int]

INPUTS = ("standby", "wwl", "wbl", "wbl_enable", "rwl", "rbl_enable", "en_m", "en_and", "en_or")
EVENTS = ("writes", "reads", "ands", "ors")
#: References that a sense enables; the last ones are for machines with ``xor_sensing``.
_REFERENCES = (("en_m",), ("en_and",), ("en_or",), ("en_and", "en_or"))


def written_rows(array: SotMramArray, rng: Random) -> list[tuple[Lines, int]]:
    """Writes of all rows of a golden model of one sub-array with random bits, as of `random_operations`."""
    edges: list[tuple[Lines, int]] = []
    for row in range(array.machine.rows):
        bits, columns = (
            _random_bits(rng, array.machine.columns),
            np.ones(array.machine.columns, dtype=np.uint8),
        )
        array.write(slice(0, 1), row, bits, columns)
        lines = {"wwl": 1 << row, "wbl": pack_bits(bits), "wbl_enable": pack_bits(columns)}
        edges += [(lines, 0)] * array.machine.write_cycles
    return edges


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
        kind = rng.choice((("write",), *_kinds(machine), ("idle",)))
        row_a, row_b = rng.sample(range(machine.rows), 2)
        bits, columns = _random_bits(rng, machine.columns), _random_bits(rng, machine.columns)
        rows_a, rows_b, sensed_columns = np.array([row_a]), np.array([row_b]), columns[np.newaxis]
        if kind == ("idle",):
            edges.append(({}, shown))
            continue
        if kind == ("write",):
            array.write(where, row_a, bits, columns)
            lines = {"wwl": 1 << row_a, "wbl": pack_bits(bits), "wbl_enable": pack_bits(columns)}
            edges += [(lines, shown)] * machine.write_cycles
            done += 1
            continue
        operands = [rows_a] if kind == ("en_m",) else [rows_a, rows_b]
        try:
            sensed = _senses(array)[kind](where, *operands, sensed_columns)
        except ArrayError:
            continue
        lines = _sense_lines(kind, operands, columns)
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
            new, answer = _random_sense(array, rng, write["wwl"] if write_left else 0)
            if new:
                sense, sensed, sense_left = new, answer, machine.sense_cycles
        if sense_left == 1:
            shown = sensed
        found.append(((write if write_left else {}) | (sense if sense_left else {}), shown))
        if write_left == 1:
            array.write(where, row, bits, columns)
        write_left, sense_left = max(0, write_left - 1), max(0, sense_left - 1)
    return found


def _random_sense(array: SotMramArray, rng: Random, wwl: int) -> tuple[Lines, int]:
    """Lines of a sense and its answer, no lines if it would show an unknown cell or a row of a write word line."""
    kind, rows = rng.choice(_kinds(array.machine)), rng.sample(range(array.machine.rows), 2)
    columns = _random_bits(rng, array.machine.columns)
    operands = [np.array([row]) for row in rows[: 1 if kind == ("en_m",) else 2]]
    if any(wwl >> int(operand[0]) & 1 for operand in operands):
        return {}, 0
    try:
        sensed = _senses(array)[kind](slice(0, 1), *operands, columns[np.newaxis])
    except ArrayError:
        return {}, 0
    return _sense_lines(kind, operands, columns), pack_bits(sensed[0, 0])


def _kinds(machine: Machine) -> tuple[tuple[str, ...], ...]:
    """Senses of a machine's array, by the references that are enabled."""
    return _REFERENCES if machine.xor_sensing else _REFERENCES[:-1]


def _senses(array: SotMramArray) -> dict[tuple[str, ...], Callable[..., np.ndarray]]:
    return dict(zip(_REFERENCES, (array.read, array.sense_and, array.sense_or, array.sense_xor), strict=True))


def _sense_lines(kind: tuple[str, ...], operands: list[np.ndarray], columns: np.ndarray) -> Lines:
    word_lines = sum(1 << int(operand[0]) for operand in operands)
    return {"rwl": word_lines, "rbl_enable": pack_bits(columns)} | dict.fromkeys(kind, 1)


def _random_bits(rng: Random, columns: int) -> np.ndarray:
    ones = rng.choice((0.02, 0.5, 1.0))
    return np.array([rng.random() < ones for _ in range(columns)], dtype=np.uint8)


def refusals(
    *,
    columns: int,
    sense_cycles: int,
    write_cycles: int,
    write_overlap: str = "none",
    xor_sensing: bool = False,
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
    cut_1 = [write(1, 0, 0b10)] * (write_cycles - 1) + [{"standby": 1}]

    def unknown(row_a: int, row_b: int, cells: int) -> str:
        return f"senses an unknown cell in row {row_a} or {row_b}, columns {cells:0{-(-columns // 4)}x}"

    cases: dict[str, tuple[list[Lines], str]] = {
        "two_write_lines": ([{**write(0), "wwl": 0b11}], "more than one write word line"),
        "three_read_lines": ([sense(0, 1, 2, en_and=1)], "more than two read word lines"),
        "no_reference": ([sense(0)], "no reference is enabled"),
        "two_references": ([sense(0, 1, en_m=1, en_or=1)], "several references are enabled"),
        "three_references": ([sense(0, 1, en_m=1, en_and=1, en_or=1)], "several references are enabled"),
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
        "and_with_a_1_whose_write_was_cut": (
            [
                *[write(0, everything)] * write_cycles,
                *cut_1,
                *[sense(0, 1, enable=0b10, en_and=1)] * sense_cycles,
            ],
            unknown(0, 1, 0b10),
        ),
        "or_with_a_1_whose_write_was_cut": (
            [*cut_1, *[sense(0, 1, enable=0b10, en_or=1)] * sense_cycles],
            unknown(0, 1, 0b10),
        ),
        "and_of_two_unknowns": ([sense(2, 3, enable=4, en_and=1)] * sense_cycles, unknown(2, 3, 4)),
    }
    both = {"en_and": 1, "en_or": 1}
    if xor_sensing:
        cases |= {
            "xor_with_one_row": ([sense(0, **both)], "EN_AND and EN_OR sense two rows, not one"),
            "xor_that_loses_a_reference": ([sense(0, 1, **both), sense(0, 1, en_and=1)], changed_sense),
            "xor_of_0_with_unknown": ([sense(0, 1, **both)] * sense_cycles, unknown(0, 1, 1)),
            "xor_of_1_with_unknown": ([sense(0, 2, **both)] * sense_cycles, unknown(0, 2, everything)),
        }
    else:
        cases["and_with_or"] = [sense(0, 1, **both)], "several references are enabled"
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
