"""How many flip-flops a machine has."""

from pathlib import Path

from spinplane.machine import Machine

from .census import census


def flip_flops(machine: Machine, kept_in: Path | None = None) -> int:
    """Bits of all registers of a machine's RTL.

    Synthesis removes those that never change, a few of a hundred.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache, see `spinplane.evaluation.census.census`.
    """
    return census(machine, kept_in).flip_flops()
