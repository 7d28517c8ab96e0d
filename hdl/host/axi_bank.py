"""AXI4 in front of the banks: a host's bursts become reads and writes of words."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from spinplane.machine.memory_map import ADDRESS_BITS, REGION_BYTES, Burst, MemoryMap, Response

from ..common.bank import bank_read, bank_write
from ..common.checks import require_positive

_OFFSET_BITS = exact_log2(REGION_BYTES)


def axi4(data_bits: int, id_bits: int) -> wiring.Signature:
    """AXI4 with 32 bits of address, as its manager sees it; what this subordinate takes no notice of is left out."""
    address = {"id": id_bits, "addr": ADDRESS_BITS, "len": 8, "size": 3, "burst": 2, "prot": 3}
    channels = {
        "aw": (Out, address),
        "w": (Out, {"data": data_bits, "strb": data_bits // 8, "last": 1}),
        "b": (In, {"id": id_bits, "resp": 2}),
        "ar": (Out, address),
        "r": (In, {"id": id_bits, "data": data_bits, "resp": 2, "last": 1}),
    }
    members: dict[str, wiring.Member] = {}
    for channel, (flow, payload) in channels.items():
        members |= {f"{channel}{name}": flow(bits) for name, bits in payload.items()}
        members |= {f"{channel}valid": flow(1), f"{channel}ready": flow.flip()(1)}
    return wiring.Signature(members)


class AxiBank(wiring.Component):
    """AXI4 subordinate in front of all banks: bursts of full beats with increasing addresses, in their order.

    A beat is answered with SLVERR if its burst is of another kind, else with DECERR if no bank has its address (a
    burst does not run on into the next bank), else with SLVERR if it meets ``busy``; it has no effect then, and reads
    as 0. A write is answered with the worst answer of its beats, and ends with WLAST: beats beyond its length have no
    effect, and a wrong number of beats is answered with SLVERR at least.

    No output of the bus depends on an input of the same cycle. One more address of each direction waits meanwhile.

    Latency: the first beat of a write can be taken in the cycle after its address, its answer is there in the cycle
    after its last beat; the first beat of a read is there 2 cycles after its address. Throughput: one beat a cycle in
    each direction, from burst to burst.

    Parameters
    ----------
    memory : MemoryMap
    id_bits : int
        Bits of AWID and ARID.

    Members
    -------
    axi : In(axi4(bus_bits, id_bits))
    busy : In(1)
        The banks are someone else's: ``enable`` of all bank ports is low.
    image_write, kernel_write, parameters_write, thresholds_write, program_write, scales_write
        : Out(bank_write(words, width))
    image_read, kernel_read, parameters_read, thresholds_read, program_read, scales_read : Out(bank_read(words, width))
        Word addresses. What is read has to be there in the next cycle alone.

    Raises
    ------
    TypeError
        If `id_bits` is not a positive integer.
    """

    axi: wiring.PureInterface
    busy: Signal

    def __init__(self, memory: MemoryMap, id_bits: int = 4) -> None:
        require_positive(id_bits=id_bits)
        self.memory = memory
        self.id_bits = id_bits
        super().__init__(
            {
                "axi": In(axi4(memory.bus_bits, id_bits)),
                "busy": In(1),
                **{f"{name}_write": Out(bank_write(b.words, b.width)) for name, b in memory.banks.items()},
                **{f"{name}_read": Out(bank_read(b.words, b.width)) for name, b in memory.banks.items()},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._beat_bits = exact_log2(self.memory.bus_bits // 8)
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        axi = self.axi
        taken = Signal()
        last = Signal()
        overrun = Signal()
        burst = self._bursts(m, "aw", taken, last)
        exists = self._exists(burst)
        # Two answers can wait, so that data need not wait for BREADY while a manager takes one a cycle.
        answers = [Signal(self._answer_layout(), name=f"answer_{place}") for place in range(2)]
        waiting = Signal(2)
        m.d.comb += [
            axi.wready.eq(burst.active & ~waiting[1]),
            taken.eq(axi.wvalid & axi.wready),
            last.eq(axi.wlast),
            axi.bvalid.eq(waiting[0]),
            axi.bid.eq(answers[0].id),
            axi.bresp.eq(answers[0].response),
        ]

        worst = Signal(2)
        now = Signal(2)
        at_length = burst.left == 0
        m.d.comb += now.eq(
            worst
            | Mux(overrun, Response.SLVERR.value, self._response(burst, exists))
            | Mux(axi.wlast & ~at_length, Response.SLVERR.value, Response.OKAY.value)
        )
        with m.If(taken):
            m.d.sync += [worst.eq(Mux(last, 0, now)), overrun.eq(~last & (overrun | at_length))]

        new = Signal.like(answers[0], name="new_answer")
        popped = Signal()
        pushed = taken & last
        m.d.comb += [new.id.eq(burst.id), new.response.eq(now), popped.eq(axi.bvalid & axi.bready)]
        with m.If(popped | ~waiting[0]):
            m.d.sync += [
                answers[0].eq(Mux(waiting[1], answers[1], new)),
                waiting.eq(Mux(waiting[1], 1, pushed)),
            ]
        with m.Elif(pushed):
            m.d.sync += [answers[1].eq(new), waiting.eq(3)]

        strobes = Signal(self.memory.bus_bits)
        m.d.comb += strobes.eq(Cat(strobe.replicate(8) for strobe in axi.wstrb))
        has_effect = taken & ~overrun & ~burst.refused & ~self.busy
        for index, (name, bank) in enumerate(self.memory.banks.items()):
            port = getattr(self, f"{name}_write")
            lane, word = self._place(burst.beat, bank.width)
            lanes = bank.width // self.memory.bus_bits
            m.d.comb += [
                port.enable.eq(has_effect & exists[index]),
                port.address.eq(word),
                port.data.eq(axi.wdata.replicate(lanes)),
                port.mask.eq(Cat(Mux(lane == at, strobes, 0) for at in range(lanes))),
            ]

    def _read(self, m: Module) -> None:
        axi = self.axi
        issued = Signal()
        last = Signal()
        burst = self._bursts(m, "ar", issued, last)
        exists = self._exists(burst)
        offered = Signal()
        fresh = Signal()
        m.d.comb += [
            issued.eq(burst.active & (~offered | axi.rready)),
            last.eq(burst.left == 0),
            axi.rvalid.eq(offered),
        ]
        with m.If(~offered | axi.rready):
            m.d.sync += offered.eq(burst.active)
        # What is read is there for one cycle; the banks may be read by others then.
        m.d.sync += fresh.eq(issued)

        response = Signal(2)
        lane_bits = bits_for(self._most_lanes() - 1)
        bank = Signal(range(len(self.memory.banks)))
        lane = Signal(lane_bits)
        m.d.comb += response.eq(self._response(burst, exists))
        with m.If(issued):
            m.d.sync += [
                axi.rid.eq(burst.id),
                axi.rlast.eq(last),
                axi.rresp.eq(response),
                bank.eq(burst.region),
                lane.eq(burst.beat),
            ]
        words = []
        for index, (name, size) in enumerate(self.memory.banks.items()):
            port = getattr(self, f"{name}_read")
            _, word = self._place(burst.beat, size.width)
            words.append(self._lane_of(port.data, lane))
            m.d.comb += [
                port.enable.eq(issued & ~burst.refused & ~self.busy & exists[index]),
                port.address.eq(word),
            ]
        kept = Signal(self.memory.bus_bits, reset_less=True)
        with m.If(fresh):
            m.d.sync += kept.eq(axi.rdata)
            m.d.comb += axi.rdata.eq(Mux(axi.rresp == Response.OKAY.value, Array(words)[bank], 0))
        with m.Else():
            m.d.comb += axi.rdata.eq(kept)

    def _bursts(self, m: Module, channel: str, done: Value, last: Value) -> data.View:
        """The burst at work of an address channel, which goes on by a beat when `done`, and ends if `last`."""
        payload = self._payload_layout()
        offered, waiting = Signal(payload, name=f"{channel}_offered"), Signal(payload, name=f"{channel}_next")
        valid, ready = (getattr(self.axi, f"{channel}{end}") for end in ("valid", "ready"))
        full, chosen = Signal(name=f"{channel}_full"), Signal(payload, name=f"{channel}_chosen")
        for name in payload.members:
            m.d.comb += offered[name].eq(getattr(self.axi, f"{channel}{name}"))
        m.d.comb += [ready.eq(~full), chosen.eq(Mux(full, waiting, offered))]

        burst = Signal(self._burst_layout(), name=f"{channel}_burst")
        with m.If(~burst.active | (done & last)):
            m.d.sync += [
                burst.active.eq(full | valid),
                burst.id.eq(chosen.id),
                burst.region.eq(chosen.addr >> _OFFSET_BITS),
                burst.beat.eq(chosen.addr[self._beat_bits : _OFFSET_BITS]),
                burst.left.eq(chosen.len),
                burst.refused.eq((chosen.burst != Burst.INCR.value) | (chosen.size != self._beat_bits)),
                full.eq(0),
            ]
        with m.Else():
            with m.If(valid & ready):
                m.d.sync += [waiting.eq(offered), full.eq(1)]
            with m.If(done):
                m.d.sync += [burst.beat.eq(burst.beat + 1), burst.left.eq(burst.left - 1)]
        return burst

    def _payload_layout(self) -> data.StructLayout:
        return data.StructLayout({"id": self.id_bits, "addr": ADDRESS_BITS, "len": 8, "size": 3, "burst": 2})

    def _burst_layout(self) -> data.StructLayout:
        """``beat`` has a bit more than a region's beats: what runs past its end stays past it."""
        return data.StructLayout(
            {
                "active": 1,
                "id": self.id_bits,
                "region": ADDRESS_BITS - _OFFSET_BITS,
                "beat": _OFFSET_BITS - self._beat_bits + 1,
                "left": 8,
                "refused": 1,
            }
        )

    def _answer_layout(self) -> data.StructLayout:
        return data.StructLayout({"id": self.id_bits, "response": 2})

    def _most_lanes(self) -> int:
        return max(bank.width for bank in self.memory.banks.values()) // self.memory.bus_bits

    def _exists(self, burst: data.View) -> list[Value]:
        """For each bank, whether it has the beat."""
        return [
            (burst.region == index) & (burst.beat < bank.bits // self.memory.bus_bits)
            for index, bank in enumerate(self.memory.banks.values())
        ]

    def _response(self, burst: data.View, exists: list[Value]) -> Value:
        mapped = Mux(self.busy, Response.SLVERR.value, Response.OKAY.value)
        decoded = Mux(Cat(exists).any(), mapped, Response.DECERR.value)
        return Mux(burst.refused, Response.SLVERR.value, decoded)

    def _lane_of(self, word: Value, lane: Value) -> Value:
        lane_bits = exact_log2(len(word) // self.memory.bus_bits)
        return word.word_select(lane[:lane_bits], self.memory.bus_bits) if lane_bits else word

    def _place(self, beat: Value, width: int) -> tuple[Value, Value]:
        """Lane in a word of `width` bits, and the word."""
        lane_bits = exact_log2(width // self.memory.bus_bits)
        return (beat[:lane_bits] if lane_bits else Const(0, 0)), beat[lane_bits:]
