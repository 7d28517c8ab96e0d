"""What benches draw depends on the seed alone."""

import os
import subprocess
import sys

DIGEST = """
import hashlib
from spinplane.machine import Machine, pack_commands
from spinplane.sim.programs import ProgramGenerator

machine = Machine(name="drawn", sub_arrays=2, rows=16, columns=32, segments=2, memory_operations=True)
program = ProgramGenerator(machine, 1).program(200)
print(hashlib.sha256(repr([*pack_commands(machine, program.commands)]).encode()).hexdigest())
"""


def test_a_program_is_the_same_in_every_process() -> None:
    # Python orders the strings of a set by a number that it draws when it starts.
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "0158"
    }
    assert len(digests) == 1
