"""Additions of codes: what happens to a layer's own value after its steps, alone or with an earlier layer's value."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from spinplane.machine import Rounding

from .doubling import multiply_doubling
from .fused import fused_multiply_add
from .rounding import round_quotients


@dataclass(frozen=True, kw_only=True)
class CodeAddition:
    """A sum of two scaled values, exact until it is rounded.

    q     = clip(round(own · own_scale + r · residual_scale + offset), low, high)
    value = value_scale · q + value_offset

    Parameters
    ----------
    source : int or None
        Number of the earlier layer whose output is r, −1 for the network's input. None: a second quantizer in a row,
        which takes the own value alone.
    own_scale, residual_scale, offset : Fraction
        A zero point that is added before the rounding is part of the offset.
    rounding : Rounding
    low, high : int
        Least and greatest code.
    value_scale, value_offset : int
        From codes to values of the output's operand: 1 and minus the zero point where levels are consecutive.
    error : Fraction
        Greatest difference of a float32 evaluation before the rounding, as `near_ties` defines it.
    """

    source: int | None
    own_scale: Fraction
    residual_scale: Fraction = Fraction(0)
    offset: Fraction = Fraction(0)
    rounding: Rounding = Rounding.HALF_EVEN
    low: int
    high: int
    value_scale: int = 1
    value_offset: int = 0
    error: Fraction = Fraction(0)

    @property
    def levels(self) -> np.ndarray:
        """Values that it gives, ascending."""
        return self.value_scale * np.arange(self.low, self.high + 1, dtype=np.int64) + self.value_offset

    def apply(self, own: np.ndarray, residual: np.ndarray | None = None) -> np.ndarray:
        """Values of the own values and those of the other layer, both int64 and of one shape."""
        factors = (self.own_scale, self.residual_scale, self.offset)
        denominator = int(np.lcm.reduce([f.denominator for f in factors], dtype=object))
        own_scale, residual_scale, offset = (int(f * denominator) for f in factors)
        exact = own.astype(object) * own_scale + offset
        if residual is not None:
            exact = exact + residual.astype(object) * residual_scale
        codes = np.clip(round_quotients(exact, denominator, self.rounding), self.low, self.high)
        return self.value_scale * codes.astype(np.int64) + self.value_offset


@dataclass(frozen=True, kw_only=True)
class DoublingAddition:
    """TFLite's ADD or SUB of two values, both less their zero points.

    Both are shifted left by `left_shift`, multiplied, added, and the sum is multiplied and clipped; every
    multiplication is that of `DoublingMultiply`.

    Parameters
    ----------
    source : int
        Number of the earlier layer whose output is added, −1 for the network's input.
    left_shift : int
    own_multiplier, residual_multiplier, output_multiplier : int
        0 to 2^31 − 1; one of an addend that is subtracted (SUB) is negative.
    own_shift, residual_shift, output_shift : int
        −31 to 30; to the left where positive.
    low, high : int
        Least and greatest value: codes less their zero point.
    """

    source: int
    left_shift: int
    own_multiplier: int
    own_shift: int
    residual_multiplier: int
    residual_shift: int
    output_multiplier: int
    output_shift: int
    low: int
    high: int

    @property
    def levels(self) -> np.ndarray:
        """Values that it gives, ascending."""
        return np.arange(self.low, self.high + 1, dtype=np.int64)

    def apply(self, own: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Values of the own values and those of the other layer, both int64 and of one shape.

        Raises
        ------
        SpinplaneError
            If a number that is shifted to the left leaves 32 bits.
        """
        own_part = multiply_doubling(own << self.left_shift, self.own_multiplier, self.own_shift)
        residual_part = multiply_doubling(
            residual << self.left_shift, self.residual_multiplier, self.residual_shift
        )
        scaled = multiply_doubling(own_part + residual_part, self.output_multiplier, self.output_shift)
        return np.clip(scaled, self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class FloatAddition:
    """onnxruntime's QLinearAdd: float32, with fused multiplications and additions that round once each.

    code  = clip(rint(first · first_scale + (second · second_scale + offset)), low, high)
    value = code + value_offset

    Parameters
    ----------
    source : int
        Number of the earlier layer whose output is added, −1 for the network's input.
    own_is_first : bool
        Whether the own code is the first one, or that of the source.
    own_scale, residual_scale, offset : float32
    own_zero, residual_zero : int
        What values lack to be codes.
    low, high : int
        Least and greatest code.
    value_offset : int
    """

    source: int
    own_is_first: bool
    own_scale: np.float32
    residual_scale: np.float32
    offset: np.float32
    own_zero: int
    residual_zero: int
    low: int
    high: int
    value_offset: int

    @property
    def levels(self) -> np.ndarray:
        """Values that it gives, ascending."""
        return np.arange(self.low, self.high + 1, dtype=np.int64) + self.value_offset

    def apply(self, own: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Values of the own values and those of the other layer, both int64 and of one shape."""
        parts = [(own + self.own_zero, self.own_scale), (residual + self.residual_zero, self.residual_scale)]
        first, second = parts if self.own_is_first else parts[::-1]
        total = fused_multiply_add(*second, np.broadcast_to(self.offset, own.shape))
        total = fused_multiply_add(*first, total)
        return np.clip(np.rint(total), self.low, self.high).astype(np.int64) + self.value_offset


def float_offset(
    scales: tuple[np.float32, np.float32], zero_points: tuple[int, int], zero_point: int
) -> np.float32:
    """The offset of QLinearAdd's codes: the sum's zero point less those of both operands, scaled and rounded."""
    second = np.float32(scales[1] * np.float32(zero_points[1]))
    both = fused_multiply_add(np.array(zero_points[0]), scales[0], np.array(second))
    return np.float32(np.float32(zero_point) - both)


Addition = CodeAddition | DoublingAddition | FloatAddition
