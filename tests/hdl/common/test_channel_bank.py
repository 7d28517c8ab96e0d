# amaranth: UnusedElaboratable=no
"""Channel banks: a host's words and the units' parts of them."""

from random import Random

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl import ChannelBank
from spinplane.hdl.common.beat import PARAMETER_PARTS, SCALE_PARTS, parameters_layout, scales_layout
from spinplane.hdl.common.channel_bank import field_parts, lane_parts
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS

CHANNELS, WORDS = 2, 5
WIDTH = CHANNELS * CHANNEL_BITS


def test_words_and_their_parts() -> None:
    rng = Random(1)
    parts = field_parts(PARAMETER_FIELDS, PARAMETER_PARTS, CHANNELS)
    bank = ChannelBank(WORDS, WIDTH, parts)
    words = [rng.getrandbits(WIDTH) for _ in range(WORDS)]
    halves = (1 << CHANNEL_BITS) - 1

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(bank.write.enable, 1)
        for mask in (halves, halves << CHANNEL_BITS):
            ctx.set(bank.write.mask, mask)
            for address, word in enumerate(words):
                ctx.set(bank.write.address, address)
                ctx.set(bank.write.data, word)
                await ctx.tick()
        ctx.set(bank.write.enable, 0)
        # Every part of another word, which stays until the next read of that part.
        addresses = {part: rng.randrange(WORDS) for part in parts}
        for part, address in addresses.items():
            read = getattr(bank.reads, part)
            ctx.set(read.address, address)
            ctx.set(read.enable, 1)
            await ctx.tick()
            ctx.set(read.enable, 0)
        for part, address in addresses.items():
            found = ctx.get(getattr(bank.reads, part).data)
            assert [found >> at & 1 for at in range(len(parts[part]))] == [
                words[address] >> bit & 1 for bit in parts[part]
            ]
        ctx.set(bank.host.enable, 1)
        for address, word in enumerate(words):
            ctx.set(bank.host.address, address)
            await ctx.tick()
            assert ctx.get(bank.host.data) == word

    simulator = Simulator(bank)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize(
    ("fields", "names", "layout"),
    [
        (PARAMETER_FIELDS, PARAMETER_PARTS, parameters_layout),
        (SCALE_FIELDS, SCALE_PARTS, scales_layout),
    ],
)
def test_parts_hold_what_their_layouts_say(fields, names, layout) -> None:  # type: ignore[no-untyped-def]
    parts = field_parts(fields, names, CHANNELS)
    begin = {}
    at = 0
    for field in fields:
        begin[field.name] = at
        at += field.bits
    for part, bits in parts.items():
        shape = layout(part, CHANNELS)
        assert shape.size == len(bits)
        for channel, place in shape:
            for name, field in place.shape:
                first = bits[place.offset + field.offset]
                assert first == CHANNEL_BITS * channel + begin[name]
    assert sorted(name for part in names.values() for name in part) == sorted(field.name for field in fields)


def test_lanes_hold_a_channel_each() -> None:
    assert {part: (bits[0], len(bits)) for part, bits in lane_parts(3).items()} == {
        f"lane_{lane}": (CHANNEL_BITS * lane, CHANNEL_BITS) for lane in range(3)
    }


@pytest.mark.parametrize("name", ["words", "width"])
def test_refuses_sizes_that_are_none(name: str) -> None:
    sizes = {"words": WORDS, "width": WIDTH, name: 0}
    with pytest.raises(TypeError, match=f"^{name} must be a positive integer, not 0$"):
        ChannelBank(parts=lane_parts(CHANNELS), **sizes)
