"""Energy of a word of a bank, and what a bank leaks: mats of cells, and wires between them and the bank's port."""

from dataclasses import dataclass
from math import log2, sqrt

from spinplane.device.energy import write_energy
from spinplane.device.sensing import decisions, margin
from spinplane.hdl.common.bank import WIDE_READS
from spinplane.hdl.host.axi_registers import ACCELERATOR_COUNTERS
from spinplane.machine import Machine
from spinplane.machine.memory_map import BankSize, MemoryMap
from spinplane.machine.output_stage import POOLED_BITS

from .memory.bank_area import BankShape, mram_area, sram_area
from .sources import Values


@dataclass(frozen=True, kw_only=True)
class SramBank:
    """A bank of static cells.

    A word lies side by side in mats, whose columns are all read and written. Bit lines swing by the amplifiers'
    input when they are read, and all the way when they are written; each pair has one that does.

    Parameters
    ----------
    size : BankSize
    reads : int
        As of `BankShape`, which its area follows.
    """

    size: BankSize
    reads: int = 1

    def read(self, values: Values) -> float:
        """Energy in J of reading a word."""
        supply = values["bank.supply_voltage"]
        line = values["sram.rows"] * values["sram.bit_line_capacitance"]
        column = line * values["sram.read_swing"] * supply + values["sram.amplifier_energy"]
        return self.size.width * column + self._word_line(values) + self._tree(values)

    def write(self, values: Values) -> float:
        """Energy in J of writing a word."""
        line = values["sram.rows"] * values["sram.bit_line_capacitance"]
        column = line * values["bank.supply_voltage"] ** 2
        return self.size.width * column + self._word_line(values) + self._tree(values)

    def leakage(self, values: Values) -> float:
        """Power in W."""
        return self.size.bits * values["sram.leakage"]

    def _word_line(self, values: Values) -> float:
        capacitance = self.size.width * values["sram.word_line_capacitance"]
        return capacitance * values["bank.supply_voltage"] ** 2

    def _tree(self, values: Values) -> float:
        return tree(values, self.size, sram_area(values, _shape(self.size, self.reads)))


@dataclass(frozen=True, kw_only=True)
class SttBank:
    """A bank of one-transistor MRAM cells, sensed and written as a technology's own array does; it leaks in no cell.

    Parameters
    ----------
    size : BankSize
    """

    size: BankSize

    def read(self, values: Values) -> float:
        """Energy in J of reading a word."""
        found = margin(values.technology, decisions()[0])
        return self.size.width * found.energy_j + self._tree(values)

    def write(self, values: Values) -> float:
        """Energy in J of writing a word, half of it 1."""
        technology = values.technology
        cell = sum(write_energy(technology, bit).supply_j for bit in (0, 1)) / 2
        return self.size.width * cell + self._tree(values)

    def _tree(self, values: Values) -> float:
        return tree(values, self.size, mram_area(values, _shape(self.size, 0)))


def _shape(size: BankSize, reads: int) -> BankShape:
    return BankShape(words=size.words, width=size.width, reads=reads)


def tree(values: Values, size: BankSize, area: float) -> float:
    """Energy in J of a word and its address on the wires between the port of a bank and the mats, half of a side away.

    A square bank's H-tree is as long as half of its side in each direction; its area in m² is `memory.bank_area`'s.
    """
    capacitance = sqrt(area) * values["bank.wire_capacitance"] * values["bank.repeaters"]
    wires = values["bank.changing_bits"] * (size.width + log2(size.words))
    return wires * capacitance * values["bank.supply_voltage"] ** 2 / 2


def counted_banks(machine: Machine) -> dict[str, SramBank]:
    """Banks of a machine whose words are counted, by name: those of its memory map, of pooling and of the log."""
    of_map = {
        name: SramBank(size=size, reads=WIDE_READS if name == "image" else 1)
        for name, size in MemoryMap.of(machine).banks.items()
    }
    pool = BankSize(words=machine.pool_beats, width=machine.results_per_cycle * POOLED_BITS)
    log = BankSize(words=machine.descriptors, width=ACCELERATOR_COUNTERS.size)
    return {**of_map, "pool": SramBank(size=pool), "log": SramBank(size=log)}
