"""How many flip-flops a machine has, from the Verilog of its modules."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog
from spinplane.machine import Machine

_REGISTER = re.compile(r"^  (?:output )?reg (?:\[(\d+):0\] )?(\S+?) *(?:=.*)?;$", re.MULTILINE)
_CLOCKED = re.compile(r"always @\(posedge clk\)\n    (?:if \(.*\) )?(\S+) +(?:\[\S+\] +)?<=")
_PLACED = re.compile(r"^  (\w+) (?:#\(|\\|\w)", re.MULTILINE)


@cache
def flip_flops(machine: Machine, kept_in: Path | None = None) -> int:
    """Bits of all registers of a machine's RTL.

    Synthesis removes those that never change, a few of a hundred.

    Parameters
    ----------
    machine : Machine
    kept_in : Path, optional
        Folder of a cache, see `spinplane.hdl.export.machine_verilog.machine_verilog`.
    """
    return placed_flip_flops({str(name): text for name, text in machine_verilog(machine, kept_in).items()})


def placed_flip_flops(modules: Mapping[str, str], top: str = str(ACCELERATOR)) -> int:
    """Bits of the registers of a module and of all that are placed in it.

    Parameters
    ----------
    modules : mapping of str to str
        Verilog by name.
    top : str
    """

    @cache
    def bits(name: str) -> int:
        text = modules[name]
        widths = {register: int(high or 0) + 1 for high, register in _REGISTER.findall(text)}
        own = sum(widths[register] for register in set(_CLOCKED.findall(text)))
        return own + sum(bits(placed) for placed in _PLACED.findall(text) if placed in modules)

    return bits(top)


def instances(modules: Mapping[str, str], top: str = str(ACCELERATOR)) -> Counter[str]:
    """How often each module is placed below a module.

    Parameters
    ----------
    modules : mapping of str to str
        Verilog by name.
    top : str
    """

    @cache
    def below(name: str) -> Counter[str]:
        found = Counter({name: 1})
        for placed in _PLACED.findall(modules[name]):
            if placed in modules:
                found += below(placed)
        return found

    return below(top)
