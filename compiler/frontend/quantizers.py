"""QONNX's quantizers: their levels, and the integers that stand for these."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ..graph import InputCoding

_ROUND = {"ROUND": np.rint, "FLOOR": np.floor, "CEIL": np.ceil}


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Levels of a quantizer: real = scale · value.

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
    zero_point : float
    low : int
        Code of the least level.
    rounding : str
        ``ROUND`` (half to even), ``FLOOR``, ``CEIL``, or ``SIGN`` for ±1.
    """

    name: str
    operand: Operand
    values: np.ndarray
    scale: float | np.ndarray
    step: float | np.ndarray
    zero_point: float
    low: int
    rounding: str

    def index(self, real: np.ndarray) -> np.ndarray:
        """Which level real numbers become, computed as QONNX does."""
        if self.rounding == "SIGN":
            return (real >= 0).astype(np.int64)
        step = np.asarray(self.step, dtype=real.dtype)
        codes = _ROUND[self.rounding](real / step + real.dtype.type(self.zero_point))
        return np.clip(codes, self.low, self.low + len(self.values) - 1).astype(np.int64) - self.low

    def quantize(self, real: np.ndarray) -> np.ndarray:
        """Integer values of real numbers."""
        return self.values[self.index(np.asarray(real, dtype=np.float32))]

    def holds(self, other: "Levels") -> bool:
        """Whether the levels of `other` pass unchanged."""
        real = np.asarray(other.values * np.float64(other.scale), dtype=np.float32)
        return bool(
            np.allclose(self.values[self.index(real)] * np.float64(self.scale), real, rtol=1e-6, atol=0)
        )

    def input_coding(self, multiply: float, subtract: float) -> InputCoding:
        """How a user's values become codes.

        Raises
        ------
        SpinplaneError
            If the quantizer does not round to nearest, or its zero point is not a whole number.
        """
        if self.rounding != "ROUND" or self.zero_point != round(self.zero_point):
            raise SpinplaneError(
                f"{self.name}: the input must be rounded to nearest, with a whole zero point"
            )
        return InputCoding(
            scale=float(np.reshape(self.step, ())),
            zero_point=self.zero_point,
            multiply=multiply,
            subtract=subtract,
            low=self.low,
            high=self.low + len(self.values) - 1,
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
        low=0,
        rounding="SIGN",
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
    if np.size(bits) != 1 or np.size(zero_point) != 1 or rounding not in _ROUND:
        raise SpinplaneError(
            f"{name}: expected one bit width, one zero point and rounding {', '.join(_ROUND)}"
        )
    width, zero = float(np.reshape(bits, ())), float(np.reshape(zero_point, ()))
    if width != round(width) or not 1 <= width <= 8:
        raise SpinplaneError(f"{name}: {width:g} bits: must be from 1 to 8")
    n = int(width)
    if n == 1 and signed:
        # QONNX takes the sign, as BipolarQuant does.
        if zero:
            raise SpinplaneError(f"{name}: a signed quantizer of 1 bit has zero point {zero:g}, expected 0")
        return bipolar(scale, name)
    low = -(2 ** (n - 1)) + narrow if signed else 0
    high = 2 ** (n - 1) - 1 if signed else 2**n - 1 - narrow
    codes = np.arange(low, high + 1, dtype=np.int64)
    if not signed and not narrow and 2 * zero == 2**n - 1:
        # DoReFa's levels lie around 0 without holding it: the odd numbers.
        operand, values, of_value = Operand(bits=n, coding=Coding.DOREFA), 2 * codes - (2**n - 1), factor / 2
    elif zero == round(zero):
        values, of_value = codes - int(zero), factor
        operand = _operand(int(values[0]), int(values[-1]), name)
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
        zero_point=zero,
        low=low,
        rounding=rounding,
    )


def _operand(low: int, high: int, name: str) -> Operand:
    bits = max(1, high.bit_length()) if low >= 0 else 1 + max(high.bit_length(), (~low).bit_length())
    if bits > 8:
        raise SpinplaneError(f"{name}: values {low} to {high} need {bits} bits, the engine takes 1 to 8")
    return Operand(bits=bits, coding=Coding.UNSIGNED if low >= 0 else Coding.TWOS_COMPLEMENT)


def _positive(scale: np.ndarray, name: str) -> np.ndarray | float:
    factor = np.asarray(scale, dtype=np.float64)
    if not (np.isfinite(factor) & (factor > 0)).all():
        raise SpinplaneError(f"{name}: its scale must be positive")
    return float(factor.reshape(())) if factor.size == 1 else factor
