"""Random programs that break no rule: commands with all their fields, for machines of any size."""

import numpy as np

from spinplane.behavioral import ArrayError, Engine
from spinplane.machine import (
    LOG_FIELD_BITS,
    MAX_BITS,
    MOST_SLOTS,
    OP_FIELDS,
    SHIFT_FIELD_BITS,
    Machine,
    Op,
    Program,
    bits_for,
    command_dtype,
    command_fields,
)

_SENSES = (Op.READ, Op.AND, Op.OR)


class ProgramGenerator:
    """Makes programs one after the other for a machine that keeps its cells and accumulators between them.

    A command is legal if a functional machine that has obeyed those before it obeys this one too: candidates
    that it refuses are left out.

    Parameters
    ----------
    machine : Machine
    seed : int
    """

    def __init__(self, machine: Machine, seed: int) -> None:
        self._machine = machine
        self._rng = np.random.default_rng(seed)
        self._trial = Engine(machine)

    def writes(self) -> Program:
        """A program that writes all rows of all sub-arrays, every eighth row only in some columns."""
        written = []
        for row in range(self._machine.rows):
            last = self._machine.sub_arrays - 1
            command = self._command(Op.WRITE, first=0, last=last, log_groups=0, row_d=row)
            mask = self._bits(0.5 if row % 8 == 7 else 1.0)
            written.append((command, self._bus_bits(), mask))
        return self._accepted(written)

    def program(self, commands: int) -> Program:
        """A program of so many random commands."""
        accepted: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        while len(accepted) < commands:
            candidate = (self._candidate(), self._bus_bits(), self._bits(self._rng.choice([0.3, 1.0])))
            try:
                self._trial.run(_join(self._machine, [candidate]))
            except ArrayError:
                continue
            except OverflowError:
                # It has been added all the same; what does not fit is not handed out.
                candidate[0]["emit"] = 0
            accepted.append(candidate)
        return _join(self._machine, accepted)

    def _accepted(self, written: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Program:
        program = _join(self._machine, written)
        self._trial.run(program)
        return program

    def _candidate(self) -> np.ndarray:
        machine, rng = self._machine, self._rng
        op = Op(int(rng.choice([o.value for o in Op], p=_CHANCES)))
        fields = self._where()
        if op is Op.WRITE:
            return self._command(op, **fields, row_d=int(rng.integers(machine.rows)))
        fields |= {"row_a": int(rng.integers(machine.rows)), "length": int(rng.integers(machine.columns))}
        if rng.random() < 0.3:
            fields["length"] = machine.columns - 1
        if op in (Op.AND, Op.OR, Op.DOT):
            fields["row_b"] = int(rng.integers(machine.rows))
        if op in _SENSES:
            fields |= {"row_d": int(rng.integers(machine.rows))}
            fields |= {name: int(rng.integers(2)) for name in ("emit", "write_back")}
        fields["log_slots"] = self._log_up_to(min(machine.segments, MOST_SLOTS))
        if op in (Op.DOT, Op.COUNT):
            fields["log_planes"] = self._log_up_to(machine.leaves >> fields["log_slots"])
            fields |= self._dot_fields(op, fields["log_planes"])
        return self._command(op, **fields)

    def _where(self) -> dict[str, int]:
        """Groups that the sub-arrays can form, and a range of them."""
        machine, rng = self._machine, self._rng
        log_groups = self._log_up_to(machine.sub_arrays & -machine.sub_arrays)
        first, last = sorted(rng.integers(0, machine.sub_arrays >> log_groups, 2).tolist())
        return {"log_groups": log_groups, "first": first, "last": last}

    def _log_up_to(self, most: int) -> int:
        """Logarithm of a power of two that the field of a command holds."""
        return int(self._rng.integers(min(most.bit_length(), 1 << LOG_FIELD_BITS)))

    def _dot_fields(self, op: Op, log_planes: int) -> dict[str, int]:
        """Planes and tiles that fit in the rows, signs, a shift that leaves room in the accumulators."""
        machine, rng = self._machine, self._rng
        tiles = int(rng.choice([1, 1, 2, 3]))
        most = min(MAX_BITS, machine.rows // (2 * tiles))
        planes_a = int(rng.integers(1, most + 1))
        planes_b = int(rng.integers(1, most + 1)) if op is Op.DOT else 1
        fields: dict[str, int] = {
            "planes_a": planes_a - 1,
            "planes_b": planes_b - 1,
            "tiles": tiles - 1,
            "row_a": int(rng.integers(machine.rows - planes_a * tiles + 1)),
        }
        flags = ["signed_a", "negate", "clear", "emit"]
        if op is Op.DOT:
            fields["row_b"] = int(rng.integers(machine.rows - planes_b * tiles + 1))
            flags.append("signed_b")
        fields |= {flag: int(rng.integers(2)) for flag in flags}
        room = machine.accumulator_bits - planes_a - planes_b - bits_for(machine.columns * tiles)
        room -= (1 << log_planes) - 1
        fields["shift"] = int(rng.integers(min(1 << SHIFT_FIELD_BITS, max(1, room))))
        return fields

    def _command(self, op: Op, **fields: int) -> np.ndarray:
        """Fields that are not given are none of `op`'s and hold anything."""
        command = np.zeros(1, dtype=command_dtype(self._machine))
        for name, width in command_fields(self._machine).items():
            command[name] = self._rng.integers(1 << width)
        command["op"] = op.value
        for name, value in fields.items():
            command[name] = value
        return command

    def _bus_bits(self) -> np.ndarray:
        return np.stack([self._bits(0.5) for _ in range(self._machine.row_buses)])

    def _bits(self, ones: float) -> np.ndarray:
        return (self._rng.random(self._machine.columns) < ones).astype(np.uint8)


def used_fields(commands: np.ndarray) -> np.ndarray:
    """Commands with 0 in the fields that their operations ignore."""
    used = commands.copy()
    for op, fields in OP_FIELDS.items():
        for name in set(commands.dtype.names or ()) - fields - {"op"}:
            used[name][commands["op"] == op.value] = 0
    return used


# By the value of an `Op`; dot products are most of what a machine does, and the longest.
_CHANCES = [0.25, 0.12, 0.12, 0.12, 0.2, 0.12, 0.07]


def _join(machine: Machine, written: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Program:
    """Commands in their order, with the rows and masks of those that write."""
    offered = [(row, mask) for command, row, mask in written if command["op"][0] == Op.WRITE.value]
    empty = np.empty((0, machine.row_buses, machine.columns), dtype=np.uint8)
    return Program(
        machine=machine,
        commands=np.concatenate([command for command, _, _ in written]),
        rows=np.stack([row for row, _ in offered]) if offered else empty,
        masks=np.stack([mask for _, mask in offered]) if offered else empty[:, 0],
    )
