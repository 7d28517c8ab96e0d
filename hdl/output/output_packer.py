"""Output packer: codes of neighbouring channels become masked writes of plane words."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import CODE_BITS
from spinplane.machine.output_stage import RAW_BITS

from ..common.checks import require_positive

_PLANES = CODE_BITS - 1
_ADDRESS_BITS = 32
_LINE_BITS = 24


class OutputPacker(wiring.Component):
    """Plane m of a beat's codes at its bit address + m · line_bits, lowest plane first; or its raw values.

    The bits of a write are repeated over the word, and the mask tells which are written: a write needs no
    shifter. It never crosses a word, since addresses and lines are multiples of its bits; the lower bits of an
    address are not looked at. Codes are taken with their beat, values are looked at while they are written.

    Latency: 1 cycle from a beat to its first write. Throughput: one write a cycle without gaps between beats;
    last_plane + 1 writes of `lanes` bits for a beat, or ⌈lanes·32 / width⌉ of min(lanes·32, width) bits; beats are not
    to come faster, and nothing holds it up.

    Parameters
    ----------
    lanes : int
        Results of a beat, a power of two.
    width : int
        Bits of a word, a power of two, at least `lanes`.

    Members
    -------
    raw : In(1)
        Write raw values in place of codes. With the next two held constant from the first beat to the last write.
    last_plane : In(3)
        Number of planes less one.
    line_bits : In(24)
        Bits from a plane's line to the next.
    in_valid : In(1)
    written : In(1)
        The beat takes its time, but is written only if this is high.
    address : In(32)
        Bit address of the first result.
    codes : In(ArrayLayout(8, lanes))
    values : In(ArrayLayout(32, lanes))
    write_valid : Out(1)
    word : Out(32 - log2(width))
        Address of the word.
    data : Out(width)
    mask : Out(width)
    last : Out(1)
        The last write of a beat, whether it is written or not.
    active : Out(1)
        While it is low no flip-flop changes.

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    ValueError
        If a parameter is not a power of two, or a beat is wider than a word.
    """

    raw: Signal
    last_plane: Signal
    line_bits: Signal
    in_valid: Signal
    written: Signal
    address: Signal
    codes: data.View
    values: data.View
    write_valid: Signal
    word: Signal
    data: Signal
    mask: Signal
    last: Signal
    active: Signal

    def __init__(self, lanes: int, width: int) -> None:
        require_positive(lanes=lanes, width=width)
        for name, value in (("lanes", lanes), ("width", width)):
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        if width < lanes:
            raise ValueError(f"width must be at least lanes = {lanes}, not {width}")
        self.lanes = lanes
        self.width = width
        super().__init__(
            {
                "raw": In(1),
                "last_plane": In(3),
                "line_bits": In(_LINE_BITS),
                "in_valid": In(1),
                "written": In(1),
                "address": In(_ADDRESS_BITS),
                "codes": In(data.ArrayLayout(_PLANES, lanes)),
                "values": In(data.ArrayLayout(RAW_BITS, lanes)),
                "write_valid": Out(1),
                "word": Out(_ADDRESS_BITS - exact_log2(width)),
                "data": Out(width),
                "mask": Out(width),
                "last": Out(1),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, width = self.lanes, self.width
        raw_size = min(RAW_BITS * lanes, width)
        raw_writes = RAW_BITS * lanes // raw_size

        planes = Signal(_PLANES * lanes, reset_less=True)
        address = Signal(_ADDRESS_BITS, name="write_address", reset_less=True)
        number = Signal(range(max(_PLANES, raw_writes)), reset_less=True)
        busy = Signal()
        written = Signal(name="beat_written", reset_less=True)
        with m.If(self.in_valid):
            m.d.sync += [
                planes.eq(Cat(code[plane] for plane in range(_PLANES) for code in self.codes)),
                address.eq(self.address),
                number.eq(0),
                busy.eq(1),
                written.eq(self.written),
            ]
        with m.Elif(busy):
            m.d.sync += [
                planes.eq(planes >> lanes),
                address.eq(address + Mux(self.raw, raw_size, self.line_bits)),
                number.eq(number + 1),
                busy.eq(~self.last),
            ]

        plane_mask, raw_mask = self._mask(address, lanes), self._mask(address, raw_size)
        values = self.values.as_value().word_select(number[: exact_log2(raw_writes)], raw_size)
        plane_data, raw_data = (
            bits.replicate(width // size) for bits, size in ((planes[:lanes], lanes), (values, raw_size))
        )
        m.d.comb += [
            self.last.eq(busy & (number == Mux(self.raw, raw_writes - 1, self.last_plane))),
            self.write_valid.eq(busy & written),
            self.active.eq(self.in_valid | busy),
            self.word.eq(address >> exact_log2(width)),
            self.data.eq(Mux(self.raw, raw_data, plane_data)),
            self.mask.eq(Mux(self.raw, raw_mask, plane_mask)),
        ]
        return m

    def _mask(self, address: Signal, size: int) -> Value:
        """Ones in the `size` columns at `address`."""
        place = address[exact_log2(size) : exact_log2(self.width)]
        return Cat((place == at).replicate(size) for at in range(self.width // size))
