"""Parameters of the areas of memories: those of a technology, of banks, and of what stands around cells."""

from spinplane.device import Technology
from spinplane.machine import Parameter

from ..parameters import Known, shipped_parameters
from ..sources import Sources

_LARGEST = 1e-3
BANKS: dict[str, Known] = {
    "sram.cell_area": ("µm²", 1e-15, 1e-10),
    "sram.rows": ("1", 1.0, 1e5),
    "sram.bit_line_capacitance": ("fF", 1e-20, 1e-12),
    "sram.word_line_capacitance": ("fF", 1e-20, 1e-12),
    "sram.read_swing": ("mV", 1e-3, 10.0),
    "sram.amplifier_energy": ("fJ", 0.0, 1e-9),
    "sram.leakage": ("nW", 0.0, 1e-3),
    "bank.supply_voltage": ("V", 0.1, 10.0),
    "bank.wire_capacitance": ("fF/µm", 1e-13, 1e-8),
    "bank.repeaters": ("1", 1.0, 10.0),
    "bank.changing_bits": ("1", 0.0, 1.0),
}
AREAS: dict[str, Known] = {
    "layout.width": ("µm", 1e-9, _LARGEST),
    "layout.transistor": ("µm²", 0.0, 1e-9),
    "layout.gate_capacitance": ("fF/µm", 1e-12, 1e-6),
    "layout.gate_width": ("µm", 1e-9, _LARGEST),
    "layout.p_ratio": ("1", 1.0, 10.0),
    "layout.effort": ("1", 1.5, 100.0),
    "layout.fill": ("%", 0.1, 1.0),
    "array.edge": ("1", 0.0, 100.0),
    "array.tap_columns": ("1", 1.0, 1e5),
    "array.reference_columns": ("1", 0.0, 100.0),
    "array.driver_transistors": ("1", 2.0, 100.0),
    "sense.source_current": ("mA/µm", 1.0, 1e4),
    "sense.latch_width": ("µm", 1e-8, _LARGEST),
    "sense.latch_transistors": ("1", 1.0, 100.0),
    "sense.matching": ("mV·µm", 1e-11, 1e-6),
    "sense.pair": ("1", 1.0, 10.0),
    "sense.output_transistors": ("1", 0.0, 100.0),
    "write_driver.switch_current": ("mA/µm", 1.0, 1e4),
    "write_driver.transistors": ("1", 0.0, 100.0),
    "sram_mat.port_growth": ("1", 0.0, 3.0),
    "sram_mat.row_transistors": ("1", 2.0, 100.0),
    "sram_mat.column_transistors": ("1", 2.0, 100.0),
    "sram_mat.control": ("%", 0.0, 3.0),
}


def memory_parameters() -> dict[str, Parameter]:
    """Those of ``banks.toml`` and of ``areas.toml``."""
    return {**shipped_parameters("banks.toml", BANKS), **shipped_parameters("memory/areas.toml", AREAS)}


def area_sources(technology: Technology | None) -> Sources:
    """Parameters of a technology, if any, of banks, and of the areas around cells."""
    return Sources(technology, memory_parameters())
