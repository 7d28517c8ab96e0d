"""Clocks: as a user writes them, and the one of a machine whose array is of a technology."""

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from .errors import SpinplaneError, shown

_HERTZ = {"Hz": 1, "kHz": 10**3, "MHz": 10**6, "GHz": 10**9}
_PER_SECOND = {"s": 1, "ms": 10**3, "µs": 10**6, "us": 10**6, "ns": 10**9, "ps": 10**12}
_CLOCK = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?([a-zA-Zµ]+)")
#: From one cycle in a thousand seconds to a cycle of a femtosecond.
_SLOWEST, _QUICKEST = Fraction(1, 1000), Fraction(10**15)
_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class MachineClock:
    """The clock of a machine whose array is of a technology.

    Parameters
    ----------
    technology : str
    clock_hz : float
    fastest_hz : float
        The fastest one at which the machine's sense and write cycles are long enough for the technology.
    """

    technology: str
    clock_hz: float
    fastest_hz: float

    def time_us(self, cycles: int) -> float:
        """How long cycles last, in µs."""
        return cycles / self.clock_hz * 1e6

    def __str__(self) -> str:
        clock = clock_text(self.clock_hz)
        if self.clock_hz == self.fastest_hz:
            return f"{clock}, the fastest with {self.technology}"
        return f"{clock}, up to {clock_text(self.fastest_hz)} with {self.technology}"


def clock_hz(text: str) -> float:
    """A clock in Hz, from its frequency or its period as text, such as ``500MHz``, ``1.2 GHz`` and ``2ns``.

    Raises
    ------
    SpinplaneError
        If it is neither, or beyond all machines.
    """
    found = _CLOCK.fullmatch(text) if isinstance(text, str) else None
    number, unit = (Fraction(found[1]), found[2]) if found else (Fraction(0), "")
    if number and unit in _HERTZ:
        hertz = number * _HERTZ[unit]
    elif number and unit in _PER_SECOND:
        hertz = _PER_SECOND[unit] / number
    else:
        raise SpinplaneError(
            f"clock {shown(text)}: must be a frequency or a period with its unit, such as 500MHz, 1.2GHz or 2ns"
        )
    if not _SLOWEST <= hertz <= _QUICKEST:
        raise SpinplaneError(f"clock {shown(text)}: must be from 1000 s to 1 fs")
    return float(hertz)


def clock_text(hertz: float) -> str:
    """A clock's frequency with its unit, never faster than it is: what `clock_hz` reads is the same or slower."""
    exact = Decimal(f"{hertz:.12g}")
    unit, factor = max(
        ((unit, factor) for unit, factor in _HERTZ.items() if factor <= exact or factor == 1),
        key=lambda entry: entry[1],
    )
    scaled = exact / factor
    digit = Decimal(1).scaleb(scaled.adjusted() + 1 - _DIGITS)
    rounded = scaled.quantize(min(digit, Decimal(1)), rounding=ROUND_DOWN).normalize()
    return f"{rounded:f} {unit}"
