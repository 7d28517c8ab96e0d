"""Figures with their sources: value, unit, mark, and where each is from."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from .errors import SpinplaneError, shown

MARKS = ("measured", "published", "derived", "assumed")

#: Units of a file: what they measure, and how many SI units one of them is.
UNITS: dict[str, tuple[str, float]] = {
    "1": ("number", 1.0),
    "%": ("number", 0.01),
    "nm": ("length", 1e-9),
    "µm": ("length", 1e-6),
    "µm²": ("area", 1e-12),
    "mm²": ("area", 1e-6),
    "F²": ("feature sizes squared", 1.0),
    "ns": ("time", 1e-9),
    "ps": ("time", 1e-12),
    "µs": ("time", 1e-6),
    "µA": ("current", 1e-6),
    "mA": ("current", 1e-3),
    "mA/µm": ("current of a width", 1e3),
    "V": ("voltage", 1.0),
    "mV": ("voltage", 1e-3),
    "mV·µm": ("mismatch of an area", 1e-9),
    "Ω": ("resistance", 1.0),
    "kΩ": ("resistance", 1e3),
    "GΩ": ("resistance", 1e9),
    "Ω·µm²": ("resistance-area product", 1e-12),
    "µΩ·cm": ("resistivity", 1e-8),
    "fF": ("capacitance", 1e-15),
    "fF/µm": ("capacitance of a length", 1e-9),
    "Ω/µm": ("resistance of a length", 1e6),
    "fJ": ("energy", 1e-15),
    "pJ": ("energy", 1e-12),
    "nW": ("power", 1e-9),
    "µW": ("power", 1e-6),
    "nW/µm": ("power of a width", 1e-3),
    "MHz": ("frequency", 1e6),
    "K": ("temperature", 1.0),
    "1/K^1.5": ("loss of polarisation", 1.0),
    "A/m": ("magnetisation", 1.0),
    "kA/m": ("magnetisation", 1e3),
    "J/m³": ("energy density", 1.0),
    "pJ/m": ("exchange stiffness", 1e-12),
    "rad/(s·T)": ("gyromagnetic ratio", 1.0),
}


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


def is_line(text: object) -> bool:
    """Whether it is text, and in one line: without line breaks and other characters that cannot be seen."""
    return isinstance(text, str) and text.isprintable()


def read_parameter(
    key: str, entry: Any, allowed: tuple[str, float, float], length: int | None = None
) -> Parameter:
    """Check one entry of a file.

    Parameters
    ----------
    key : str
        What messages name.
    entry : object
        As TOML has it.
    allowed : tuple
        A unit that fits, and the least and largest value in SI units.
    length : int, optional
        Of a parameter that is a list.

    Raises
    ------
    SpinplaneError
        Naming the key, what was found and what is allowed.
    """
    form = "{ value, unit, mark, source }"
    if not isinstance(entry, dict) or set(entry) - {"bounds"} != {"value", "unit", "mark", "source"}:
        raise SpinplaneError(f"{key} = {shown(entry)}: must be a table {form}")
    unit, low, high = allowed
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
    values = value if length and isinstance(value, (list, tuple)) else [value]
    if not all(type(v) in (int, float) and isfinite(v) for v in values) or len(values) != (length or 1):
        wanted = f"a list of {length} numbers" if length else "a number"
        raise SpinplaneError(f"{key}: value = {shown(value)}: must be {wanted}")
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
