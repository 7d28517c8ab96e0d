"""QONNX's quantizers: their levels, and the integers that stand for these."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spinplane.machine import Coding, Operand, Rounding, SpinplaneError

from ..graph import InputCoding, InputOperation
from ..meaning.rounding import round_floats, step_positions
from .operands import least_operand

#: QONNX's names, whose UP and DOWN, also of halves, are away from 0 and toward it.
ROUNDINGS = {
    "ROUND": Rounding.HALF_EVEN,
    "HALF_EVEN": Rounding.HALF_EVEN,
    "CEIL": Rounding.CEIL,
    "FLOOR": Rounding.FLOOR,
    "UP": Rounding.AWAY,
    "DOWN": Rounding.TO_ZERO,
    "ROUND_TO_ZERO": Rounding.TO_ZERO,
    "HALF_UP": Rounding.HALF_AWAY,
    "HALF_DOWN": Rounding.HALF_TO_ZERO,
}
#: Codes less their zero point are values, which sums of products multiply.
_LARGEST_ZERO_POINT = 1 << 15


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Levels of a quantizer: code = clip(round(real / step + zero_point) + shift), and real = scale · (value − offset).

    Parameters
    ----------
    name : str
        Of the quantizer, for messages.
    operand : Operand
    values : ndarray of int64
        Ascending.
    scale : float or ndarray
        Of a value: one, or one for each kernel.
    step : ndarray or float
        Of a code: what a real number is divided by.
    zero_point : float or ndarray
        That is added before the rounding.
    low : int
        Code of the least level.
    rounding : Rounding
    shift : int or ndarray
        Whole zero points that are added after the rounding, where channels have several; else the codes lack it.
    offset : int or ndarray
        Values of the number 0 where channels have several; else 0.
    exact : bool
        A float input is rounded exactly: `InputCoding`.
    in_integers : bool
        The file's operator computes codes of whole numbers in whole numbers: nothing is a near-tie.
    """

    name: str
    operand: Operand
    values: np.ndarray
    scale: float | np.ndarray
    step: float | np.ndarray
    zero_point: float | np.ndarray
    low: int
    rounding: Rounding
    shift: int | np.ndarray = 0
    offset: int | np.ndarray = 0
    exact: bool = False
    in_integers: bool = False

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Where real / step + zero_point reaches the levels after the first one: `rounding.step_positions`.

        Of shape (n,), or (channels, n) where these differ.
        """
        codes = self.low + np.arange(1, len(self.values), dtype=np.int64)
        return step_positions(codes - np.expand_dims(self.shift, -1), self.rounding)

    @property
    def numbers(self) -> tuple[float | np.ndarray, ...]:
        """All that may be one number a channel."""
        return self.step, self.scale, self.zero_point, self.shift, self.offset

    @property
    def by_channel(self) -> bool:
        """Whether a number differs from channel to channel."""
        return any(np.size(number) > 1 for number in self.numbers)

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> "Levels":
        """With something done to all `numbers`, as arrays."""
        step, scale, zero_point, shift, offset = (change(np.asarray(number)) for number in self.numbers)
        return replace(self, step=step, scale=scale, zero_point=zero_point, shift=shift, offset=offset)

    def of_channels(self, chosen: np.ndarray) -> "Levels":
        """Of some channels, by their numbers, where `numbers` are one alone or one a channel."""
        return self.each(lambda number: number[chosen] if number.size > 1 else number)

    def quantize(self, real: np.ndarray) -> np.ndarray:
        """Integer values of weights less those of 0, in float32, as QONNX folds them."""
        with np.errstate(over="ignore"):  # a quotient beyond float32 is infinite, and cut like any other
            scaled = np.asarray(real, dtype=np.float32) / np.asarray(self.step, dtype=np.float32)
        codes = round_floats(scaled + np.asarray(self.zero_point, dtype=np.float32), self.rounding)
        values = self.values[np.clip(codes, self.low, self.high).astype(np.int64) - self.low]
        return values - np.asarray(self.offset, dtype=np.int64)

    @property
    def high(self) -> int:
        """Code of the greatest level."""
        return self.low + len(self.values) - 1

    def input_coding(self, operations: tuple[InputOperation, ...], step: float) -> InputCoding:
        """How a user's numbers become codes: `step` is the one scale of codes, and the zero point one, too."""
        if self.operand.coding is Coding.BIPOLAR:
            return InputCoding(operations=operations, low=-1, high=1, bipolar=True)
        return InputCoding(
            operations=operations,
            scale=step,
            zero_point=float(self.zero_point),
            shift=np.asarray(self.shift),
            rounding=self.rounding,
            low=self.low,
            high=self.high,
            exact=self.exact,
        )


