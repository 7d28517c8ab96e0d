"""gemmlowp's and TFLite's fixed-point operations in Python's integers, operation by operation as in their C++."""

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def saturating_rounding_doubling_high_mul(a: int, b: int) -> int:
    if a == b == INT32_MIN:
        return INT32_MAX
    product = a * b
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    total = product + nudge
    # C++ divides toward zero.
    return abs(total) // (1 << 31) * (1 if total >= 0 else -1)


def rounding_divide_by_pot(x: int, exponent: int) -> int:
    mask = (1 << exponent) - 1
    remainder = x & mask
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


def multiply_by_quantized_multiplier(x: int, multiplier: int, shift: int) -> int:
    left_shift = shift if shift > 0 else 0
    right_shift = 0 if shift > 0 else -shift
    shifted = x * (1 << left_shift)
    assert INT32_MIN <= shifted <= INT32_MAX
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shifted, multiplier), right_shift)


def clamp(x: int, low: int, high: int) -> int:
    return min(max(x, low), high)
