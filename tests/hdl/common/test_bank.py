# amaranth: UnusedElaboratable=no
import json
import re
from random import Random

import pytest
from amaranth.hdl import Module, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl.common.bank import BANK, Bank, WideBank, bank_model, bank_read, bank_stub, bank_write
from spinplane.hdl.common.verilog import place, verilog_modules
from spinplane.sim import run_bench


class PlacedBank(wiring.Component):
    """A bank as others place it: an instance of the black box."""

    def __init__(self, words: int, width: int, reads: int) -> None:
        self.words, self.width, self.reads = words, width, reads
        super().__init__({"write": In(bank_write(words, width)), "read": In(bank_read(words, width, reads))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bank = place(m, platform, "words", Bank(self.words, self.width, self.reads))
        wiring.connect(m, wiring.flipped(self.write), bank.write)
        wiring.connect(m, wiring.flipped(self.read), bank.read)
        return m


def run(top: wiring.Component, words: int, width: int, reads: int, simulator: str) -> None:
    sizes = {"words": words, "width": width, "reads": reads, "wide": isinstance(top, WideBank)}
    run = run_bench(
        "spinplane.sim.benches.common.bench_bank",
        {BANK: bank_model(), **verilog_modules(top, "bank_bench")},
        "bank_bench",
        simulator=simulator,
        environment={"BENCH_PARAMETERS": json.dumps(sizes)},
    )
    assert run.check().tests == 1


@pytest.mark.parametrize(
    ("words", "width", "reads", "simulator"),
    [(11, 24, 1, "icarus"), (16, 64, 2, "icarus"), (1, 1, 1, "icarus"), (11, 24, 3, "verilator")],
)
def test_bank(words: int, width: int, reads: int, simulator: str) -> None:
    run(PlacedBank(words, width, reads), words, width, reads, simulator)


@pytest.mark.parametrize(("words", "width", "reads"), [(11, 24, 1), (16, 64, 2), (1, 1, 1)])
def test_bank_of_amaranths_simulator(words: int, width: int, reads: int) -> None:
    bank, rng = Bank(words, width, reads), Random(1)
    address_bits = len(bank.write.address)

    async def bench(ctx: SimulatorContext) -> None:
        held, shown = [0] * words, [0] * reads
        for _ in range(400):
            enables = [rng.random() < 0.7 for _ in range(reads)]
            addresses = [rng.getrandbits(address_bits) for _ in range(reads)]
            ctx.set(bank.read.enable, sum(enable << index for index, enable in enumerate(enables)))
            packed = sum(address << index * address_bits for index, address in enumerate(addresses))
            ctx.set(Value.cast(bank.read.address), packed)
            writes, written = rng.random() < 0.6, rng.choice((addresses[0], rng.getrandbits(address_bits)))
            data, mask = rng.getrandbits(width), rng.getrandbits(width)
            for name, value in {"enable": writes, "address": written, "data": data, "mask": mask}.items():
                ctx.set(getattr(bank.write, name), value)
            await ctx.tick()
            for index, (enable, address) in enumerate(zip(enables, addresses, strict=True)):
                if enable:
                    shown[index] = held[address] if address < words else 0
            if writes and written < words:
                held[written] = held[written] & ~mask | data & mask
            packed = sum(word << index * width for index, word in enumerate(shown))
            assert ctx.get(Value.cast(bank.read.data)) == packed

    simulation = Simulator(bank)
    simulation.add_clock(1e-9)
    simulation.add_testbench(bench)
    simulation.run()


@pytest.mark.parametrize(
    ("words", "width", "simulator"),
    [(2, 16, "icarus"), (6, 64, "icarus"), (16, 32, "icarus"), (6, 256, "verilator")],
)
def test_wide_bank(words: int, width: int, simulator: str) -> None:
    run(WideBank(words, width), words, width, 2, simulator)


def test_stub_has_the_ports_of_the_bank() -> None:
    def interface(text: str) -> list[str]:
        names = re.findall(r"^ *(?:input|output) .*?(\w+),?$|^ *parameter (\w+)", text, re.MULTILINE)
        return [port or parameter for port, parameter in names]

    ports = ["clk", *(f"write__{end}" for end in ("enable", "address", "data", "mask"))]
    expected = [*Bank(2, 2).black_box, "ADDRESS_BITS", *ports, "read__enable", "read__address", "read__data"]
    assert interface(bank_stub()) == interface(bank_model()) == expected
    assert "reg" not in bank_stub()
    assert "cells" not in bank_stub()


@pytest.mark.parametrize(
    ("words", "width", "reads", "message"),
    [
        (0, 8, 1, "words must be a positive integer, not 0"),
        (8, "8", 1, "width must be a positive integer, not '8'"),
        (8, 8, 0, "reads must be a positive integer, not 0"),
    ],
)
def test_refuses_wrong_sizes(words: int, width: int, reads: int, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        Bank(words, width, reads)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("words", "width", "error", "message"),
    [
        (0, 8, TypeError, "words must be a positive integer, not 0"),
        (7, 8, ValueError, "words must be even, not 7"),
        (8, 24, ValueError, "width must be a power of two, not 24"),
        (1 << 22, 2048, ValueError, "words must be at most 2097152, not 4194304"),
    ],
)
def test_refuses_wrong_sizes_of_a_wide_bank(
    words: int, width: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        WideBank(words, width)
    assert str(caught.value) == message


def test_the_largest_wide_bank() -> None:
    """A bit address reaches each of its bits, and no more."""
    assert WideBank(1 << 21, 2048).words * 2048 == 1 << 32
    with pytest.raises(ValueError, match=r"^words must be at most 2097152, not 2097154$"):
        WideBank((1 << 21) + 2, 2048)
