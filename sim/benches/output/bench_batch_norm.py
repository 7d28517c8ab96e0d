"""Bench of `BatchNorm`: products of every kind, one a cycle, around halves and with extreme numbers."""

from dataclasses import dataclass
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import batch_normalize, shift_right_rounded
from spinplane.behavioral.output.batch_norm import multiply_high
from spinplane.hdl import BatchNorm
from spinplane.hdl.common.descriptor import DESCRIPTOR
from spinplane.hdl.output.turn import Product, kinds_layout
from spinplane.machine import OFFSET_BITS, Rounding
from spinplane.machine.output_stage import MULTIPLIER_BITS, POOLED_BITS

from ...lanes import drive, extremes
from ...packing import pack
from ...streams import reset

KINDS = kinds_layout(BatchNorm.LATENCY)


@dataclass(frozen=True)
class Turn:
    """What goes in, and what comes out."""

    kind: Product
    operand: int
    multiplier: int
    residual_multiplier: int
    high_shift: int
    offset: int
    value: int = 0


def random_layer(rng: Random) -> dict[str, int]:
    """Fields of a descriptor that the unit looks at."""
    shifts = ("residual_high_shift", "residual_shift", "own_high_shift", "own_shift", "total_high_shift")
    return {
        "float_scale": rng.randrange(2),
        "residual_zero": rng.randrange(256),
        **{name: rng.choice((0, 1, 63, rng.randrange(64), rng.randrange(32))) for name in shifts},
        **{name: extremes(32, rng) for name in ("own_multiplier", "total_multiplier", "total_offset")},
    }


def rounded(product: int, high_shift: int, shift: int) -> int:
    """A(H(product, high_shift), shift)."""
    high = multiply_high(np.array(product), 1, high_shift)
    return int(shift_right_rounded(high, shift, Rounding.HALF_AWAY))


def wrapped(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def random_turns(layer: dict[str, int], rng: Random) -> list[Turn]:
    """Turns of lanes whose residual follows their own product, or not."""
    found: list[Turn] = []
    while len(found) < 150:
        kind = rng.choice((Product.POOLED, Product.OWN, Product.TOTAL))
        found.append(turn(layer, kind, 0, rng))
        if kind is not Product.TOTAL and rng.random() < 0.5:
            found.append(turn(layer, Product.RESIDUAL, found[-1].value, rng))
    return found


def turn(layer: dict[str, int], kind: Product, before: int, rng: Random) -> Turn:
    """A random one of a kind, behind the value `before`."""
    multiplier, residual_multiplier = extremes(MULTIPLIER_BITS, rng), extremes(MULTIPLIER_BITS, rng)
    high_shift, offset = rng.choice((0, 1, 63, rng.randrange(64))), extremes(OFFSET_BITS, rng)
    match kind:
        case Product.POOLED:
            operand = extremes(POOLED_BITS, rng)
            value = int(
                batch_normalize(
                    operand,
                    multiplier,
                    offset,
                    high_shifts=high_shift,
                    float_scale=bool(layer["float_scale"]),
                )
            )
        case Product.RESIDUAL:
            operand = rng.choice((0, 255, rng.randrange(256)))
            product = (operand - layer["residual_zero"]) * residual_multiplier
            value = before + rounded(product, layer["residual_high_shift"], layer["residual_shift"])
        case Product.OWN:
            operand = extremes(9, rng)
            product = operand * layer["own_multiplier"]
            value = rounded(product, layer["own_high_shift"], layer["own_shift"]) + layer["total_offset"]
        case Product.TOTAL:
            operand = extremes(POOLED_BITS, rng)
            value = int(
                batch_normalize(operand, layer["total_multiplier"], 0, high_shifts=layer["total_high_shift"])
            )
    return Turn(kind, operand, multiplier, residual_multiplier, high_shift, offset, wrapped(value))


async def run_turns(dut: HierarchyObject, turns: list[Turn], rng: Random) -> list[int]:
    """Values of all turns, each after its latency, in a pipeline that is full."""

    def at(cycle: int, name: str, bits: int) -> int:
        return getattr(turns[cycle], name) if 0 <= cycle < len(turns) else rng.getrandbits(bits)

    values = []
    for cycle in range(len(turns) + BatchNorm.LATENCY):
        kinds = [
            turns[cycle - stage].kind.value if 0 <= cycle - stage < len(turns) else rng.randrange(4)
            for stage in range(BatchNorm.LATENCY)
        ]
        dut.kinds.value = pack(KINDS, kinds)
        for name, delay in (
            ("operand", 0),
            ("multiplier", 0),
            ("residual_multiplier", 0),
            ("high_shift", BatchNorm.HIGH_SHIFT_STAGE),
            ("offset", BatchNorm.OFFSET_STAGE),
        ):
            port = getattr(dut, name)
            drive(port, at(cycle - delay, name, len(port)))
        await FallingEdge(dut.clk)
        if cycle >= BatchNorm.LATENCY:
            values.append(dut.value.value.to_signed())
        await RisingEdge(dut.clk)
    return values


def descriptor(**fields: int) -> int:
    """A descriptor as the units are given it, from a few of its fields."""
    numbers: dict[str, Any] = dict.fromkeys(dict(DESCRIPTOR), 0)
    return pack(DESCRIPTOR, numbers | fields)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_kind_one_turn_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for _ in range(12):
        layer = random_layer(rng)
        dut.layer.value = descriptor(**layer)
        turns = random_turns(layer, rng)
        for found, wanted in zip(await run_turns(dut, turns, rng), turns, strict=True):
            assert found == wanted.value, (layer, wanted)
