"""How integers stand for values: operand codings and rounding rules."""

import enum
from dataclasses import dataclass

from .errors import SpinplaneError

MAX_BITS = 8


class Coding(enum.Enum):
    """What the stored bits of an operand mean.

    ``UNSIGNED``: the code itself, 0 … 2^N−1. ``TWOS_COMPLEMENT``: the top plane weighs −2^(N−1).
    ``BIPOLAR``: one bit, 0 for −1 and 1 for +1. ``DOREFA``: 2q − (2^N−1), the odd integers that DoReFa's
    weight quantizer 2·q_k(·) − 1 yields after multiplication by 2^N−1.
    """

    UNSIGNED = "unsigned"
    TWOS_COMPLEMENT = "twos_complement"
    BIPOLAR = "bipolar"
    DOREFA = "dorefa"


@dataclass(frozen=True, kw_only=True)
class Operand:
    """Bit-width and coding of an input or a weight.

    A value is ``scale·q + offset``, with q the unsigned or two's-complement number that the planes spell: the number
    that the coding makes of the planes, less the zero point.

    Parameters
    ----------
    bits : int
        Number of bit-planes, 1 to 8.
    coding : Coding
    zero_point : int

    Raises
    ------
    SpinplaneError
        If the width is outside 1 … 8, or a bipolar operand has more than one bit.
    """

    bits: int
    coding: Coding = Coding.UNSIGNED
    zero_point: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise SpinplaneError(f"operand bits = {self.bits!r}: must be a whole number from 1 to {MAX_BITS}")
        if self.coding is Coding.BIPOLAR and self.bits != 1:
            raise SpinplaneError(f"bipolar operand bits = {self.bits}: must be 1; use dorefa for more levels")

    @property
    def signed(self) -> bool:
        """Whether the top plane has a negative weight."""
        return self.coding is Coding.TWOS_COMPLEMENT

    @property
    def scale(self) -> int:
        """Factor of the planes' number in the value."""
        return 2 if self.coding in (Coding.BIPOLAR, Coding.DOREFA) else 1

    @property
    def offset(self) -> int:
        """Constant part of the value; what is not 0 makes a padded position differ from code 0."""
        return (-(2**self.bits - 1) if self.scale == 2 else 0) - self.zero_point

    @property
    def smallest(self) -> int:
        """Least value of the operand."""
        return self.offset - (2 ** (self.bits - 1) if self.signed else 0)

    @property
    def largest(self) -> int:
        """Greatest value of the operand."""
        return self.smallest + self.scale * (2**self.bits - 1)


class Rounding(enum.Enum):
    """How a quotient by a power of two becomes an integer; the value is its code in the RTL.

    ``FLOOR`` toward −∞, ``CEIL`` toward +∞, ``TO_ZERO`` and ``AWAY`` toward 0 and away from it. The others go to the
    nearest integer, and from the middle between two to the even one (``HALF_EVEN``, that of ONNX), toward +∞ or −∞
    (``HALF_UP``, ``HALF_DOWN``), away from 0 or toward it (``HALF_AWAY``, ``HALF_TO_ZERO``).
    """

    FLOOR = 0
    CEIL = 1
    TO_ZERO = 2
    AWAY = 3
    HALF_EVEN = 4
    HALF_UP = 5
    HALF_DOWN = 6
    HALF_AWAY = 7
    HALF_TO_ZERO = 8
