"""Scaling, levels and codes of the golden models against the contract, where numbers wrap, clip or lie in a middle."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, random_pass
from contract_output import PARAMETERS, SCALES, bits_of_channel, code_of, pack, unpack, value_of

from spinplane.behavioral.output.output_stage import levels_of
from spinplane.behavioral.output.parameters import Parameters
from spinplane.behavioral.output.scaling import scale
from spinplane.machine import Rounding
from spinplane.machine.passes import Pass

SHIFTS = ("residual_high_shift", "residual_shift", "own_high_shift", "own_shift")
SHIFTS += ("total_high_shift", "total_shift")
MULTIPLIERS = ("own_multiplier", "total_offset", "total_multiplier")
#: 2^0 to 2^35: the pooled sums around them.
POWERS = 1 << np.arange(36)


def hostile(n: Pass, rng: np.random.Generator) -> Pass:
    """The same with any numbers between a sum and a level, products of large numbers and small shifts among them."""
    shifts = rng.integers(0, rng.choice([4, 40, 64]), len(SHIFTS)).tolist()
    multipliers = rng.integers(-(1 << 31), 1 << 31, len(MULTIPLIERS)).tolist()
    if rng.integers(2):
        multipliers = [number >> 27 << 27 for number in multipliers]
    return replace(n, **dict(zip((*SHIFTS, *MULTIPLIERS), (*shifts, *multipliers), strict=True)))


def hostile_banks(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Banks of random passes, but for bounds that exclude each other and scales of any bits."""
    banks = fill_banks(FEW, int(rng.integers(1 << 30)))
    for beat, lane in np.ndindex(FEW.parameter_beats, FEW.results_per_cycle):
        parameters = unpack(PARAMETERS, bits_of_channel(banks["parameters"], beat, lane))
        if rng.integers(3) == 0:
            parameters |= {"low": int(rng.integers(-256, 256)), "high": int(rng.integers(-256, 256))}
        scales = {name: int(rng.integers(1 << abs(width))) for name, width in SCALES}
        if rng.integers(2):
            scales |= {name: scales[name] >> 28 << 28 for name in ("multiplier", "residual_multiplier")}
        if rng.integers(3) == 0:
            scales |= {
                name: scales[name] % 16 - 8 for name in ("multiplier", "residual_multiplier", "offset")
            }
        for name in ("shift", "high_shift"):
            scales[name] %= int(rng.choice([4, 40, 64]))
        for bank, layout, numbers in (("parameters", PARAMETERS, parameters), ("scales", SCALES, scales)):
            if bank == "parameters" or rng.integers(4):
                octets = pack(layout, numbers).to_bytes(16, "little")
                banks[bank][beat, 16 * lane : 16 * lane + 16] = np.frombuffer(octets, dtype=np.uint8)
    return banks


@pytest.mark.parametrize("float_scale", [0, 1])
@pytest.mark.parametrize("residual", [0, 1])
@pytest.mark.parametrize(("own_code", "multiplies_total"), [(0, 0), (1, 0), (1, 1)])
def test_values_and_codes_are_those_of_the_contract(
    own_code: int, multiplies_total: int, residual: int, float_scale: int
) -> None:
    choices = {"multiplies": 1, "raw": 0, "float_scale": float_scale, "residual": residual}
    choices |= {"own_code": own_code, "multiplies_total": multiplies_total}
    for seed in range(45):
        rng = np.random.default_rng(seed)
        choices |= {"rounding": list(Rounding)[seed % 9], "own_rounding": list(Rounding)[5 * seed % 9]}
        choices = {name: getattr(number, "value", number) for name, number in choices.items()}
        n, banks = hostile(random_pass(FEW, seed, **choices), rng), hostile_banks(rng)
        of_banks = {name: banks[name] for name in ("parameters", "scales", "thresholds")}
        channels = Parameters.read(n, **of_banks)
        count = n.channel_beats * n.lanes
        pooled = rng.choice(POWERS, (24, count)) + rng.integers(-3, 4, (24, count))
        pooled = np.clip(pooled * rng.choice([-1, 1], pooled.shape), -(1 << 35), (1 << 35) - 1)
        pooled[::2] = rng.integers(-200, 200, pooled[::2].shape)
        codes = rng.integers(0, 256, pooled.shape)
        y = scale(pooled, n, channels, codes if residual else None).y
        levels = levels_of(y, n, channels)
        found = (
            (levels << n.level_shift) + n.out_zero
            if channels.table is None
            else channels.table.look_up(levels)
        )
        for channel in range(count):
            beat, lane = divmod(channel, n.lanes)
            parameters = unpack(
                PARAMETERS, bits_of_channel(banks["parameters"], n.parameter_base + beat, lane)
            )
            scales = unpack(SCALES, bits_of_channel(banks["scales"], n.scale_base + beat, lane))
            thresholds = partial(bits_of_channel, banks["thresholds"], channel=lane)
            for at in range(len(pooled)):
                wanted = value_of(n, parameters, scales, int(pooled[at, channel]), int(codes[at, channel]))
                assert y[at, channel] == wanted
                code = code_of(n, parameters, scales, wanted, thresholds)
                assert (int(found[at, channel]) - code) % 256 == 0
