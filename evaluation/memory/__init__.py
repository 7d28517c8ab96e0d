"""What memories take in area: arrays of a technology, and banks of static cells or of MRAM."""

from .array_area import SENSINGS, ArrayArea, array_area
from .bank_area import BankShape, mram_bank, sram_bank
from .parameters import area_sources

__all__ = ["SENSINGS", "ArrayArea", "BankShape", "area_sources", "array_area", "mram_bank", "sram_bank"]
