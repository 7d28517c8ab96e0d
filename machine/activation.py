"""Constants of batch normalisation and activation: how an accumulator becomes a code or a raw value."""

from dataclasses import dataclass

from .coding import Rounding
from .descriptor import THRESHOLD_WORDS, THRESHOLDS_PER_WORD, Requantize
from .errors import SpinplaneError

#: Codes of 9 bits hold both int8 and uint8.
CODE_BITS = 9
#: Bits of a sum before scaling, of its multiplier, and of their product.
VALUE_BITS = 32
SCALE_BITS = 24
PRODUCT_BITS = VALUE_BITS + SCALE_BITS
#: A window sum is unsigned with 24 bits, or negative where the input is signed; its factor holds two codes.
WINDOW_SUM_BITS = 25
WINDOW_SCALE_BITS = 9
#: A region has at most 15·15 windows, and no product exceeds 2^54 in magnitude: a sum fits in 63 bits.
POOLED_BITS = 63
OFFSET_BITS = 48
RAW_BITS = 32
ACTIVATION_SHIFT_BITS = 6


@dataclass(frozen=True, kw_only=True)
class ActivationConfiguration:
    """How a value y becomes the next layer's code; held constant during a layer.

    ``SHIFT``: clip(round(y / 2^shift), low, high). ``THRESHOLDS``: low + number of the channel's thresholds that
    are at most y, which says every rising step function: sign, ReLU and (tanh x + 1)/2 of few bits. What is stored is
    code · 2^code_shift. ``RAW``: y itself.

    Parameters
    ----------
    requantize : Requantize
    absolute : bool
        Take |y| in place of y.
    shift : int
        0 to 63.
    rounding : Rounding
    low, high : int
        −256 to 255, low not above high; what is stored lies in the same range.
    threshold_words : int
        Words of four thresholds of a channel, 0 to 4; low + their number is at most 255, stored as well.
    code_shift : int
        0 or 1.

    Raises
    ------
    SpinplaneError
        For a value that is not allowed, naming the field, the value and what is allowed.
    """

    requantize: Requantize = Requantize.SHIFT
    absolute: bool = False
    shift: int = 0
    rounding: Rounding = Rounding.FLOOR
    low: int = 0
    high: int = 0
    threshold_words: int = 0
    code_shift: int = 0

    def __post_init__(self) -> None:
        code = 2 ** (CODE_BITS - 1)
        _check_range("shift", self.shift, 0, 2**ACTIVATION_SHIFT_BITS - 1)
        _check_range("low", self.low, -code, code - 1)
        _check_range("high", self.high, -code, code - 1)
        _check_range("threshold_words", self.threshold_words, 0, THRESHOLD_WORDS)
        _check_range("code_shift", self.code_shift, 0, 1)
        for name, kind in (("requantize", Requantize), ("rounding", Rounding)):
            if not isinstance(getattr(self, name), kind):
                allowed = ", ".join(map(str, kind))
                raise SpinplaneError(f"{name} = {getattr(self, name)!r}: must be one of {allowed}")
        if type(self.absolute) is not bool:
            raise SpinplaneError(f"absolute = {self.absolute!r}: must be True or False")
        if self.low > self.high:
            raise SpinplaneError(f"low = {self.low}: must be at most high = {self.high}")
        greatest = (code - 1) >> self.code_shift
        if self.low << self.code_shift < -code or self.high > greatest:
            raise SpinplaneError(
                f"low = {self.low}, high = {self.high}: must be from {-(code >> self.code_shift)} "
                f"to {greatest} with code_shift = {self.code_shift}"
            )
        if self.low + self.thresholds > greatest:
            raise SpinplaneError(
                f"low = {self.low}: must be at most {greatest - self.thresholds} with {self.thresholds} thresholds"
            )

    @property
    def thresholds(self) -> int:
        """Thresholds of a channel that are looked at."""
        by_thresholds = self.requantize is Requantize.THRESHOLDS
        return self.threshold_words * THRESHOLDS_PER_WORD if by_thresholds else 0


def _check_range(field: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SpinplaneError(f"{field} = {value!r}: must be a whole number from {low} to {high}")
