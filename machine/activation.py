"""Constants of batch normalisation and activation: how an accumulator becomes a code or a raw value."""

from dataclasses import dataclass

from .coding import Rounding
from .descriptor import THRESHOLD_BITS, THRESHOLDS, Descriptor, Requantize
from .errors import SpinplaneError
from .quantizer import CODE_BITS

#: Bits of a sum before scaling, of its multiplier, and of their product.
VALUE_BITS = 32
SCALE_BITS = 24
PRODUCT_BITS = VALUE_BITS + SCALE_BITS
#: A window sum is unsigned with 24 bits, or negative where the input is signed; its factor holds two codes.
WINDOW_SUM_BITS = 25
WINDOW_SCALE_BITS = 9
#: A region has at most 15·15 windows, and no product exceeds 2^54 in magnitude: a sum fits in 63 bits.
POOLED_BITS = 63
RAW_BITS = 32
ACTIVATION_SHIFT_BITS = 6


@dataclass(frozen=True, kw_only=True)
class ActivationConfiguration:
    """How a value y becomes the next layer's code; held constant during a layer.

    ``SHIFT``: clip(round(y / 2^shift), low, high). ``THRESHOLDS``: low + number of thresholds that are at most y,
    which says every rising step function: sign, ReLU and (tanh x + 1)/2 of few bits. ``RAW``: y itself.

    Parameters
    ----------
    requantize : Requantize
    absolute : bool
        Take |y| in place of y.
    shift : int
        0 to 63.
    rounding : Rounding
    low, high : int
        −256 to 255, low not above high.
    thresholds : tuple of int
        At most 15 numbers of 48 bits, ascending; low + their number is at most 255.

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
    thresholds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        code, threshold = 2 ** (CODE_BITS - 1), 2 ** (THRESHOLD_BITS - 1)
        _check_range("shift", self.shift, 0, 2**ACTIVATION_SHIFT_BITS - 1)
        _check_range("low", self.low, -code, code - 1)
        _check_range("high", self.high, -code, code - 1)
        for name, kind in (("requantize", Requantize), ("rounding", Rounding)):
            if not isinstance(getattr(self, name), kind):
                allowed = ", ".join(map(str, kind))
                raise SpinplaneError(f"{name} = {getattr(self, name)!r}: allowed are {allowed}")
        if type(self.absolute) is not bool:
            raise SpinplaneError(f"absolute = {self.absolute!r}: allowed are True and False")
        if self.low > self.high:
            raise SpinplaneError(f"low = {self.low}: allowed is at most high = {self.high}")
        if len(self.thresholds) > THRESHOLDS:
            raise SpinplaneError(f"{len(self.thresholds)} thresholds: allowed are at most {THRESHOLDS}")
        for value in self.thresholds:
            _check_range("thresholds", value, -threshold, threshold - 1)
        if list(self.thresholds) != sorted(self.thresholds):
            raise SpinplaneError(f"thresholds = {self.thresholds}: allowed are ascending ones")
        if self.low + len(self.thresholds) >= code:
            raise SpinplaneError(
                f"low = {self.low}: allowed is at most {code - 1 - len(self.thresholds)} "
                f"with {len(self.thresholds)} thresholds"
            )

    @classmethod
    def from_descriptor(cls, descriptor: Descriptor) -> "ActivationConfiguration":
        """What a descriptor says of the activation.

        Raises
        ------
        SpinplaneError
            If a field holds what the unit cannot take.
        """
        codes = {"requantize": [kind.value for kind in Requantize], "rounding": [r.value for r in Rounding]}
        for name, allowed in codes.items():
            if descriptor[name] not in allowed:
                raise SpinplaneError(
                    f"descriptor field {name} = {descriptor[name]}: allowed are 0 to {max(allowed)}"
                )
        return cls(
            requantize=Requantize(descriptor["requantize"]),
            absolute=bool(descriptor["absolute"]),
            shift=descriptor["shift"],
            rounding=Rounding(descriptor["rounding"]),
            low=descriptor["low"],
            high=descriptor["high"],
            thresholds=tuple(descriptor.thresholds),
        )


def _check_range(field: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SpinplaneError(f"{field} = {value!r}: allowed are whole numbers from {low} to {high}")
