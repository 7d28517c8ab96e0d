"""What a machine takes in area, time and energy, of the array and of its logic."""

from .area_estimate import AreaEstimate, area_estimate
from .chip_area import chip_area
from .chip_report import Added, AddOn, Bank, ChipArea
from .clock_ticks import clock_ticks
from .energy_report import EnergyReport, EventEnergy, Published
from .event_counts import bank_bits, event_counts, host_counts
from .event_totals import Interval
from .events import energy_sources, event_energies
from .flip_flops import flip_flops
from .memory_timing import MemoryFigures, bank_access, memory_figures, memory_times, timing_sources
from .run_energy import RunEnergy
from .sources import Figure, Sources, Values
from .storage import Storage, network_storage, storages

__all__ = [
    "AddOn",
    "Added",
    "AreaEstimate",
    "Bank",
    "ChipArea",
    "EnergyReport",
    "EventEnergy",
    "Figure",
    "Interval",
    "MemoryFigures",
    "Published",
    "RunEnergy",
    "Sources",
    "Storage",
    "Values",
    "area_estimate",
    "bank_access",
    "bank_bits",
    "chip_area",
    "clock_ticks",
    "energy_sources",
    "event_counts",
    "event_energies",
    "flip_flops",
    "host_counts",
    "memory_figures",
    "memory_times",
    "network_storage",
    "storages",
    "timing_sources",
]
