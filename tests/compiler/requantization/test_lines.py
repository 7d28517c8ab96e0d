"""Lines through steps: where there are any, in every rounding, and at the limits of their numbers."""

import numpy as np
import pytest

from spinplane.compiler.meaning.rounding import round_quotients
from spinplane.compiler.requantization.lines import (
    LARGEST_MULTIPLIER,
    LARGEST_OFFSET,
    Limits,
    find_lines,
    least_values,
    place_steps,
)
from spinplane.compiler.requantization.residual_lines import ResidualSteps
from spinplane.machine import Rounding

SUMS = np.arange(-700, 701)


def limits(channels=1, bias=2**31 - 1000, unit=1):
    some = np.full(channels, bias)
    return Limits(
        steepest=LARGEST_MULTIPLIER,
        largest_offset=LARGEST_OFFSET,
        unit=unit,
        bias_low=-some,
        bias_high=some,
    )


def steps_of(codes):
    """The staircase of codes of `SUMS`, from the least of them on."""
    first, last = int(codes.min()), int(codes.max())
    at = np.array([[SUMS[codes >= code].min() for code in range(first + 1, last + 1)]], dtype=np.int64)
    return place_steps(at, SUMS[:1], SUMS[-1:]), first


def line_codes(lines, unit=1, rounding=Rounding.FLOOR):
    m, o, s, bias = (int(n[0]) for n in (lines.multiplier, lines.offset, lines.shift, lines.bias))
    return round_quotients(m * (SUMS + unit * bias) + o, 1 << s, rounding)


@pytest.mark.parametrize("rounding", Rounding)
def test_the_least_number_of_each_code(rounding):
    codes = np.arange(-9, 10)
    for shift in range(5):
        least = least_values(codes, np.array(shift), rounding)
        assert (round_quotients(least, 1 << shift, rounding) >= codes).all()
        assert (round_quotients(least - 1, 1 << shift, rounding) < codes).all()


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("shift", [3, 5])
def test_a_power_of_two_is_found_in_its_own_rounding(rounding, shift):
    stairs, first = steps_of(round_quotients(SUMS, 1 << shift, rounding))
    lines = find_lines(stairs, first, rounding, limits())
    assert lines.fits.all()
    assert (line_codes(lines, rounding=rounding) == round_quotients(SUMS, 1 << shift, rounding)).all()


def test_ties_to_even_are_no_line_of_another_rounding():
    stairs, first = steps_of(round_quotients(SUMS, 8, Rounding.HALF_EVEN))
    found = {rounding: bool(find_lines(stairs, first, rounding, limits()).fits[0]) for rounding in Rounding}
    assert [rounding for rounding, fits in found.items() if fits] == [Rounding.HALF_EVEN]


@pytest.mark.parametrize("places", [[0], [5, 5, 5], [5, 5, 6, 6], [-700], [701], [-699, 700]])
def test_jumps_by_several_codes_and_ends(places):
    codes = sum((place <= SUMS).astype(np.int64) for place in places)
    stairs = place_steps(np.array([places]), SUMS[:1], SUMS[-1:])
    lines = find_lines(stairs, 0, Rounding.FLOOR, limits())
    assert lines.fits.all()
    low, high = stairs.reached[0], stairs.passed[0]
    assert (np.clip(line_codes(lines), low, high) == codes).all()


def test_a_bent_staircase_has_no_line():
    codes = np.where(SUMS < 0, SUMS // 70, SUMS // 7)
    stairs, first = steps_of(codes)
    assert not find_lines(stairs, first, Rounding.FLOOR, limits()).fits.any()


@pytest.mark.parametrize("bias", [0, 300])
def test_the_bias_takes_what_the_offset_cannot_hold(bias):
    # Steps so far from 0 that a product with enough bits needs a larger offset.
    at = 2**30 + np.array([[round(k * 100_003 / 255) for k in range(255)]])
    stairs = place_steps(at, np.array([2**30 - 5]), np.array([2**30 + 100_003]))
    lines = find_lines(stairs, 0, Rounding.FLOOR, limits(bias=bias))
    assert (np.abs(lines.offset[lines.fits]) <= LARGEST_OFFSET).all()
    assert not lines.fits.any()
    free = find_lines(stairs, 0, Rounding.FLOOR, limits(bias=2**31 - 2**20))
    assert free.fits.all()
    assert free.bias[0] < -(2**29)


def test_every_channel_of_wide_sums_has_its_line():
    rng = np.random.default_rng(1)
    channels, reach = 300, 2**23
    slopes = 255 / reach * 2.0 ** rng.uniform(-1, 2, channels)
    at = np.ceil((np.arange(1, 256) - 0.5 - rng.uniform(0, 255, (channels, 1))) / slopes[:, np.newaxis])
    ends = np.full(channels, reach // 2)
    stairs = place_steps(at.astype(np.int64), -ends, ends)
    assert find_lines(stairs, 0, Rounding.FLOOR, limits(channels)).fits.all()


@pytest.mark.parametrize(("factor", "residual"), [(1, 1), (3, -5), (77_777_777, 123_456_789), (2**20, 3)])
def test_sums_and_residuals_have_factors_of_their_own(factor, residual):
    reach, codes = 3000, range(16)
    sums, of_residual = (of.ravel() for of in np.meshgrid(np.arange(-reach, reach + 1), codes))
    x = factor * sums + residual * of_residual
    at = x.min() + np.arange(1, 65)[np.newaxis] * int(np.ptp(x)) // 65
    ends = np.array([reach])
    pairs = ResidualSteps(at, np.array([factor]), np.array([residual]), -ends, ends, codes)
    lines = pairs.find_lines(0, Rounding.FLOOR, limits())
    assert lines.fits.all()
    assert np.abs([lines.multiplier, lines.residual]).max() <= LARGEST_MULTIPLIER
    y = lines.multiplier * (sums + lines.bias) + lines.residual * of_residual + lines.offset
    wanted = (at <= x[:, np.newaxis]).sum(axis=1)
    assert (np.clip(y >> lines.shift[0], 0, 64) == wanted).all()
    multiplier, other, offset, stairs = pairs.within_thresholds()
    y = multiplier * sums + other * of_residual + offset
    assert ((stairs.at <= y[:, np.newaxis]).sum(axis=1) == wanted).all()
    assert np.abs(stairs.at).max() < 2**31 - 1
