"""Output packer: codes of neighbouring channels become masked writes of plane words."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import CODE_BITS
from spinplane.machine.activation import RAW_BITS

from ..common.checks import require_positive

_PLANES = CODE_BITS - 1
_ADDRESS_BITS = 32
_LINE_BITS = 24


def beat_layout(lanes: int) -> data.StructLayout:
    """A beat: results of `lanes` neighbouring channels of a pixel, and the bit address of the first one."""
    return data.StructLayout(
        {
            "codes": data.ArrayLayout(signed(CODE_BITS), lanes),
            "raw": data.ArrayLayout(signed(RAW_BITS), lanes),
            "address": _ADDRESS_BITS,
        }
    )


def write_layout(width: int) -> data.StructLayout:
    """A masked write of a bank whose words have `width` bits."""
    return data.StructLayout({"address": _ADDRESS_BITS - exact_log2(width), "data": width, "mask": width})


class OutputPacker(wiring.Component):
    """Plane m of a beat's codes at its bit address + m · line_bits, lowest plane first; or its raw values.

    The bits of a write are repeated over the word, and the mask tells which are written: a write needs no
    shifter. It never crosses a word, since addresses and lines are multiples of its bits; the lower bits of an
    address are not looked at.

    Latency: 1 cycle from a beat to its first write. Throughput: one write a cycle without gaps between beats;
    last_plane + 1 writes of `lanes` bits for a beat, or ⌈lanes·32 / width⌉ of min(lanes·32, width) bits.

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
    beats : In(stream.Signature(beat_layout(lanes)))
    writes : Out(stream.Signature(write_layout(width)))

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
    beats: stream.Interface
    writes: stream.Interface

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
                "beats": In(stream.Signature(beat_layout(lanes))),
                "writes": Out(stream.Signature(write_layout(width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, width = self.lanes, self.width
        beat, write = self.beats.payload, self.writes.payload
        raw_size = min(RAW_BITS * lanes, width)
        raw_writes = RAW_BITS * lanes // raw_size

        planes = Signal(_PLANES * lanes)
        values = Signal(RAW_BITS * lanes)
        m.d.comb += [
            planes.eq(Cat(beat.codes[lane][plane] for plane in range(_PLANES) for lane in range(lanes))),
            values.eq(beat.raw.as_value()),
        ]

        held = Signal(RAW_BITS * lanes, reset_less=True)
        address = Signal(_ADDRESS_BITS, reset_less=True)
        left = Signal(range(max(_PLANES, raw_writes)), reset_less=True)
        busy = Signal()
        m.d.comb += self.beats.ready.eq(~busy | (self.writes.ready & (left == 0)))
        with m.If(self.beats.ready):
            m.d.sync += [
                busy.eq(self.beats.valid),
                held.eq(Mux(self.raw, values, planes)),
                address.eq(beat.address),
                left.eq(Mux(self.raw, raw_writes - 1, self.last_plane)),
            ]
        with m.Elif(self.writes.ready):
            m.d.sync += [
                held.eq(Mux(self.raw, held >> raw_size, held >> lanes)),
                address.eq(address + Mux(self.raw, raw_size, self.line_bits)),
                left.eq(left - 1),
            ]

        plane_mask, raw_mask = self._mask(address, lanes), self._mask(address, raw_size)
        plane_data, raw_data = (held[:size].replicate(width // size) for size in (lanes, raw_size))
        m.d.comb += [
            self.writes.valid.eq(busy),
            write.address.eq(address >> exact_log2(width)),
            write.data.eq(Mux(self.raw, raw_data, plane_data)),
            write.mask.eq(Mux(self.raw, raw_mask, plane_mask)),
        ]
        return m

    def _mask(self, address: Signal, size: int) -> Value:
        """Ones in the `size` columns at `address`."""
        place = address[exact_log2(size) : exact_log2(self.width)]
        return Cat((place == at).replicate(size) for at in range(self.width // size))
