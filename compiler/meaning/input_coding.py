"""How a user's numbers become the values of a network's input, in float32 as models compute it."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from spinplane.machine import Rounding, SpinplaneError

from .rounding import round_floats, round_floats_exactly


@dataclass(frozen=True, kw_only=True, eq=False)
class InputOperation:
    """An operation on the network's input in float32, before it is quantized.

    Parameters
    ----------
    kind : {"multiply", "divide", "add", "subtract", "maximum", "minimum"}
        As numpy names them: x · constant, x ÷ constant, …; ``maximum`` is a lower bound, ``minimum`` an upper one.
    constant : ndarray of shape () or (channels,)
    """

    kind: Literal["multiply", "divide", "add", "subtract", "maximum", "minimum"]
    constant: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """What becomes of numbers of shape (batch, channels, height, width), float32."""
        function: np.ufunc = getattr(np, self.kind)
        constant = np.asarray(self.constant, dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # what leaves float32 is infinite, and clipped
            return function(x, constant.reshape(-1, 1, 1) if constant.ndim else constant)


@dataclass(frozen=True, kw_only=True, eq=False)
class InputCoding:
    """How a user's numbers become values, in float32 as models compute it.

    With x what the operations leave of a number,

        code  = clip(round(x / scale + zero_point) + shift, low, high)
        value = code − zero_point, or 2 · (code − zero_point) where the zero point is a half

    An operator that adds its zero point after rounding has zero point 0 here, with `low` and `high` less its own; one
    that has several of them adds these as `shift`, and its values are the codes.

    Parameters
    ----------
    operations : tuple of InputOperation
        In the order in which they are computed.
    scale, zero_point : float
    shift : ndarray of shape () or (channels,), int64
    rounding : Rounding
    low, high : int
        Least and greatest code.
    exact : bool
        The rounding is the exact one of halves away from zero, as TFLite has it: QONNX's adds a half in float32.
    bipolar : bool
        The value is 1 where x ≥ 0, and −1 elsewhere; scale, zero point and rounding have no meaning.
    """

    operations: tuple[InputOperation, ...] = ()
    scale: float = 1.0
    zero_point: float = 0.0
    shift: np.ndarray = field(default_factory=lambda: np.zeros((), dtype=np.int64))
    rounding: Rounding = Rounding.HALF_EVEN
    low: int
    high: int
    exact: bool = False
    bipolar: bool = False

    @property
    def parts(self) -> "tuple[InputCoding, ...]":
        """The coding alone."""
        return (self,)

    @property
    def levels(self) -> np.ndarray:
        """All values, ascending, int64."""
        if self.bipolar:
            return np.array([-1, 1], dtype=np.int64)
        return self._values(np.arange(self.low, self.high + 1))

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Values, int64, of numbers of shape (batch, channels, height, width), float32.

        Raises
        ------
        SpinplaneError
            If the operations give what is not a number, as ∞ − ∞ is.
        """
        for operation in self.operations:
            x = operation.apply(x)
        if np.isnan(x).any():
            raise SpinplaneError("input: the operations before its quantizer give what is not a number")
        if self.bipolar:
            return np.where(x >= 0, 1, -1).astype(np.int64)
        with np.errstate(over="ignore"):
            scaled = x / np.float32(self.scale) + np.float32(self.zero_point)
        rounded = round_floats_exactly(scaled) if self.exact else round_floats(scaled, self.rounding)
        return self._values(np.clip(rounded + self.shift.reshape(-1, 1, 1), self.low, self.high))

    def _values(self, codes: np.ndarray) -> np.ndarray:
        step = 1 if float(self.zero_point).is_integer() else 2
        return (step * (codes - np.float32(self.zero_point))).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class InputCodings:
    """Several codings of the same numbers, side by side along the channels.

    A value is the number of a level of its coding, from 0.

    Parameters
    ----------
    parts : tuple of InputCoding
    """

    parts: tuple[InputCoding, ...]

    def encode(self, x: np.ndarray) -> np.ndarray:
        """As `InputCoding.encode`, of shape (batch, parts · channels, height, width)."""
        return np.concatenate([np.searchsorted(part.levels, part.encode(x)) for part in self.parts], axis=1)
