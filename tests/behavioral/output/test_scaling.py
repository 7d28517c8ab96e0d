"""The phases of scaling: against exact arithmetic, and as the operators of networks define them."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, random_pass
from contract_output import PARAMETERS, SCALES, bits_of_channel, pack, unpack, value_of

from spinplane.behavioral.output.output_stage import levels_of
from spinplane.behavioral.output.parameters import Parameters
from spinplane.behavioral.output.scaling import scale
from spinplane.machine import Machine, Rounding
from spinplane.machine.passes import Pass

ONE_LANE = Machine(name="one", sub_arrays=1, rows=16, columns=16, segments=1, results_per_cycle=1)
ZEROS = {name: 0 for name, _ in (*PARAMETERS, *SCALES)}


def of_channel(layer_pass: Pass, **numbers: int) -> Parameters:
    """Parameters of the only channel of a pass."""
    banks = {
        name: np.frombuffer(pack(layout, ZEROS | numbers).to_bytes(16, "little"), np.uint8)[np.newaxis]
        for name, layout in (("parameters", PARAMETERS), ("scales", SCALES))
    }
    return Parameters.read(layer_pass, **banks, thresholds=np.zeros((16, 16), dtype=np.uint8))


def values(sums: np.ndarray, layer_pass: Pass, codes: np.ndarray | None = None, **numbers: int) -> np.ndarray:
    """What many sums of one channel become."""
    residuals = None if codes is None else codes[:, np.newaxis]
    return scale(sums[:, np.newaxis], layer_pass, of_channel(layer_pass, **numbers), residuals).y[:, 0]


@pytest.mark.parametrize("seed", range(120))
def test_phases_are_what_whole_numbers_of_any_size_give(seed: int) -> None:
    layer_pass, banks = random_pass(FEW, seed, multiplies=int(seed % 8 > 0)), fill_banks(FEW, seed)
    rng = np.random.default_rng(seed)
    outputs = {name: banks[name] for name in ("parameters", "scales", "thresholds")}
    parameters = Parameters.read(layer_pass, **outputs)
    channels = len(parameters.bias)
    bits = rng.integers(1, 36, (20, channels))
    pooled = rng.integers(-(1 << bits), 1 << bits)
    pooled[:2] = [[-(2**35)], [2**35 - 1]]
    residuals = rng.integers(0, 8, pooled.shape) if layer_pass.residual else None
    found = scale(pooled, layer_pass, parameters, residuals).y
    for channel in range(channels):
        beat, lane = divmod(channel, FEW.results_per_cycle)
        of_lane = unpack(
            PARAMETERS, bits_of_channel(banks["parameters"], layer_pass.parameter_base + beat, lane)
        )
        scales = unpack(SCALES, bits_of_channel(banks["scales"], layer_pass.scale_base + beat, lane))
        for at, value in enumerate(pooled[:, channel].tolist()):
            code = 0 if residuals is None else int(residuals[at, channel])
            assert found[at, channel] == value_of(layer_pass, of_lane, scales, value, code)


SUMS = np.arange(-70_000, 70_000, 7)


def test_a_float_scale_is_that_of_qlinearconv() -> None:
    """The sum as float32, times a float32 scale, rounded half to even to a code."""
    n = Pass(machine=ONE_LANE, multiplies=True, float_scale=True, rounding=Rounding.HALF_EVEN)
    rng, zero = np.random.default_rng(3), 3
    for scale_of_channel in (2.0 ** rng.uniform(-14, -6, 20)).astype(np.float32):
        significand, exponent = math.frexp(float(scale_of_channel))
        numbers = {"multiplier": int(significand * 2**24), "shift": 24 - exponent}
        # The zero point comes after the rounding, where it does not make an even code odd.
        parameters = of_channel(n, **numbers, low=-zero, high=255 - zero)
        levels = levels_of(scale(SUMS[:, np.newaxis], n, parameters).y, n, parameters)[:, 0]
        products = np.rint(SUMS.astype(np.float32) * scale_of_channel)
        assert (levels + zero == np.clip(products.astype(np.int64) + zero, 0, 255)).all()


def rounding_divide_by_power_of_two(x: int, exponent: int) -> int:
    """TFLite's."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def multiplied(x: int, multiplier: int, exponent: int) -> int:
    """TFLite's MultiplyByQuantizedMultiplier, with its doubling high multiply."""
    x <<= max(exponent, 0)
    nudge = (1 << 30) if x * multiplier >= 0 else 1 - (1 << 30)
    high = math.trunc(Fraction(x * multiplier + nudge, 1 << 31))
    return rounding_divide_by_power_of_two(high, max(-exponent, 0))


