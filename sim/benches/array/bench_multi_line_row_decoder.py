"""Bench of `MultiLineRowDecoder`: all pairs of addresses when narrow, random pairs when wide."""

import json
import os
from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import decode_two_rows

from ...packing import pack_bits
from ...streams import reset

ROWS = json.loads(os.environ["BENCH_PARAMETERS"])["rows"]
MOST_PAIRS = 4096


@cocotb.test()
async def pairs_of_addresses(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    addresses = range(1 << len(dut.address_a))
    if len(addresses) ** 2 <= MOST_PAIRS:
        pairs = list(product(addresses, repeat=2))
    else:
        pairs = [(rng.choice(addresses), rng.choice(addresses)) for _ in range(MOST_PAIRS // 4)]
    await reset(dut)
    for a, b in pairs:
        for enable_a, enable_b in product((0, 1), repeat=2):
            dut.address_a.value = a
            dut.enable_a.value = enable_a
            dut.address_b.value = b
            dut.enable_b.value = enable_b
            await Timer(1, "ns")
            expected = decode_two_rows(a, bool(enable_a), b, bool(enable_b), ROWS)
            assert dut.word_lines.value.to_unsigned() == pack_bits(expected), (a, enable_a, b, enable_b)
