"""Constants of the quantizer: how an accumulator becomes the next layer's code."""

from dataclasses import dataclass

from .coding import Rounding
from .errors import SpinplaneError

#: Widths of the configuration's fields. A multiplier is unsigned; offset and codes are signed. Codes of 9
#: bits hold both int8 and uint8.
MULTIPLIER_BITS = 16
OFFSET_BITS = 48
QUANTIZER_SHIFT_BITS = 6
CODE_BITS = 9

_LARGEST_SHIFT = 47


@dataclass(frozen=True, kw_only=True)
class QuantizerConfiguration:
    """clip(round((value · multiplier + offset) / 2^shift), low, high).

    Eq. 4 after ReLU, on whole numbers of which u are the value 1, is the case multiplier / 2^shift =
    (2^k − 1) / u, low = 0 and high = 2^k − 1.

    Parameters
    ----------
    multiplier : int
        0 to 2^16 − 1.
    offset : int
        −2^47 to 2^47 − 1.
    shift : int
        0 to 47.
    rounding : Rounding
    low, high : int
        −256 to 255, low not above high.

    Raises
    ------
    SpinplaneError
        For a value that is not allowed, naming the field, the value and what is allowed.
    """

    multiplier: int = 1
    offset: int = 0
    shift: int = 0
    rounding: Rounding = Rounding.FLOOR
    low: int
    high: int

    def __post_init__(self) -> None:
        code, offset = 2 ** (CODE_BITS - 1), 2 ** (OFFSET_BITS - 1)
        self._check_range("multiplier", 0, 2**MULTIPLIER_BITS - 1)
        self._check_range("offset", -offset, offset - 1)
        self._check_range("shift", 0, _LARGEST_SHIFT)
        self._check_range("low", -code, code - 1)
        self._check_range("high", -code, code - 1)
        if not isinstance(self.rounding, Rounding):
            raise SpinplaneError(f"rounding = {self.rounding!r}: allowed are {', '.join(map(str, Rounding))}")
        if self.low > self.high:
            raise SpinplaneError(f"low = {self.low}: allowed is at most high = {self.high}")

    def _check_range(self, field: str, low: int, high: int) -> None:
        value = getattr(self, field)
        if type(value) is not int or not low <= value <= high:
            raise SpinplaneError(f"{field} = {value!r}: allowed are whole numbers from {low} to {high}")