@pytest.mark.parametrize("exponent", [-9, -1, 0, 3])
def test_a_doubling_high_multiply_is_tflites(exponent: int) -> None:
    n = Pass(machine=ONE_LANE, multiplies=True, rounding=Rounding.HALF_AWAY)
    numbers = {"multiplier": 1518500250, "high_shift": 31 - max(exponent, 0), "shift": max(-exponent, 0)}
    parameters = of_channel(n, **numbers, low=-256, high=255)
    found = levels_of(scale(SUMS[:, np.newaxis], n, parameters).y, n, parameters)[:, 0]
    expected = [multiplied(x, 1518500250, exponent) for x in SUMS.tolist()]
    assert found.tolist() == np.clip(expected, -256, 255).tolist()


def test_two_codes_are_added_as_tflite_does() -> None:
    """ADD of int8: all pairs of codes, the own one rounded first, both shifted to the left by 20 bits."""
    one, other, out = (1340000000, 0), (1987654321, -3), (1234567890, -18)
    zeros = {"own": -5, "residual": 11, "out": -7}
    n = Pass(
        machine=ONE_LANE,
        multiplies=True,
        residual=True,
        own_code=True,
        own_rounding=Rounding.FLOOR,
        residual_zero=128 + zeros["residual"],
        residual_high_shift=31 - 20,
        residual_shift=-other[1],
        own_multiplier=one[0],
        own_high_shift=31 - 20,
        own_shift=-one[1],
        multiplies_total=True,
        total_multiplier=out[0],
        total_high_shift=31,
        total_shift=-out[1],
        rounding=Rounding.HALF_AWAY,
        total_low=-128 - zeros["out"],
        total_high=127 - zeros["out"],
        out_zero=zeros["out"] % 256,
        out_planes=8,
    )
    # The own code without its zero point, and int8 codes of the residual as they are stored, with 128 added.
    own, stored = (codes.ravel() for codes in np.meshgrid(np.arange(-128, 128), np.arange(256)))
    numbers = {"multiplier": 1, "residual_multiplier": other[0], "low": -128 - zeros["own"]}
    parameters = of_channel(n, **numbers, high=127 - zeros["own"])
    centred = own - zeros["own"]
    y = scale(centred[:, np.newaxis], n, parameters, stored[:, np.newaxis]).y
    found = levels_of(y, n, parameters)[:, 0] + zeros["out"]
    left = {int(c): multiplied(int(c) << 20, *one) for c in np.unique(centred)}
    right = {int(c): multiplied((int(c) - 128 - zeros["residual"]) << 20, *other) for c in range(256)}
    pairs = zip(centred.tolist(), stored.tolist(), strict=True)
    expected = np.array([left[a] + right[b] for a, b in pairs])
    total = {int(x): multiplied(int(x), *out) for x in np.unique(expected)}
    assert found.tolist() == [min(max(total[x] + zeros["out"], -128), 127) for x in expected.tolist()]
    assert len(np.unique(found)) == 256


def test_a_value_is_clipped_before_the_total_is_multiplied() -> None:
    n = Pass(
        machine=ONE_LANE,
        multiplies=True,
        own_code=True,
        own_multiplier=2**31 - 1,
        total_offset=5,
        multiplies_total=True,
        total_multiplier=3,
    )
    sums = np.array([-100, -2, 0, 2, 100])
    found = values(sums, n, multiplier=1, low=-256, high=255)
    y = [min(max(int(x) * (2**31 - 1) + 5, -(2**35)), 2**35 - 1) for x in sums]
    assert found.tolist() == [3 * x for x in y]


def test_products_wrap_at_64_bits() -> None:
    n = Pass(machine=ONE_LANE, multiplies=True)
    numbers = {"multiplier": -(2**31), "offset": -1}
    ends = np.array([-(2**35), 2**35 - 1, 2**32, 3])
    expected = [(int(x) * -(2**31) - 1 + 2**63) % 2**64 - 2**63 for x in ends]
    assert values(ends, n, **numbers).tolist() == expected


def test_without_products_a_value_is_the_sum() -> None:
    n = Pass(machine=ONE_LANE)
    assert values(SUMS, n, multiplier=5, offset=7).tolist() == SUMS.tolist()
    assert of_channel(n).search.all()
    assert not of_channel(replace(n, multiplies=True)).search.any()
