"""Channel banks: one memory for the host, several for the units, each read when a stage of the pipeline needs it."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import ChannelField

from .bank import Bank, bank_read, bank_write
from .checks import require_positive
from .verilog import place

#: Bits of a word, by the name of the part in which they lie.
Parts = Mapping[str, Sequence[int]]
#: What belongs to no part: only the host reads it.
_OTHERS = "others"


def field_parts(fields: Sequence[ChannelField], parts: Mapping[str, Sequence[str]], channels: int) -> Parts:
    """Parts that hold some fields of every channel, channel after channel."""
    places, at = {}, 0
    for field in fields:
        places[field.name] = range(at, at + field.bits)
        at += field.bits
    return {
        part: [
            CHANNEL_BITS * channel + bit
            for channel in range(channels)
            for name, bits in places.items()
            if name in names
            for bit in bits
        ]
        for part, names in parts.items()
    }


def lane_parts(channels: int) -> Parts:
    """Parts that hold a channel each."""
    return {
        f"lane_{channel}": range(CHANNEL_BITS * channel, CHANNEL_BITS * (channel + 1))
        for channel in range(channels)
    }


def part_reads(words: int, parts: Parts) -> wiring.Signature:
    """Reads of all parts, each with an address of its own, as who reads sees them."""
    return wiring.Signature({part: Out(bank_read(words, len(bits))) for part, bits in parts.items()})


class ChannelBank(wiring.Component):
    """A memory whose words are written and read as a whole by a host, and part by part by units.

    Every part is a `Bank` of its own, with its contract: read data is there one cycle after its address and stays
    until the next read of the part. The host's read comes first; who owns the bank sees to it that it meets no other.

    Parameters
    ----------
    words : int
    width : int
        Bits of a word.
    parts : mapping of str to sequence of int
        Bits of a word that lie in each part, a bit in one part at most.

    Members
    -------
    write : In(bank_write(words, width))
    host : In(bank_read(words, width))
    reads : In(part_reads(words, parts))

    Raises
    ------
    TypeError
        If `words` or `width` is not a positive integer.
    """

    write: wiring.PureInterface
    host: wiring.PureInterface
    reads: wiring.PureInterface

    def __init__(self, words: int, width: int, parts: Parts) -> None:
        require_positive(words=words, width=width)
        self.words = words
        self.width = width
        self._parts = parts
        super().__init__(
            {
                "write": In(bank_write(words, width)),
                "host": In(bank_read(words, width)),
                "reads": In(part_reads(words, parts)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inside = {bit for bits in self._parts.values() for bit in bits}
        others = [bit for bit in range(self.width) if bit not in inside]
        found: dict[int, Value] = {}
        for part, bits in {**self._parts, **({_OTHERS: others} if others else {})}.items():
            bank = place(m, platform, f"{part}_bank", Bank(self.words, len(bits)))
            m.d.comb += [
                bank.write.enable.eq(self.write.enable),
                bank.write.address.eq(self.write.address),
                bank.write.data.eq(Cat(self.write.data[bit] for bit in bits)),
                bank.write.mask.eq(Cat(self.write.mask[bit] for bit in bits)),
                bank.read.enable.eq(self.host.enable),
                bank.read.address.eq(self.host.address),
            ]
            if part != _OTHERS:
                read = getattr(self.reads, part)
                m.d.comb += [
                    bank.read.enable.eq(self.host.enable | read.enable),
                    bank.read.address.eq(Mux(self.host.enable, self.host.address, read.address)),
                    read.data.eq(bank.read.data),
                ]
            found |= {bit: bank.read.data[at] for at, bit in enumerate(bits)}
        m.d.comb += self.host.data.eq(Cat(found[bit] for bit in range(self.width)))
        return m
