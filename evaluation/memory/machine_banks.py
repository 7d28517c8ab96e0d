"""Banks of a machine: how often its design places which."""

from pathlib import Path

from spinplane.hdl.export.machine_verilog import ACCELERATOR
from spinplane.machine import Machine

from ..census import census
from .bank_area import BankShape


def machine_banks(machine: Machine, kept_in: Path | None = None) -> dict[tuple[str, BankShape], int]:
    """Banks of a machine's design by name and shape, with their number.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache, see `spinplane.evaluation.census.census`.

    Returns
    -------
    dict of (str, BankShape) to int
        The name is ``module/instance``, the instance alone where the top places it, or the module alone where that
        places several of one shape.
    """
    design = census(machine, kept_in)
    placed = design.placed()
    instances: dict[tuple[str, BankShape], list[str]] = {}
    for module, own in design.modules.items():
        for instance, words, width, reads in own.banks:
            shape = BankShape(words=words, width=width, reads=reads)
            instances.setdefault((module, shape), []).append(instance)
    return {
        (_name(module, names), shape): len(names) * placed[module]
        for (module, shape), names in instances.items()
    }


def _name(module: str, instances: list[str]) -> str:
    if len(instances) > 1:
        return module
    return instances[0] if module == ACCELERATOR else f"{module}/{instances[0]}"
