"""Banks: on-chip memories, a black box in Verilog and a behavioral model in Amaranth's simulator."""

from importlib.resources import files

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import Name, bits_for

from .checks import require_positive
from .verilog import place

#: Module of a bank.
BANK = Name("bank")
#: Its behavioral model, for simulation only.
BANK_MODEL = f"{BANK}.v"
#: Bits of a bit address.
BIT_ADDRESS_BITS = 32
#: Read ports of a `WideBank`.
WIDE_READS = 2


def bank_write(words: int, width: int) -> wiring.Signature:
    """Masked write of a word, as who writes sees it: enable, word address, data, bit mask."""
    return wiring.Signature(
        {
            "enable": Out(1),
            "address": Out(bits_for(words - 1)),
            "data": Out(width),
            "mask": Out(width),
        }
    )


def bank_read(words: int, width: int, reads: int = 1) -> wiring.Signature:
    """Read of a word, as who reads sees it: enable, word address, and data in the next cycle.

    With several `reads`, bit r of ``enable`` and element r of ``address`` and ``data`` are those of read r.
    """
    address, word = bits_for(words - 1), width
    return wiring.Signature(
        {
            "enable": Out(reads),
            "address": Out(address if reads == 1 else data.ArrayLayout(address, reads)),
            "data": In(word if reads == 1 else data.ArrayLayout(word, reads)),
        }
    )


def wide_read(width: int) -> wiring.Signature:
    """Read of `width` bits from any bit on: enable, bit address, and data in the next cycle."""
    return wiring.Signature({"enable": Out(1), "address": Out(BIT_ADDRESS_BITS), "data": In(width)})


class Bank(wiring.Component):
    """A memory with a masked write port and read ports, an SRAM macro where it is built.

    Read data is there one cycle after its address and stays while ``enable`` is low. A read of the word that is
    written in the same cycle gives the old bits. All words are 0 at first. Beyond the last word a write does
    nothing and a read gives 0. The Verilog of the same contract is ``bank.v``; every bank of a design is an
    instance of that one module, under any name.

    Parameters
    ----------
    words : int
    width : int
        Bits of a word.
    reads : int
        Read ports.

    Members
    -------
    write : In(bank_write(words, width))
    read : In(bank_read(words, width, reads))

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    black_box_module = BANK

    def __init__(self, words: int, width: int, reads: int = 1) -> None:
        require_positive(words=words, width=width, reads=reads)
        self.words = words
        self.width = width
        self.reads = reads
        super().__init__({"write": In(bank_write(words, width)), "read": In(bank_read(words, width, reads))})

    @property
    def black_box(self) -> dict[str, int]:
        """Parameters of the Verilog module, which has no description here."""
        return {"WORDS": self.words, "WIDTH": self.width, "READS": self.reads}

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # As many as addresses: those beyond the last word are never written.
        depth = 1 << len(self.write.address)
        m.submodules.cells = cells = memory.Memory(shape=self.width, depth=depth, init=[])
        to_cells = cells.write_port(granularity=1)
        writes = self.write.enable & (self.write.address < self.words)
        m.d.comb += [
            to_cells.en.eq(self.write.mask & writes.replicate(self.width)),
            to_cells.addr.eq(self.write.address),
            to_cells.data.eq(self.write.data),
        ]
        addresses, words = Value.cast(self.read.address), Value.cast(self.read.data)
        for index in range(self.reads):
            from_cells = cells.read_port()
            m.d.comb += [
                from_cells.en.eq(self.read.enable[index]),
                from_cells.addr.eq(addresses.word_select(index, len(from_cells.addr))),
                words.word_select(index, self.width).eq(from_cells.data),
            ]
        return m


class WideBank(wiring.Component):
    """A memory that gives a word's width of bits from any bit on, at two places in a cycle.

    Even and odd words lie in a `Bank` each, with two read ports, so that any two neighbouring words can be read at
    once. Read data is there one cycle after its address, turned into place behind the banks' outputs, and stays
    while ``enable`` is low. Bits beyond the last word are 0. After the largest address comes 0, so a read may begin a
    little before bit 0. A read of a word that is written in the same cycle gives the old bits.

    Parameters
    ----------
    words : int
        An even number.
    width : int
        Bits of a word, a power of two.

    Members
    -------
    write : In(bank_write(words, width))
    read : In(wide_read(width)).array(2)

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    ValueError
        If `words` is odd, `width` no power of two, or there are more bits than a bit address reaches.
    """

    def __init__(self, words: int, width: int) -> None:
        require_positive(words=words, width=width)
        if words % 2:
            raise ValueError(f"words must be even, not {words}")
        if width & (width - 1):
            raise ValueError(f"width must be a power of two, not {width}")
        if words * width > 1 << BIT_ADDRESS_BITS:
            raise ValueError(f"words must be at most {(1 << BIT_ADDRESS_BITS) // width}, not {words}")
        self.words = words
        self.width = width
        super().__init__(
            {"write": In(bank_write(words, width)), "read": In(wide_read(width)).array(WIDE_READS)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        even, odd = (
            place(m, platform, f"{name}_words", Bank(self.words // 2, self.width, WIDE_READS))
            for name in ("even", "odd")
        )
        for bank, writes in ((even, ~self.write.address[0]), (odd, self.write.address[0])):
            m.d.comb += [
                bank.write.enable.eq(self.write.enable & writes),
                bank.write.address.eq(self.write.address >> 1),
                bank.write.data.eq(self.write.data),
                bank.write.mask.eq(self.write.mask),
            ]
        for index, read in enumerate(self.read):
            self._read(m, index, read, even, odd)
        return m

    def _read(self, m: Module, index: int, read: wiring.PureInterface, even: Bank, odd: Bank) -> None:
        word = read.address[exact_log2(self.width) :]
        first_exists, second_exists, starts_odd, first_bit = (
            Signal(name=f"first_exists_{index}"),
            Signal(name=f"second_exists_{index}"),
            Signal(name=f"starts_odd_{index}"),
            Signal(range(self.width), name=f"first_bit_{index}"),
        )
        with m.If(read.enable):
            m.d.sync += [
                first_exists.eq(word < self.words),
                second_exists.eq((word + 1)[: len(word)] < self.words),
                starts_odd.eq(word[0]),
                first_bit.eq(read.address),
            ]
        m.d.comb += [
            even.read.enable[index].eq(read.enable),
            even.read.address[index].eq((word + 1) >> 1),
            odd.read.enable[index].eq(read.enable),
            odd.read.address[index].eq(word >> 1),
        ]
        first = Mux(starts_odd, odd.read.data[index], even.read.data[index])
        second = Mux(starts_odd, even.read.data[index], odd.read.data[index])
        pair = Cat(Mux(first_exists, first, 0), Mux(second_exists, second, 0))
        m.d.comb += read.data.eq(pair >> first_bit)


def bank_model() -> str:
    """Verilog of the behavioral bank."""
    return (files(__package__) / BANK_MODEL).read_text(encoding="utf-8")


def bank_stub() -> str:
    """Verilog of the bank for synthesis: ports and parameters of a black box."""
    header = (
        bank_model().partition("module bank")[2].partition(");\n")[0].replace("output reg ", "output wire")
    )
    return (
        "// Bank: a black box for synthesis, replaced by an SRAM macro.\n"
        f"`ifdef SYNTHESIS\n(* blackbox *)\nmodule bank{header});\nendmodule\n`endif\n"
    )
