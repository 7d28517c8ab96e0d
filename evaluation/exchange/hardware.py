"""A machine in the terms that other tools share: levels of memory, and an array of multipliers that fill it."""

from dataclasses import dataclass
from pathlib import Path

from spinplane.device import Technology, electrical
from spinplane.device.electrical import with_lines_of
from spinplane.machine import MAX_BITS, Electrical, Machine, MachineClock, SpinplaneError
from spinplane.machine.memory_map import MemoryMap

from ..area_estimate import area_estimate, area_estimate_sources
from ..energy_report import EnergyReport
from ..event_totals import Interval
from ..events import event_energies
from ..flip_flops import flip_flops
from ..memory.bank_area import sram_bank
from ..memory.machine_banks import machine_banks

#: Share of the rows of an array that windows of the input take, in place of kernels. A compiled layer tells its own
#: (`ring_rows`): 32 or 33 of 512 where kernels are 3×3.
INPUT_ROWS = 1 / 16
#: Events that an AND of two rows brings along, each once a sub-array.
_WITH_AN_AND = ("ands", "count", "decode", "array_control", "row_path")
#: Events of each slot of a row that is sensed.
_OF_A_SLOT = ("shift", "add")
_WITH_A_WRITE = ("row_writes", "row_feed", "decode", "array_control", "row_path")
_WITH_AN_INPUT = ("image bank, read", "input", "input_address", "bank_port")


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level of memory.

    Parameters
    ----------
    name : str
        A word of letters, digits and ``_``.
    holds : tuple of {"weight", "input", "output"}
    bits : int
        In all of its copies.
    width : int
        Bits of an access, in all of its copies.
    cycles : int
        Of an access.
    read_j, write_j : float
        Energy of an access to all of its copies, in J.
    area_m2, leakage_w : float
        Of all of its copies.
    """

    name: str
    holds: tuple[str, ...]
    bits: int
    width: int
    cycles: int
    read_j: float
    write_j: float
    area_m2: float = 0.0
    leakage_w: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """A machine for layers whose weights and inputs have so many bits.

    A product of W and I bits takes W·I columns of a row that is sensed, so an array is so many multipliers as it has
    columns, divided by W·I; each makes one product a sense.

    Parameters
    ----------
    machine, technology : str
        Names.
    weight_bits, input_bits : int
    clock : MachineClock
    cycles : int
        Clock cycles of a product.
    kernels, products : int
        Kernels that are computed at once, and products of each.
    accumulator_bits : int
    product_j : float
        Energy of a product, in J: its share of an AND of two rows, of their decoder, count, shifts and additions.
    output_j : float
        Energy of the digital unit for a result, in J.
    area_m2, leakage_w : float
        Of the logic, with the other banks, and with its clock in the latter.
    accumulators, rows, input_rows, image_bank, kernel_bank : Level
    cell : Electrical
        Of the array's technology, with lines as long as the machine's.
    """

    machine: str
    technology: str
    weight_bits: int
    input_bits: int
    clock: MachineClock
    cycles: int
    kernels: int
    products: int
    accumulator_bits: int
    product_j: float
    output_j: float
    area_m2: float
    leakage_w: float
    accumulators: Level
    rows: Level
    input_rows: Level
    image_bank: Level
    kernel_bank: Level
    cell: Electrical


def hardware_of(
    machine: Machine,
    technology: Technology,
    *,
    weight_bits: int,
    input_bits: int,
    clock_hz: float | None = None,
    kept_in: Path | None = None,
) -> Hardware:
    """A machine in the terms that other tools share.

    Energies and areas are the middle ones of `event_energies` and `area_estimate`.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    weight_bits, input_bits : int
        1 to 8.
    clock_hz : float, optional
        By default the fastest at which the machine's sense and write cycles hold.
    kept_in : Path, optional
        See `area_estimate`.

    Raises
    ------
    SpinplaneError
        If the arrays cannot be sensed or written, a width is not allowed, or an energy has no source.
    """
    for name, bits in (("weight_bits", weight_bits), ("input_bits", input_bits)):
        if not 1 <= bits <= MAX_BITS:
            raise SpinplaneError(f"{name} = {bits}: must be from 1 to {MAX_BITS}")
    energies = _Energies(report=event_energies(machine, technology, clock_hz=clock_hz))
    area = area_estimate(machine, technology, kept_in=kept_in)
    bank_areas = _bank_areas(machine, technology, kept_in)
    banks, columns = MemoryMap.of(machine), machine.columns
    slots = machine.sub_arrays * machine.segments
    pairs = weight_bits * input_bits
    multipliers = max(1, machine.sub_arrays * columns // pairs)
    products = max(1, columns // machine.segments // pairs)
    array_bits = machine.sub_arrays * machine.rows * columns
    input_bits_held = round(array_bits * INPUT_ROWS)
    row = machine.sub_arrays * columns
    write = machine.sub_arrays * energies.of(*_WITH_A_WRITE)

    def bank(name: str, holds: tuple[str, ...], size: int, width: int, read: tuple[str, ...]) -> Level:
        return Level(
            name=name,
            holds=holds,
            bits=size,
            width=width,
            cycles=1,
            read_j=energies.of(*read),
            write_j=energies.of(f"{name.replace('_', ' ')}, write"),
            area_m2=bank_areas[name],
            leakage_w=energies.of(name.replace("_", " ")),
        )

    ticking = energies.of("flip-flop, clock on") * energies.report.clock.clock_hz
    return Hardware(
        machine=machine.name,
        technology=technology.name,
        weight_bits=weight_bits,
        input_bits=input_bits,
        clock=energies.report.clock,
        cycles=machine.sense_cycles,
        kernels=max(1, multipliers // products),
        products=products,
        accumulator_bits=machine.accumulator_bits,
        product_j=pairs
        * (energies.of(*_WITH_AN_AND) + machine.segments * energies.of(*_OF_A_SLOT))
        / columns,
        output_j=energies.of("correction", "pooling", "batch_norm", "quantizer", "lookup", "output"),
        area_m2=_known(area.logic)
        + sum(bank_areas.values())
        - bank_areas["image_bank"]
        - bank_areas["kernel_bank"],
        leakage_w=flip_flops(machine, kept_in) * (ticking + energies.of("logic, with each flip-flop"))
        + energies.of(*energies.other_banks()),
        accumulators=Level(
            name="accumulators",
            holds=("output",),
            bits=slots * machine.accumulator_bits,
            width=slots * machine.accumulator_bits,
            cycles=1,
            read_j=0.0,
            write_j=0.0,
        ),
        rows=Level(
            name="rows",
            holds=("weight",),
            bits=(array_bits - input_bits_held) // input_bits,
            width=row // input_bits,
            cycles=machine.write_cycles,
            read_j=0.0,
            write_j=write,
            area_m2=_known(area.arrays),
            leakage_w=machine.sub_arrays * energies.of("array"),
        ),
        input_rows=Level(
            name="input_rows",
            holds=("input",),
            bits=input_bits_held,
            width=row,
            cycles=machine.write_cycles,
            read_j=0.0,
            write_j=write,
        ),
        image_bank=bank(
            "image_bank", ("input", "output"), banks.image.bits, banks.image.width, _WITH_AN_INPUT
        ),
        kernel_bank=bank(
            "kernel_bank", ("weight",), banks.kernel.bits, banks.kernel.width, ("kernel bank, read",)
        ),
        cell=electrical(with_lines_of(technology, machine)),
    )


@dataclass(frozen=True, kw_only=True)
class _Energies:
    report: EnergyReport

    def of(self, *names: str) -> float:
        """The sum of events' energies in J, or of powers in W."""
        return sum(map(self._one, names))

    def other_banks(self) -> tuple[str, ...]:
        """Banks that leak and have no level of their own."""
        names = (event.name for event in self.report.events if event.group == "leakage")
        return tuple(
            name for name in names if name.endswith(" bank") and not name.startswith(("image", "kernel"))
        )

    def _one(self, name: str) -> float:
        figure = self.report.event(name).energy
        if figure.value is None:
            raise SpinplaneError(f"energy of {name!r}: {figure.missing} has no source")
        return figure.value


def _bank_areas(machine: Machine, technology: Technology, kept_in: Path | None) -> dict[str, float]:
    """Areas of the banks by their names, in m²."""
    sources = area_estimate_sources(technology)
    areas: dict[str, float] = {}
    for (name, shape), count in machine_banks(machine, kept_in).items():
        area = count * _known(Interval.of(sram_bank(sources, shape)))
        areas[name] = areas.get(name, 0.0) + area
    return areas


def _known(interval: Interval) -> float:
    if interval.value is None:
        raise SpinplaneError(f"area: {interval.missing} has no source")
    return interval.value