def bipolar(scale: np.ndarray, name: str) -> Levels:
    """Levels of a BipolarQuant: −scale and +scale, the latter for 0.

    Raises
    ------
    SpinplaneError
        If a scale is not positive.
    """
    factor = _positive(scale, name)
    return Levels(
        name=name,
        operand=Operand(bits=1, coding=Coding.BIPOLAR),
        values=np.array([-1, 1], dtype=np.int64),
        scale=factor,
        step=factor,
        zero_point=0.0,
        low=-1,  # the sign as a code: the quotient rounded down, −1 or 0
        rounding=Rounding.FLOOR,
    )


def levels_of_quant(
    *,
    scale: np.ndarray,
    zero_point: np.ndarray,
    bits: np.ndarray,
    signed: bool,
    narrow: bool,
    rounding: str,
    name: str,
) -> Levels:
    """Levels of a Quant.

    Raises
    ------
    SpinplaneError
        If the engine's operands cannot express its bits, zero point or rounding.
    """
    factor = _positive(scale, name)
    if np.size(bits) != 1 or rounding not in ROUNDINGS:
        raise SpinplaneError(f"{name}: expected one bit width and rounding {', '.join(ROUNDINGS)}")
    width, zeros = float(np.reshape(bits, ())), np.unique(np.asarray(zero_point, dtype=np.float64))
    zero = float(zeros[abs(zeros).argmax()])
    if width != round(width) or not 1 <= width <= 8:
        raise SpinplaneError(f"{name}: {width:g} bits: must be from 1 to 8")
    if abs(zero) > _LARGEST_ZERO_POINT:
        raise SpinplaneError(
            f"{name}: zero point {zero:g}: must be from −{_LARGEST_ZERO_POINT} to {_LARGEST_ZERO_POINT}"
        )
    n = int(width)
    if n == 1 and signed:
        # QONNX takes the sign, as BipolarQuant does.
        if zero:
            raise SpinplaneError(f"{name}: a signed quantizer of 1 bit has zero point {zero:g}, expected 0")
        return bipolar(scale, name)
    low = -(2 ** (n - 1)) + narrow if signed else 0
    high = 2 ** (n - 1) - 1 if signed else 2**n - 1 - narrow
    codes = np.arange(low, high + 1, dtype=np.int64)
    offset: int | np.ndarray = 0
    if len(zeros) > 1:
        if (zeros != np.rint(zeros)).any():
            raise SpinplaneError(f"{name}: several zero points, of which not all are whole numbers")
        operand, values, of_value = least_operand(codes, name), codes, factor
        offset = np.asarray(zero_point, dtype=np.int64)
    elif not signed and not narrow and 2 * zero == 2**n - 1:
        # DoReFa's levels lie around 0 without holding it: the odd numbers.
        operand, values, of_value = Operand(bits=n, coding=Coding.DOREFA), 2 * codes - (2**n - 1), factor / 2
    elif zero == round(zero):
        operand = least_operand(codes - int(zero), name)
        values, of_value = codes - int(zero), factor
    else:
        raise SpinplaneError(
            f"{name}: zero point {zero:g} is neither a whole number nor the middle of its codes"
        )
    return Levels(
        name=name,
        operand=operand,
        values=values,
        scale=of_value,
        step=factor,
        zero_point=zero if len(zeros) == 1 else np.asarray(zero_point, dtype=np.float64),
        low=low,
        rounding=ROUNDINGS[rounding],
        offset=offset,
    )


def _positive(scale: np.ndarray, name: str) -> np.ndarray | float:
    factor = np.asarray(scale, dtype=np.float64)
    if not (np.isfinite(factor) & (factor > 0)).all():
        raise SpinplaneError(f"{name}: its scale must be positive")
    return float(factor.reshape(())) if factor.size == 1 else factor
