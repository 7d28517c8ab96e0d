"""Area of a whole chip: its logic from the netlist, its arrays and banks from their models, and what is added to a
plain memory.
"""

from collections.abc import Iterator
from math import isclose
from pathlib import Path

from spinplane.device import Technology, load_technology
from spinplane.machine import Machine
from spinplane.physical import AreaReport

from .chip_report import Added, AddOn, Bank, ChipArea
from .memory.array_area import SENSINGS, array_area, rectangle
from .memory.bank_area import mram_bank, sram_area, sram_bank
from .memory.machine_banks import machine_banks
from .memory.parameters import area_sources
from .sources import Figure, Sources, Values

#: Technology of banks that are not of static cells.
BANK_TECHNOLOGY = "stt-mram"
_UM2 = 1e-12
_OPERATIONS = 2  # an AND and an addition to a count: two binary operations a column and cycle


def chip_area(
    machine: Machine, technology: Technology, logic: AreaReport, kept_in: Path | None = None
) -> ChipArea:
    """Put the areas of a machine together.

    Parameters
    ----------
    machine : Machine
    technology : Technology
        Of the arrays.
    logic : AreaReport
        Of the same machine. That of an FPGA has no areas: arrays, banks and total are not there then.
    kept_in : Path, optional
        See `spinplane.evaluation.census.census`.

    Raises
    ------
    RuntimeError
        If the blocks do not add up to the chip.
    """
    luts = logic.sub_array.luts
    if logic.total.area_um2 is None:
        return ChipArea(
            machine=machine.name,
            technology=technology.name,
            logic=logic,
            lut_per_operation=None if luts is None else luts / (_OPERATIONS * machine.columns),
        )
    sources, mram = area_sources(technology), area_sources(load_technology(BANK_TECHNOLOGY))
    array = array_area(sources, machine.rows, machine.columns, technology.sensing.quantity)
    banks = tuple(
        Bank(
            name=name,
            count=count,
            words=shape.words,
            width=shape.width,
            reads=shape.reads,
            area=sram_bank(sources, shape),
            as_mram=mram_bank(mram, shape) if shape.reads == 1 else None,
        )
        for (name, shape), count in machine_banks(machine, kept_in).items()
    )
    chip = ChipArea(
        machine=machine.name,
        technology=technology.name,
        logic=logic,
        array=array,
        banks=banks,
        total=_total(sources, machine, logic, array.sensing, banks),
        added=_added(logic),
        add_ons=tuple(_add_on(sources, machine, logic, sensing) for sensing in SENSINGS),
    )
    _check(chip)
    return chip


def _total(
    sources: Sources, machine: Machine, logic: AreaReport, sensing: str, banks: tuple[Bank, ...]
) -> Figure:
    def total(values: Values) -> float:
        arrays = machine.sub_arrays * rectangle(values, machine.rows, machine.columns, sensing)
        return (
            (logic.total.area_um2 or 0.0) * _UM2
            + arrays
            + sum(bank.count * sram_area(values, bank.shape) for bank in banks)
        )

    return sources.figure(total, unit="m²", source="logic, arrays and banks of static cells")


def _added(logic: AreaReport) -> Added | None:
    """What is in a sub-array and not in a plain memory, which has one decoder that opens a single line."""
    if logic.plain_decoder is None:
        return None
    blocks = {block.name: block.sub_array.area_um2 or 0.0 for block in logic.blocks if block.sub_array}
    plain = logic.plain_decoder.area_um2 or 0.0
    return Added(
        plain_decoder_um2=plain,
        area_um2=(logic.sub_array.area_um2 or 0.0) - plain,
        decoder_um2=blocks["decoder"] - plain,
        sum_um2=blocks["sum"],
    )


def _add_on(sources: Sources, machine: Machine, logic: AreaReport, sensing: str) -> AddOn:
    added = _added(logic)

    def plain(values: Values) -> float:
        decoder = added.plain_decoder_um2 * _UM2 if added else 0.0
        return rectangle(values, machine.rows, machine.columns, sensing) + decoder

    def share(values: Values) -> float:
        return (added.area_um2 * _UM2 if added else 0.0) / plain(values)

    return AddOn(
        sensing=sensing,
        plain=sources.figure(plain, unit="m²", source="array and one decoder that opens a single line"),
        share=sources.figure(
            share, unit="1", source="logic of a sub-array without that decoder ÷ plain memory"
        ),
    )


def _check(chip: ChipArea) -> None:
    """Compare the sum over the blocks with the chip's own total."""
    blocks = list(_areas(chip))
    total = chip.total.value if chip.total else None
    if total is None or None in blocks:
        return
    if not isclose(sum(area for area in blocks if area is not None), total, rel_tol=1e-9):
        raise RuntimeError("the blocks of the chip do not add up to it")


def _areas(chip: ChipArea) -> Iterator[float | None]:
    """Areas in m² of all blocks, as often as they are there."""
    for block in chip.logic.blocks:
        yield (block.area_um2 or 0.0) * _UM2
    for line in chip.lines:
        value = line.area.value
        yield None if value is None else line.count * value
