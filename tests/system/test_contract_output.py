"""The contract's output stage as `contract_output` spells it out, against numpy, decimal and TFLite's definitions."""

import decimal
from collections import Counter

import numpy as np
import pytest
from contract_output import (
    PARAMETERS,
    SCALES,
    clip,
    code_of,
    float32,
    half_away,
    half_up,
    pack,
    rounded,
    search,
    search_words,
    unpack,
    value_of,
)

from spinplane.machine import Machine, Rounding
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS
from spinplane.machine.passes import Pass

TINY = Machine(name="one", sub_arrays=1, rows=8, columns=32, segments=1)
DECIMAL = {
    Rounding.FLOOR: decimal.ROUND_FLOOR,
    Rounding.CEIL: decimal.ROUND_CEILING,
    Rounding.TO_ZERO: decimal.ROUND_DOWN,
    Rounding.AWAY: decimal.ROUND_UP,
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_AWAY: decimal.ROUND_HALF_UP,
    Rounding.HALF_TO_ZERO: decimal.ROUND_HALF_DOWN,
}


def some_numbers(seed: int, bits: int, count: int = 400) -> list[int]:
    """Of all magnitudes, and around powers of two."""
    rng = np.random.default_rng(seed)
    widths, numbers = rng.integers(0, bits, count).tolist(), rng.integers(0, 1 << 62, count).tolist()
    signs = rng.choice([-1, 1], count).tolist()
    around = [sign * ((1 << bit) + d) for bit in range(bits - 1) for d in (-1, 0, 1) for sign in (-1, 1)]
    return around + [
        sign * (number % (1 << width)) for number, width, sign in zip(numbers, widths, signs, strict=True)
    ]


def test_numbers_of_a_channel_lie_where_the_machine_says() -> None:
    for layout, fields in ((PARAMETERS, PARAMETER_FIELDS), (SCALES, SCALE_FIELDS)):
        assert [(name, abs(width), width < 0) for name, width in layout] == [
            (field.name, field.bits, field.signed) for field in fields
        ]
    assert unpack(PARAMETERS, 0b101 << 66 | 7 << 50 | 0x1FF << 41 | 0x0FF << 32 | 1 << 31) == {
        "bias": -(1 << 31),
        "low": 255,
        "high": -1,
        "threshold_base": 7,
        "least": 1,
        "search": 0,
        "falling": 1,
    }
    numbers = {"multiplier": -5, "residual_multiplier": 6, "offset": -7, "shift": 63, "high_shift": 1}
    word = pack(SCALES, numbers)
    assert (word >> 112 & 0x3F, word >> 118, word >> 64 & 0xFF) == (63, 1, 0xF9)
    assert unpack(SCALES, word | 0xF << 124) == numbers


@pytest.mark.parametrize("rounding", list(Rounding))
def test_quotients_are_rounded_as_decimal_fractions_are(rounding: Rounding) -> None:
    decimal.getcontext().prec = 200
    for number in [*range(-40, 41), *some_numbers(1, 64)]:
        for shift in (0, 1, 2, 3, 31, 63):
            exact = decimal.Decimal(number) / (1 << shift)
            half = decimal.Decimal("0.5")
            if rounding is Rounding.HALF_UP:
                wanted = (exact + half).to_integral_value(decimal.ROUND_FLOOR)
            elif rounding is Rounding.HALF_DOWN:
                wanted = (exact - half).to_integral_value(decimal.ROUND_CEILING)
            else:
                wanted = exact.to_integral_value(DECIMAL[rounding])
            assert rounded(number, shift, rounding) == wanted
            if rounding is Rounding.HALF_UP:
                assert half_up(number, shift) == wanted


def test_a_whole_number_keeps_what_float32_keeps() -> None:
    numbers = np.array(some_numbers(2, 63, 5000))
    assert [float32(number) for number in numbers.tolist()] == [int(x) for x in numbers.astype(np.float32)]
    sums = np.array(some_numbers(3, 35, 5000))
    significands = np.random.default_rng(3).integers(1 << 23, 1 << 24, len(sums))
    products = sums.astype(np.float32) * significands.astype(np.float32)
    found = [
        float32(float32(total) * factor)
        for total, factor in zip(sums.tolist(), significands.tolist(), strict=True)
    ]
    assert found == [int(x) for x in products]


