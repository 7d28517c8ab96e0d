"""Operands of integers."""

import numpy as np

from spinplane.machine import MAX_BITS, Coding, Operand, SpinplaneError


def operand_of_weights(values: np.ndarray, name: str) -> Operand | None:
    """The least operand that has some integers, as `least_operand`; None if they need more than 8 bits."""
    return least_operand(values, name) if np.ptp(values) < 2**MAX_BITS else None


def least_operand(values: np.ndarray, name: str) -> Operand:
    """The least operand that has some integers, and 0 unless only a zero point brings them into 8 bits.

    Raises
    ------
    SpinplaneError
        If they need more than 8 bits, naming `name`.
    """
    low, high = min(int(values.min()), 0), max(int(values.max()), 0)
    bits = max(1, high.bit_length()) if low >= 0 else 1 + max(high.bit_length(), (~low).bit_length())
    if bits <= MAX_BITS:
        return Operand(bits=bits, coding=Coding.UNSIGNED if low >= 0 else Coding.TWOS_COMPLEMENT)
    least, greatest = int(values.min()), int(values.max())
    if greatest - least >= 2**MAX_BITS:
        raise SpinplaneError(
            f"{name}: values {least} to {greatest} need {bits} bits, the engine takes 1 to {MAX_BITS}"
        )
    return Operand(bits=max(1, (greatest - least).bit_length()), coding=Coding.UNSIGNED, zero_point=-least)
