"""Parameters of a technology: value, unit, mark and source, and the list of all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from spinplane.machine import SpinplaneError
from spinplane.machine.errors import shown

MARKS = ("measured", "published", "derived", "assumed")

#: Units of a file: what they measure, and how many SI units one of them is.
UNITS: dict[str, tuple[str, float]] = {
    "1": ("number", 1.0),
    "%": ("number", 0.01),
    "nm": ("length", 1e-9),
    "F²": ("feature sizes squared", 1.0),
    "ns": ("time", 1e-9),
    "ps": ("time", 1e-12),
    "µA": ("current", 1e-6),
    "mA": ("current", 1e-3),
    "V": ("voltage", 1.0),
    "mV": ("voltage", 1e-3),
    "Ω": ("resistance", 1.0),
    "kΩ": ("resistance", 1e3),
    "GΩ": ("resistance", 1e9),
    "Ω·µm²": ("resistance-area product", 1e-12),
    "µΩ·cm": ("resistivity", 1e-8),
    "fF": ("capacitance", 1e-15),
    "fJ": ("energy", 1e-15),
    "K": ("temperature", 1.0),
    "1/K^1.5": ("loss of polarisation", 1.0),
    "A/m": ("magnetisation", 1.0),
    "kA/m": ("magnetisation", 1e3),
    "J/m³": ("energy density", 1.0),
    "pJ/m": ("exchange stiffness", 1e-12),
    "rad/(s·T)": ("gyromagnetic ratio", 1.0),
}

#: Keys that each technology has, the unit that fits them, and their range in SI units.
COMMON: dict[str, tuple[str, float, float]] = {
    "process.feature_size": ("nm", 1e-9, 1e-6),
    "process.supply_voltage": ("V", 0.1, 10.0),
    "process.temperature": ("K", 250.0, 400.0),
    "cell.area": ("F²", 1.0, 1e4),
    "access.off_resistance": ("GΩ", 1e6, 1e15),
    "access.source_swing": ("mV", 0.03, 1.0),
    "mtj.length": ("nm", 1e-9, 1e-6),
    "mtj.width": ("nm", 1e-9, 1e-6),
    "free_layer.thickness": ("nm", 1e-10, 1e-7),
    "free_layer.saturation_magnetisation": ("A/m", 1e4, 1e7),
    "free_layer.damping": ("1", 1e-5, 1.0),
    "free_layer.gyromagnetic_ratio": ("rad/(s·T)", 1e10, 1e12),
    "free_layer.anisotropy": ("J/m³", 0.0, 1e8),
    "free_layer.exchange_stiffness": ("pJ/m", 1e-13, 1e-10),
    "polarizer.pinned_polarisation": ("1", 0.0, 1.0),
    "polarizer.free_polarisation": ("1", 0.0, 1.0),
    "polarizer.pinned_asymmetry": ("1", 1.0, 100.0),
    "polarizer.free_asymmetry": ("1", 1.0, 100.0),
    "temperature.reference": ("K", 250.0, 400.0),
    "temperature.bloch": ("K", 600.0, 3000.0),
    "temperature.anisotropy_exponent": ("1", 1.0, 4.0),
    "temperature.polarisation_loss": ("1/K^1.5", 0.0, 1e-4),
    "retention.attempt_time": ("ns", 1e-12, 1e-6),
    "retention.barrier_exponent": ("1", 1.0, 2.0),
    "endurance.cycles": ("1", 1.0, 1e18),
    "bit_line.cells": ("1", 1.0, 1e5),
    "bit_line.resistance_per_cell": ("Ω", 0.0, 1e4),
    "bit_line.capacitance_per_cell": ("fF", 1e-20, 1e-12),
    "word_line.cells": ("1", 1.0, 1e5),
    "word_line.resistance_per_cell": ("Ω", 0.0, 1e4),
    "word_line.capacitance_per_cell": ("fF", 1e-20, 1e-12),
    "decoder.clock_to_q": ("ps", 0.0, 1e-6),
    "decoder.delay": ("ps", 0.0, 1e-6),
    "write.pulse": ("ns", 1e-12, 1e-6),
    "write.current_0": ("µA", 1e-9, 1e-1),
    "write.current_1": ("µA", 1e-9, 1e-1),
    "read.current": ("µA", 1e-9, 1e-2),
    "sense_amplifier.offset_sigma": ("mV", 0.0, 1.0),
    "sense_amplifier.differential": ("mV", 0.0, 1.0),
    "sense_amplifier.delay": ("ps", 0.0, 1e-6),
    "sense_amplifier.energy": ("fJ", 0.0, 1e-9),
    "variation.resistance_area": ("%", 0.0, 1.0),
    "variation.tmr": ("%", 0.0, 1.0),
    "variation.critical_current": ("%", 0.0, 1.0),
    "variation.stability": ("%", 0.0, 0.2),
}

#: Keys by the torque that writes.
BY_TORQUE: dict[str, dict[str, tuple[str, float, float]]] = {
    "spin_hall": {
        "access.write_resistance": ("Ω", 0.0, 1e6),
        "access.read_resistance": ("Ω", 0.0, 1e6),
        "heavy_metal.resistivity": ("µΩ·cm", 1e-9, 1e-3),
        "heavy_metal.spin_hall_angle": ("1", 1e-4, 10.0),
        "heavy_metal.length": ("nm", 1e-9, 1e-5),
        "heavy_metal.width": ("nm", 1e-9, 1e-5),
        "heavy_metal.thickness": ("nm", 1e-10, 1e-6),
    },
    "spin_transfer": {"access.resistance": ("Ω", 0.0, 1e6)},
}

#: Keys by the model of the junction's resistance.
BY_RESISTANCE: dict[str, dict[str, tuple[str, float, float]]] = {
    "negf": {
        "oxide.thickness": ("nm", 5e-10, 3e-9),
        "oxide.parallel_fit": ("1", -100.0, 100.0),
        "oxide.antiparallel_fit": ("1", -100.0, 100.0),
    },
    "direct": {
        "mtj.resistance_area": ("Ω·µm²", 1e-14, 1e-6),
        "mtj.tmr": ("%", 0.0, 100.0),
        "mtj.tmr_half_voltage": ("V", 1e-3, 100.0),
    },
}

#: Keys of a technology one of whose lines is a mesh.
MESH: dict[str, tuple[str, float, float]] = {
    "mesh.resistance_per_cell": ("Ω", 0.0, 1e4),
    "mesh.strap_columns": ("1", 1.0, 1e5),
    "mesh.strap_resistance_per_cell": ("Ω", 0.0, 1e4),
    "mesh.via_resistance": ("Ω", 0.0, 1e4),
}

#: Keys that may be left out.
OPTIONAL: dict[str, tuple[str, float, float]] = {"free_layer.demagnetisation": ("1", 0.0, 1.0)} | MESH

_LISTS = {"oxide.parallel_fit": 4, "oxide.antiparallel_fit": 4, "free_layer.demagnetisation": 3}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One figure with its source.

    Parameters
    ----------
    value : float or tuple of float
        In `unit`.
    unit : str
        One of `UNITS`.
    mark : {"measured", "published", "derived", "assumed"}
    source : str
        Publication, measurement, formula or reason.
    bounds : tuple of float, optional
        Least and largest value that the source leaves open, in `unit`.
    """

    value: float | tuple[float, ...]
    unit: str
    mark: str
    source: str
    bounds: tuple[float, float] | None = None

    @property
    def si(self) -> float | tuple[float, ...]:
        """The value in SI units."""
        factor = UNITS[self.unit][1]
        if isinstance(self.value, tuple):
            return tuple(value * factor for value in self.value)
        return self.value * factor