def test_doubling_high_multiply_and_rounding_shift_are_those_of_tflite() -> None:
    """As gemmlowp's fixedpoint.h has them: a nudge that depends on the sign, then a division that truncates."""
    rng = np.random.default_rng(4)
    for number in some_numbers(4, 31):
        factor, shift = int(rng.integers(-(1 << 31) + 1, 1 << 31)), int(rng.integers(0, 31))
        product = number * factor
        nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
        high = nudged >> 31 if nudged >= 0 else -(-nudged >> 31)
        assert half_up(product, 31) == high
        mask = (1 << shift) - 1
        threshold = (mask >> 1) + (high < 0)
        assert half_away(high, shift) == (high >> shift) + ((high & mask) > threshold)


def test_a_float_scale_is_that_of_a_quantized_convolution() -> None:
    """As ONNX's QLinearConv: the sum as float32 times a float32, to the nearest whole number, plus the zero point."""
    rng = np.random.default_rng(5)
    for total in some_numbers(5, 32):
        scale, zero = np.float32(rng.uniform(2**-24, 2**-16)), int(rng.integers(0, 256))
        significand, exponent = np.frexp(scale)
        n = Pass(machine=TINY, multiplies=True, float_scale=True, rounding=Rounding.HALF_EVEN, out_zero=zero)
        scales = {"multiplier": int(significand * (1 << 24)), "offset": 0, "shift": 24 - int(exponent)}
        parameters = {"search": 0, "low": -zero, "high": 255 - zero}
        code = code_of(n, parameters, scales, value_of(n, parameters, scales, total, 0), lambda _: 0)
        assert code == clip(int(np.rint(np.float32(np.int32(total)) * scale)) + zero, 0, 255)


@pytest.mark.parametrize("reads", range(5))
def test_a_search_counts_the_thresholds_that_are_reached(reads: int) -> None:
    rng = np.random.default_rng(reads)
    for count in {0, (5**reads - 1) // 2, 5**reads - 1}:
        thresholds = sorted(rng.integers(-1000, 1000, count).tolist())
        words = search_words(reads, thresholds)
        assert sum(map(len, words.values())) == 5**reads - 1
        assert sorted(words) == list(range(len(words)))

        def bank(at: int, words: dict[int, list[int]] = words) -> int:
            return sum((threshold & 0xFFFFFFFF) << 32 * k for k, threshold in enumerate(words[at - 9]))

        for y in [*rng.integers(-1100, 1100, 300).tolist(), *thresholds, -(1 << 62), 1 << 62]:
            assert search(reads, 9, y, bank) == sum(threshold <= y for threshold in thresholds)


def test_two_maps_are_added_as_tflite_adds_them() -> None:
    """Own codes and the residual's scaled, added, scaled again: TFLite's ADD of two maps of int8."""
    n = Pass(
        machine=TINY,
        multiplies=True,
        residual=True,
        residual_zero=128,
        residual_high_shift=11,
        residual_shift=1,
        own_code=True,
        own_rounding=Rounding.HALF_EVEN,
        own_multiplier=1 << 30,
        own_high_shift=11,
        total_offset=3,
        multiplies_total=True,
        total_multiplier=1 << 30,
        total_high_shift=31,
        total_shift=19,
        total_low=-128,
        total_high=127,
        rounding=Rounding.HALF_AWAY,
        out_zero=128,
    )
    parameters = dict.fromkeys(("search", "falling", "least", "bias", "threshold_base"), 0)
    parameters |= {"low": -128, "high": 127}
    scales = {"multiplier": 3, "high_shift": 0, "offset": 5, "shift": 4, "residual_multiplier": 1 << 30}
    found = Counter()
    for pooled in range(-900, 900, 7):
        for residual in (0, 100, 255):
            own = clip(round((3 * pooled + 5) / 16), -128, 127)
            total = own * (1 << 19) + (residual - 128) * (1 << 18) + 3
            y = value_of(n, parameters, scales, pooled, residual)
            # The total is multiplied by a half, to the nearest integer, and its middles lie above 2^18 alone.
            assert y == (total + 1) // 2
            code = code_of(n, parameters, scales, y, lambda _: 0)
            assert code == clip(half_away(y, 19), -128, 127) + 128
            found[code] += 1
    assert len(found) > 100
