"""Eq. 3, written once and plainly: the oracle that everything faster or physical is compared with.

A dot product of integers is a sum over pairs of bit-planes, and a pair of planes needs only what the memory
can do, an AND and a count::

    I*W = Σm Σn ±2^(m+n) · bitcount(and(Cn(W), Cm(I)))

Cn(W) is the vector of bits n of all weights, Cm(I) that of bits m of all inputs.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import Coding, Operand, SpinplaneError


def bit_planes(codes: ArrayLike, bits: int, *, signed: bool = False) -> NDArray[np.uint8]:
    """C_0 … C_(bits−1) of whole numbers, least significant plane first.

    Parameters
    ----------
    codes : array_like of int, any shape
        From 0 to 2^bits − 1, or from −2^(bits−1) to 2^(bits−1) − 1 if `signed`.
    bits : int
        Number of planes, 1 to 8.
    signed : bool
        Negative codes are spelled in two's complement.

    Returns
    -------
    ndarray of shape (bits, *codes.shape), uint8
        Zeros and ones.

    Raises
    ------
    ValueError
        If a code does not fit in its planes.

    Examples
    --------
    >>> bit_planes([1, 6, 3], bits=3)
    array([[1, 0, 1],
           [0, 1, 1],
           [0, 1, 0]], dtype=uint8)
    """
    numbers = integers(codes, "codes")
    coding = Coding.TWOS_COMPLEMENT if signed else Coding.UNSIGNED
    operand = Operand(bits=bits, coding=coding)
    outside = (numbers < operand.smallest) | (numbers > operand.largest)
    if outside.any():
        raise ValueError(
            f"code {numbers[outside].min()} does not fit in {bits} planes: "
            f"must be from {operand.smallest} to {operand.largest}"
        )
    return np.stack([(numbers >> n & 1).astype(np.uint8) for n in range(bits)])


def from_bit_planes(planes: ArrayLike, *, signed: bool = False) -> NDArray[np.int64]:
    """Whole numbers from their bit-planes: the inverse of `bit_planes`.

    Parameters
    ----------
    planes : array_like of shape (bits, ...)
        Zeros and ones, least significant plane first.
    signed : bool
        The last plane weighs −2^(bits−1).
    """
    stack = integers(planes, "planes")
    return sum(
        (sign_of_plane(n, len(stack), signed) * 2**n * plane for n, plane in enumerate(stack)),
        start=np.zeros(stack.shape[1:], dtype=np.int64),
    )


def sign_of_plane(n: int, bits: int, signed: bool) -> int:
    """−1 for the top plane of a two's complement number, else +1."""
    return -1 if signed and n == bits - 1 else 1


def encode(values: ArrayLike, operand: Operand) -> NDArray[np.uint8]:
    """Unsigned numbers that the planes of an operand spell for `values`.

    Raises
    ------
    SpinplaneError
        If the operand cannot hold a value, naming the smallest such value and the range.

    Examples
    --------
    >>> encode([-1, 1], Operand(bits=1, coding=Coding.BIPOLAR))
    array([0, 1], dtype=uint8)
    >>> encode([-2, -1, 0, 1], Operand(bits=2, coding=Coding.TWOS_COMPLEMENT))
    array([2, 3, 0, 1], dtype=uint8)
    """
    numbers = integers(values, "values")
    outside = (numbers < operand.smallest) | (numbers > operand.largest)
    quotient, remainder = np.divmod(np.where(outside, 0, numbers) - operand.offset, operand.scale)
    outside |= remainder != 0
    if outside.any():
        steps = f" in steps of {operand.scale}" if operand.scale > 1 else ""
        raise SpinplaneError(
            f"value {numbers[outside].min()} does not fit a {operand.bits}-bit {operand.coding.value} operand: "
            f"must be from {operand.smallest} to {operand.largest}{steps}"
        )
    return (quotient % 2**operand.bits).astype(np.uint8)


def decode(codes: ArrayLike, operand: Operand) -> NDArray[np.int64]:
    """Values of unsigned codes: the inverse of `encode`."""
    planes = bit_planes(codes, operand.bits)
    return operand.scale * from_bit_planes(planes, signed=operand.signed) + operand.offset


def bitcount(bits: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of ones along the last axis."""
    return bits.sum(axis=-1, dtype=np.int64)


def bitplane_dot(
    weights: ArrayLike, inputs: ArrayLike, w: Operand, i: Operand, valid: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Σ weights·inputs over the last axis by Eq. 3, from ANDs and bit-counts alone.

    A pair of planes subtracts when exactly one of them is the top plane of a two's complement operand.
    Bipolar and DoReFa values are scale·q + offset of the number q that their planes spell, so that, with v
    the valid positions and q_i = 0 elsewhere::

        Σ v·(s_w·q_w + o_w)·(s_i·q_i + o_i)
            = s_w·s_i·Σ q_w·q_i  +  s_w·o_i·Σ q_w·v  +  o_w·s_i·Σ q_i  +  o_w·o_i·Σ v

    The first sum is Eq. 3; for ±1 vectors the whole is 4·pc(a∧w) − 2·pc(w∧v) − 2·pc(a) + pc(v).

    Parameters
    ----------
    weights, inputs : array_like of int
        Values of shapes that broadcast; the last axis has the same length in both.
    w, i : Operand
        Width and coding of the weights and of the inputs.
    valid : array_like of bool, optional
        False where an input is padding, which contributes nothing, whatever `inputs` says there.
        It broadcasts to `inputs`; without it all positions are valid.

    Returns
    -------
    ndarray, int64
        The broadcast shape without its last axis.

    Raises
    ------
    SpinplaneError
        If an operand cannot hold a value.
    """
    v = np.broadcast_to(np.uint8(1) if valid is None else np.asarray(valid, dtype=np.uint8), np.shape(inputs))
    # The value of code 0 is the offset: padding is stored as zeros.
    q_i = encode(np.where(v, integers(inputs, "inputs"), i.offset), i)
    q_w = encode(weights, w)
    if q_w.shape[-1:] != q_i.shape[-1:]:
        raise ValueError(f"last axes differ: weights of shape {q_w.shape}, inputs of shape {q_i.shape}")
    c_w, c_i = bit_planes(q_w, w.bits), bit_planes(q_i, i.bits)

    shape = np.broadcast_shapes(q_w.shape, q_i.shape)[:-1]
    products, weight_sum, input_sum = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for n in range(w.bits):
        sign_w = sign_of_plane(n, w.bits, w.signed)
        for m in range(i.bits):
            sign_i = sign_of_plane(m, i.bits, i.signed)
            products += sign_w * sign_i * 2 ** (m + n) * bitcount(c_w[n] & c_i[m])
        weight_sum += sign_w * 2**n * bitcount(c_w[n] & v)
    for m in range(i.bits):
        input_sum += sign_of_plane(m, i.bits, i.signed) * 2**m * bitcount(c_i[m])
    return (
        w.scale * i.scale * products
        + w.scale * i.offset * weight_sum
        + w.offset * i.scale * input_sum
        + w.offset * i.offset * bitcount(v)
    )


def integers(values: ArrayLike, name: str) -> NDArray[np.int64]:
    """`values` as int64.

    Raises
    ------
    TypeError
        If they are not integers, or of a type that int64 does not hold.
    """
    array = np.asarray(values)
    if not np.can_cast(array.dtype, np.int64):
        raise TypeError(f"{name} must be integers that int64 holds, not {array.dtype}")
    return array.astype(np.int64)
