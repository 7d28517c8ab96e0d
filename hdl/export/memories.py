# amaranth: UnusedElaboratable=no
"""Memories of a design as cells of a library: names, ports and times."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spinplane.machine import Machine, Name
from spinplane.machine.external.memory_liberty import MacroPort, memory_liberty
from spinplane.machine.external.text import Text
from spinplane.machine.external.verilog import MAPPED, memory_map
from spinplane.machine.memory_times import MemoryTimes

from ..array.sot_mram_array import SotMramArray
from ..common.bank import BANK, Bank, bank_stub
from .machine_verilog import ARRAY, array_stub

#: Lines of an array that are held through a sense, and those that are held through a write pulse.
SENSE_LINES = tuple(map(Name, ("rwl", "rbl_enable", "en_m", "en_and", "en_or")))
WRITE_LINES = tuple(map(Name, ("wwl", "wbl", "wbl_enable")))
#: Name of the library, where there is one.
MEMORIES = Name("memories")
_CELL = Name("macro")


@dataclass(frozen=True, kw_only=True)
class MemoryCells:
    """Cells that stand for the memories of a design.

    Parameters
    ----------
    arrays, banks : tuple of Name
        Cells of either kind.
    sizes : mapping of Name to (Name, mapping of Name to int)
        Black box of each cell, and the parameters with which the cell stands for it.
    stubs : mapping of Name to str
        Verilog of the ports of each black box.
    liberty : Text
        The library.
    name : Name
        Of the library.
    """

    arrays: tuple[Name, ...]
    banks: tuple[Name, ...]
    sizes: Mapping[Name, tuple[Name, Mapping[Name, int]]]
    stubs: Mapping[Name, str]
    liberty: Text
    name: Name

    @property
    def techmap(self) -> Text:
        """Yosys' map of the black boxes to the cells, which take their names."""
        return memory_map(self.stubs, self.sizes, MAPPED)

    @property
    def verilog(self) -> Text:
        """The black boxes as modules that place a cell each."""
        return memory_map(self.stubs, self.sizes, _CELL)


def placed_banks(modules: Mapping[Name, str]) -> list[dict[str, Any]]:
    """Banks of a design: ``module`` and ``instance`` of each, its ``words``, ``width`` and ``reads``."""
    placed = re.compile(
        rf"^  {BANK} #\(\s*\.READS\(32'd(\d+)\),\s*\.WIDTH\(32'd(\d+)\),\s*\.WORDS\(32'd(\d+)\)\s*\) (\w+) \(",
        re.MULTILINE,
    )
    return [
        {"module": module, "instance": name, "words": int(words), "width": int(width), "reads": int(reads)}
        for module, text in modules.items()
        for reads, width, words, name in placed.findall(text)
    ]


def machine_memories(
    machine: Machine, modules: Mapping[Name, str], times: MemoryTimes, name: Name = MEMORIES
) -> MemoryCells:
    """Cells of a machine's array and banks; `modules` are those of `machine_verilog`, others as of `memory_cells`."""
    banks = [Bank(bank["words"], bank["width"], bank["reads"]) for bank in placed_banks(modules)]
    return memory_cells([SotMramArray(machine)], banks, times, name)


def memory_cells(
    arrays: Iterable[SotMramArray], banks: Iterable[Bank], times: MemoryTimes, name: Name = MEMORIES
) -> MemoryCells:
    """Cells of some memories, one for each size.

    Parameters
    ----------
    arrays : iterable of SotMramArray
    banks : iterable of Bank
    times : MemoryTimes
        Lines of an array are set before the edge that ends their sense or write pulse, as long as that takes.
    name : Name
        Of the library.
    """
    stubs: dict[Name, str] = {}
    sizes: dict[Name, tuple[Name, Mapping[Name, int]]] = {}
    cells: dict[Name, list[MacroPort]] = {}
    of_arrays, of_banks = [], []
    for array in arrays:
        size = array.machine
        cell = Name(f"{ARRAY}_{size.rows}x{size.columns}")
        seconds = dict.fromkeys(SENSE_LINES, times.sense_s) | dict.fromkeys(WRITE_LINES, times.write_s)
        cells[cell] = _ports(array, seconds | {Name("standby"): times.setup_s, Name("sense"): times.output_s})
        sizes[cell], stubs[ARRAY] = (ARRAY, _named(array.black_box)), array_stub(size)
        of_arrays.append(cell)
    for bank in banks:
        cell = Name(f"{BANK}_{bank.words}x{bank.width}_{bank.reads}r")
        if cell not in cells:
            access_s = times.bank_access_s(bank.words * bank.width)
            cells[cell] = _ports(bank, {Name("read__data"): access_s}, times.setup_s)
            sizes[cell], stubs[BANK] = (BANK, _named(bank.black_box)), bank_stub()
            of_banks.append(cell)
    liberty = memory_liberty(name, cells, capacitance_f=times.pin_capacitance_f, slew_s=times.slew_s)
    return MemoryCells(
        arrays=tuple(of_arrays), banks=tuple(of_banks), sizes=sizes, stubs=stubs, liberty=liberty, name=name
    )


def _named(parameters: Mapping[str, int]) -> dict[Name, int]:
    return {Name(key): value for key, value in parameters.items()}


def _ports(
    component: wiring.Component, seconds: Mapping[Name, float], others_s: float = 0.0
) -> list[MacroPort]:
    ports = []
    for path, member, value in component.signature.flatten(component):
        name = Name("__".join(map(str, path)))
        ports.append(
            MacroPort(
                name=name,
                bits=len(Value.cast(value)),
                is_input=member.flow is In,
                seconds=seconds.get(name, others_s),
            )
        )
    return ports
