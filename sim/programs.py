"""Random legal programs: commands with all their fields, for machines of any size."""

from collections.abc import Collection, Sequence

import numpy as np

from spinplane.behavioral import ArrayError, Engine
from spinplane.machine import (
    LOG_FIELD_BITS,
    MOST_SLOTS,
    OP_FIELDS,
    SHIFT_FIELD_BITS,
    CommandStream,
    Machine,
    Op,
    bits_for,
    command_dtype,
    command_fields,
    operations,
)


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
        self._all_columns = True

    def writes(self) -> CommandStream:
        """A program that writes all rows of all sub-arrays but every eighth."""
        last = self._machine.sub_arrays - 1
        written = [
            (self._command(Op.WRITE, first=0, last=last, log_clusters=0, row_d=row), self._bus_bits())
            for row in range(self._machine.rows)
            if row % 8 != 7
        ]
        program = _join(self._machine, written)
        self._trial.run(program)
        return program

    def program(self, commands: int, leave_out: Collection[Op] = ()) -> CommandStream:
        """A program of so many random commands; with ``memory_operations`` every other one for some of the columns.

        Parameters
        ----------
        commands : int
        leave_out : collection of Op
            Operations that it does not have.
        """
        known = tuple(op for op in operations(self._machine) if op not in leave_out)
        columns = None
        if self._machine.memory_operations:
            self._all_columns = not self._all_columns
            columns = self._bits(1.0 if self._all_columns else 0.7)
        accepted: list[tuple[np.ndarray, np.ndarray]] = []
        while len(accepted) < commands:
            candidate = (self._candidate(known), self._bus_bits())
            try:
                self._trial.run(_join(self._machine, [candidate], columns))
            except ArrayError:
                continue
            except OverflowError:
                # It has been added all the same; what does not fit is not handed out.
                candidate[0]["emit"] = 0
            accepted.append(candidate)
        return _join(self._machine, accepted, columns)

    def _candidate(self, known: Sequence[Op]) -> np.ndarray:
        machine, rng = self._machine, self._rng
        # Dot products are most of what a machine does, and the longest.
        op = known[rng.choice(len(known), p=_chances(known))]
        fields = self._where()
        used = (name for name in ("row_a", "row_b", "row_d") if name in OP_FIELDS[op])
        rows = {name: int(rng.integers(machine.rows)) for name in used}
        if op is Op.DOT:
            fields |= {"first": 0} | self._dot_fields()
            # Results that leave slot by slot are those of whole beats of sub-arrays.
            numbers = (fields["last"] + 1, machine.sub_arrays >> fields["log_clusters"])
            whole = all(number % machine.results_per_cycle == 0 for number in numbers)
            fields["spread"] = int(rng.integers(2)) if whole else 0
            rows = {name: int(rng.integers(machine.rows - fields["tiles"])) for name in rows}
        elif op is not Op.WRITE:
            fields["write_back"] = int(rng.integers(2))
        return self._command(op, **fields, **rows)

    def _where(self) -> dict[str, int]:
        """Clusters that the sub-arrays can form, and a range of them."""
        machine, rng = self._machine, self._rng
        log_clusters = self._log_up_to(machine.sub_arrays & -machine.sub_arrays)
        first, last = sorted(rng.integers(0, machine.sub_arrays >> log_clusters, 2).tolist())
        return {"log_clusters": log_clusters, "first": first, "last": last}

    def _log_up_to(self, most: int) -> int:
        """Logarithm of a power of two that the field of a command holds."""
        return int(self._rng.integers(min(most.bit_length(), 1 << LOG_FIELD_BITS)))

    def _dot_fields(self) -> dict[str, int]:
        """Slots, planes and pairs, a shift that leaves room in the accumulators."""
        machine, rng = self._machine, self._rng
        log_slots = self._log_up_to(min(machine.segments, MOST_SLOTS))
        log_planes = self._log_up_to(machine.leaves >> log_slots)
        pairs = int(rng.choice([1, 1, 2, 3, 7]))
        room = machine.accumulator_bits - 1 - bits_for(machine.columns * pairs) - (1 << log_planes)
        return {
            "log_slots": log_slots,
            "log_planes": log_planes,
            "tiles": pairs - 1,
            "shift": int(rng.integers(min(1 << SHIFT_FIELD_BITS, max(1, room)))),
            "clear": int(rng.integers(2)),
            "emit": int(rng.integers(2)),
        }

    def _command(self, op: Op, **fields: int) -> np.ndarray:
        """Fields that `op` does not use hold anything."""
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


def _chances(known: Sequence[Op]) -> np.ndarray:
    weights = np.array([3.0 if op is Op.DOT else 2.0 if op is Op.WRITE else 1.0 for op in known])
    return weights / weights.sum()


def _join(
    machine: Machine, written: list[tuple[np.ndarray, np.ndarray]], columns: np.ndarray | None = None
) -> CommandStream:
    """Commands in their order, with the rows of those that write."""
    offered = [rows for command, rows in written if command["op"][0] == Op.WRITE.value]
    empty = np.empty((0, machine.row_buses, machine.columns), dtype=np.uint8)
    return CommandStream(
        machine=machine,
        commands=np.concatenate([command for command, _ in written]),
        rows=np.stack(offered) if offered else empty,
        columns=columns,
    )
