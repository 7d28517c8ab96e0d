"""Maximum of 1-bit features in the memory: OR of two rows, written back, row by row."""

import numpy as np
import pytest

from spinplane.behavioral import Engine
from spinplane.machine import Machine, Op, Program, command_dtype, load_machine
from spinplane.sim.run import run_programs


def pooling_program(machine: Machine, windows: np.ndarray) -> Program:
    """Write the four rows of a 2×2 region, a feature a column, and read the OR of all of them.

    Parameters
    ----------
    machine : Machine
    windows : ndarray of shape (regions, 4, columns), uint8
    """
    everywhere = {"last": machine.sub_arrays - 1, "length": machine.columns - 1}
    steps = []
    for _ in windows:
        steps += [{"op": Op.WRITE.value, "row_d": row, **everywhere} for row in range(4)]
        steps += [
            {"op": Op.OR.value, "row_a": 0, "row_b": 1, "row_d": 4, "write_back": 1, **everywhere},
            {"op": Op.OR.value, "row_a": 2, "row_b": 3, "row_d": 5, "write_back": 1, **everywhere},
            {"op": Op.OR.value, "row_a": 4, "row_b": 5, "emit": 1, **everywhere, "last": 0},
        ]
    commands = np.zeros(len(steps), dtype=command_dtype(machine))
    for command, fields in zip(commands, steps, strict=True):
        for name, value in fields.items():
            command[name] = value
    rows = windows.reshape(-1, machine.columns)
    return Program(machine=machine, commands=commands, rows=rows, masks=np.ones_like(rows))


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_four_rows_become_their_maximum(simulator: str) -> None:
    machine = load_machine("tiny")
    rng = np.random.default_rng(0)
    windows = (rng.random((20, 4, machine.columns)) < 0.3).astype(np.uint8)
    program = pooling_program(machine, windows)
    rtl = run_programs([program], simulator=simulator).runs[0]
    assert (rtl.rows == windows.max(axis=1)).all()
    assert rtl.counters == Engine(machine).run(program).counters
    # Two ORs of all sub-arrays and one of the first; two of the results are written back.
    ors = 2 * machine.sub_arrays + 1
    assert (rtl.counters.ors, rtl.counters.row_writes) == (20 * ors, 20 * 6 * machine.sub_arrays)
