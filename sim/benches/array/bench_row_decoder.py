"""Bench of `RowDecoder`: every address, enabled and not."""

import json
import os

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import decode_row

from ...packing import pack_bits
from ...streams import reset

ROWS = json.loads(os.environ["BENCH_PARAMETERS"])["rows"]


@cocotb.test()
async def every_address(dut: HierarchyObject) -> None:
    await reset(dut)
    for address in range(1 << len(dut.address)):
        for enable in (0, 1):
            dut.address.value = address
            dut.enable.value = enable
            await Timer(1, "ns")
            expected = decode_row(address, bool(enable), ROWS)
            assert dut.word_lines.value.to_unsigned() == pack_bits(expected), (address, enable)