def known_keys(torque: str, resistance: str) -> dict[str, tuple[str, float, float]]:
    """Keys of a technology of this kind, with unit and range; the optional ones are not among them."""
    return COMMON | BY_TORQUE[torque] | BY_RESISTANCE[resistance]


def is_line(text: object) -> bool:
    """Whether it is text, and in one line: without line breaks and other characters that cannot be seen."""
    return isinstance(text, str) and text.isprintable()


def read_parameter(key: str, entry: Any, known: Mapping[str, tuple[str, float, float]]) -> Parameter:
    """Check one entry of a file.

    Raises
    ------
    SpinplaneError
        Naming the key, what was found and what is allowed.
    """
    form = "{ value, unit, mark, source }"
    if not isinstance(entry, dict) or set(entry) - {"bounds"} != {"value", "unit", "mark", "source"}:
        raise SpinplaneError(f"{key} = {shown(entry)}: must be a table {form}")
    unit, low, high = known[key]
    kind = UNITS[unit][0]
    fitting = [name for name, (measures, _) in UNITS.items() if measures == kind]
    if entry["unit"] not in fitting:
        raise SpinplaneError(f"{key}: unit = {shown(entry['unit'])}: must be one of {', '.join(fitting)}")
    if entry["mark"] not in MARKS:
        raise SpinplaneError(f"{key}: mark = {shown(entry['mark'])}: must be one of {', '.join(MARKS)}")
    if not is_line(entry["source"]) or not entry["source"].strip():
        raise SpinplaneError(
            f"{key}: source = {shown(entry['source'])}: must be text that says where the value is from"
        )
    value = entry["value"]
    length = _LISTS.get(key)
    values = value if length and isinstance(value, (list, tuple)) else [value]
    if not all(type(v) in (int, float) and isfinite(v) for v in values) or len(values) != (length or 1):
        allowed = f"a list of {length} numbers" if length else "a number"
        raise SpinplaneError(f"{key}: value = {shown(value)}: must be {allowed}")
    factor = UNITS[entry["unit"]][1]
    # One part in 1e9 of room for the factor's rounding at the ends of the range.
    if not all(low - 1e-9 * abs(low) <= v * factor <= high * (1 + 1e-9) for v in values):
        ends = " to ".join(f"{end / factor:.6g}" for end in (low, high))
        raise SpinplaneError(f"{key}: value = {shown(value)}: must be from {ends} {entry['unit']}")
    number: float | tuple[float, ...] = tuple(float(v) for v in values) if length else float(value)
    return Parameter(
        value=number,
        unit=entry["unit"],
        mark=entry["mark"],
        source=entry["source"],
        bounds=_bounds(key, entry.get("bounds"), number),
    )


def _bounds(key: str, bounds: Any, value: float | tuple[float, ...]) -> tuple[float, float] | None:
    if bounds is None:
        return None
    numbers = isinstance(bounds, (list, tuple)) and all(type(end) in (int, float) for end in bounds)
    if isinstance(value, tuple) or not numbers or len(bounds) != 2 or not bounds[0] <= value <= bounds[1]:
        raise SpinplaneError(
            f"{key}: bounds = {shown(bounds)}: must be two numbers around the value {shown(value)}"
        )
    return float(bounds[0]), float(bounds[1])
