"""Booth's digits: a factor as digits −2 … 2 of two bits, of which each makes one row of a product."""

from typing import NamedTuple

from amaranth.hdl import Cat, Mux, Value

#: Bits that a digit looks at: its own two and the one below.
DIGIT_SPAN = 3


class Digit(NamedTuple):
    """Whether a digit is 1 or −1, 2 or −2, and whether it is negative; −0 negates, too."""

    one: Value
    two: Value
    negates: Value


def digit(bits: Value) -> Digit:
    """The digit of two bits of a factor, and the bit below them, which comes first."""
    lower, middle, upper = bits
    return Digit(middle ^ lower, Mux(upper, ~middle & ~lower, middle & lower), upper)


def row(of: Digit, factor: Value) -> Value:
    """Digit · signed factor, less 1 if the digit negates; the highest bit is that of the sign, inverted.

    It has a bit more than the factor. The sign's weight is negative: its inverse counts, and `sign_weights` makes up
    for it.
    """
    bits = len(factor) + 1
    single, double = Cat(factor, factor[-1]), Cat(0, factor)
    found = (single & of.one.replicate(bits)) | (double & of.two.replicate(bits))
    return found ^ Cat(of.negates.replicate(bits - 1), ~of.negates)


def sign_weights(digits: int, row_bits: int, product_bits: int) -> int:
    """What the inverted signs of all rows stand for besides themselves, modulo 2^product_bits."""
    return -sum(1 << (2 * number + row_bits - 1) for number in range(digits)) % (1 << product_bits)
