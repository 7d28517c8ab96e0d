"""Banks of a machine: how often its design places which."""

import re
from collections import Counter
from collections.abc import Mapping

from spinplane.hdl.export.machine_verilog import ACCELERATOR
from spinplane.hdl.export.memories import placed_banks
from spinplane.machine import Name

from .bank_area import BankShape

_INSTANCE = re.compile(r"^  (\w+) \w+ \($", re.MULTILINE)


def machine_banks(modules: Mapping[Name, str]) -> dict[tuple[str, BankShape], int]:
    """Banks of a design by name and shape, with their number.

    Parameters
    ----------
    modules : mapping of Name to str
        As of `spinplane.hdl.export.machine_verilog.machine_verilog`.

    Returns
    -------
    dict of (str, BankShape) to int
        The name is ``module/instance``, the instance alone where the top places it, or the module alone where that
        places several of one shape.
    """
    placed = _placements(modules)
    instances: dict[tuple[str, BankShape], list[str]] = {}
    for bank in placed_banks(modules):
        shape = BankShape(words=bank["words"], width=bank["width"], reads=bank["reads"])
        instances.setdefault((bank["module"], shape), []).append(bank["instance"])
    return {
        (_name(module, names), shape): len(names) * placed[module]
        for (module, shape), names in instances.items()
    }


def _name(module: str, instances: list[str]) -> str:
    if len(instances) > 1:
        return module
    return instances[0] if module == ACCELERATOR else f"{module}/{instances[0]}"


def _placements(modules: Mapping[Name, str]) -> Counter[str]:
    """How often each module is in the whole design."""
    placed = Counter({str(ACCELERATOR): 1})
    # Leaves are first: those that place a module come after it.
    for module in reversed(list(modules)):
        for child in _INSTANCE.findall(modules[module]):
            if child in modules:
                placed[child] += placed[module]
    return placed
