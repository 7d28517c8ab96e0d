"""How many clock edges gate cells let through: bounds from the passes of a program, unit by unit."""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from spinplane.compiler.predict import row_sets
from spinplane.hdl.output.beat_walk import BeatWalk
from spinplane.hdl.output.cluster_steps import CLUSTER_STEPS_CYCLES
from spinplane.machine import Machine
from spinplane.machine.passes import Pass
from spinplane.machine.timing import (
    END_CYCLES,
    FINISH_CYCLES,
    FORM_CYCLES,
    LOOKUP_CYCLES,
    MULTIPLY_CYCLES,
    fetch_cycles,
)

from .census import census

#: Counters of flip-flops' cycles in which their clock ticks, and in which it stands still.
TICKS, STOPPED = "clock_ticks", "stopped_ticks"


def _outer(of: Pass) -> int:
    return of.clusters * of.regions * of.channel_beats


def _turns(of: Pass) -> int:
    """Cycles from the first turn of an outer beat to the end of its last one."""
    return of.multiplier_cycles + MULTIPLY_CYCLES + 1 if of.multiplies else 0


def _input(of: Pass) -> int:
    """Each row is asked for, formed and counted; each row set moves, is fresh and is taken; lines are searched."""
    sets = sum(row_sets(of))
    lines = of.first_lines + (of.region_rows - 1) * of.next_lines + of.region_rows * of.line_skip
    return 1 + FORM_CYCLES + lines + 3 * sets * of.row_set_cycles + 3 * sets


#: For modules of units, each placed once or several times, the cycles of a pass in which an instance's clock ticks,
#: at most. Units that stand still seldom are not here.
MOST_CYCLES: dict[str, Callable[[Pass], int]] = {
    "input_streamer": _input,
    "beat_walk": lambda of: BeatWalk.LATENCY + 2 + _outer(of) * (of.windows + of.interval),
    "cluster_steps": lambda of: CLUSTER_STEPS_CYCLES,
    "window_correction": lambda of: 3 * of.windows * _outer(of),
    "pooling": lambda of: 2 * of.windows * _outer(of),
    "lane_phases": lambda of: _outer(of) * (1 + of.reading_cycles + _turns(of)) if of.multiplies else 0,
    "scaler": lambda of: _outer(of) * _turns(of),
    # From the cycle before a beat begins to the one in which it ends; and where a lane takes what was multiplied.
    "activation": lambda of: _outer(of) * (2 + LOOKUP_CYCLES * of.lookups + 2 * len(of.multiplications)),
    "residual_loader": lambda of: _outer(of) * (of.residual_planes + 3) if of.residual else 0,
    "output_address_generator": lambda of: 1 + _outer(of),
    "output_packer": lambda of: _outer(of) * (1 + of.writes),
}
_CONTROLLER = "layer_controller"


@cache
def unit_flip_flops(machine: Machine, kept_in: Path | None = None) -> dict[str, int]:
    """Flip-flops of all instances of each module of `MOST_CYCLES` and of the layer controller; as ``""`` of all.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache, see `spinplane.evaluation.census.census`.
    """
    design = census(machine, kept_in)
    number = design.placed()
    units = (*MOST_CYCLES, _CONTROLLER)
    return {"": design.flip_flops(), **{unit: number[unit] * design.flip_flops(unit) for unit in units}}


def clock_ticks(
    machine: Machine, cycles: int, passes: Iterable[Pass], descriptors: int, kept_in: Path | None = None
) -> dict[str, int]:
    """Flip-flops' cycles of a run with a clock gate a unit: those with an edge, at most, and the others.

    Parameters
    ----------
    machine : Machine
    cycles : int
        Of the run.
    passes : iterable of Pass
    descriptors : int
        That are read, END and header included.
    kept_in : Path, optional
        See `unit_flip_flops`.

    Returns
    -------
    dict of str to int
        Of `TICKS` and `STOPPED`; their sum is all flip-flops times all cycles.
    """
    flip_flops, passes = unit_flip_flops(machine, kept_in), tuple(passes)
    of_controller = descriptors * (fetch_cycles(machine) + FINISH_CYCLES + END_CYCLES + 1)
    on = {unit: sum(map(most, passes)) for unit, most in MOST_CYCLES.items()} | {_CONTROLLER: of_controller}
    stopped = sum(flip_flops[unit] * max(0, cycles - ticks) for unit, ticks in on.items())
    return {TICKS: flip_flops[""] * cycles - stopped, STOPPED: stopped}
