"""Programs and what came of them, as files between this process and that of the simulator."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.behavioral import EngineRun
from spinplane.machine import Counters, Machine, Program

#: Environment variable with the path that `write_programs` wrote.
PROGRAMS_VARIABLE = "SPINPLANE_PROGRAMS"
#: File that the bench leaves in its folder, by `write_runs`.
RUNS_FILE = "runs.npz"


def write_programs(path: Path, programs: Sequence[Program], stall: float, seed: int) -> None:
    """Write programs of one machine, with the chance of stalls."""
    header = {"machine": asdict(programs[0].machine), "stall": stall, "seed": seed, "number": len(programs)}
    arrays: dict[str, Any] = {"header": json.dumps(header)}
    for index, program in enumerate(programs):
        arrays[f"commands_{index}"] = program.commands
        arrays[f"rows_{index}"] = np.packbits(program.rows, axis=-1)
        arrays[f"masks_{index}"] = np.packbits(program.masks, axis=1)
    np.savez(path, **arrays)


def read_programs(path: Path) -> tuple[list[Program], float, int]:
    """Programs, chance of stalls and seed, as `write_programs` wrote them."""
    with np.load(path) as file:
        header = json.loads(str(file["header"]))
        machine = Machine(**header["machine"])
        programs = [
            Program(
                machine=machine,
                commands=file[f"commands_{index}"],
                rows=np.unpackbits(file[f"rows_{index}"], axis=-1),
                masks=np.unpackbits(file[f"masks_{index}"], axis=1),
            )
            for index in range(header["number"])
        ]
    return programs, header["stall"], header["seed"]


def write_runs(path: Path, runs: Sequence[EngineRun]) -> None:
    """Write what left the engine, run by run."""
    counters = [run.counters.as_dict() for run in runs]
    arrays: dict[str, Any] = {"counters": json.dumps(counters)}
    for index, run in enumerate(runs):
        arrays[f"results_{index}"], arrays[f"rows_{index}"] = run.results, run.rows
    np.savez(path, **arrays)


def read_runs(path: Path) -> list[EngineRun]:
    """Runs as `write_runs` wrote them."""
    with np.load(path) as file:
        return [
            EngineRun(
                results=file[f"results_{index}"], rows=file[f"rows_{index}"], counters=Counters(**counters)
            )
            for index, counters in enumerate(json.loads(str(file["counters"])))
        ]
