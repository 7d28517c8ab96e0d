"""Proofs of the banks' bus: the rules of AXI4, as far as they are a subordinate's, and what each beat does."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Array, Cat, Const, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from spinplane.hdl.host.axi_bank import AxiBank
from spinplane.hdl.output.arithmetic import wire
from spinplane.machine.memory_map import REGION_BYTES, Burst, MemoryMap, Response

from .host_proofs import MACHINE, keeps, outputs
from .proof import Harness, Proof

_BUS = "the bus of a small machine, bursts of 1 to 256 beats"
_OFFSET_BITS = exact_log2(REGION_BYTES)


class _Queue:
    """What has begun and not ended, in its order; as many as `depth`.

    Attributes
    ----------
    number : Signal
    entries : list of Signal
        The oldest one first.
    """

    def __init__(self, h: Harness, name: str, depth: int, begins: Value, value: Value, ends: Value) -> None:
        self.number = Signal(range(depth + 1), name=f"{name}_number")
        self.entries = [Signal(len(value), name=f"{name}_{at}", reset_less=True) for at in range(depth)]
        left = wire(h.m, f"{name}_left", (self.number - ends)[: len(self.number)])
        h.m.d.sync += self.number.eq(left + begins)
        h.prove(self.number <= depth)
        for at, entry in enumerate(self.entries):
            with h.m.If(ends & (at + 1 < depth)):
                h.m.d.sync += entry.eq(self.entries[min(at + 1, depth - 1)])
            with h.m.If(begins & (left == at)):
                h.m.d.sync += entry.eq(value)


class _Beats:
    """The beats of a channel's bursts, one by one, as the map of the memory has them."""

    def __init__(self, h: Harness, bank: AxiBank, channel: str, done: Value, last: Value) -> None:
        self.memory, self.burst_names = bank.memory, ("id", "addr", "len", "size", "burst")
        names = [getattr(bank.axi, f"{channel}{name}") for name in self.burst_names]
        begins = getattr(bank.axi, f"{channel}valid") & getattr(bank.axi, f"{channel}ready")
        self.queue = _Queue(h, f"{channel}_requests", 2, begins, Cat(*names), done & last)
        layout = data.StructLayout(
            {name: len(value) for name, value in zip(self.burst_names, names, strict=True)}
        )
        self.now, self.next = (data.View(layout, entry) for entry in self.queue.entries)
        self.bytes = bank.memory.bus_bits // 8
        #: Bytes of the burst before this beat; a beat beyond a region is in none.
        self.passed = Signal(_OFFSET_BITS + 1, name=f"{channel}_passed")
        with h.m.If(done):
            h.m.d.sync += self.passed.eq(Mux(last, 0, self.passed + self.bytes))
        offset = (self.now.addr[:_OFFSET_BITS] & -self.bytes) + self.passed
        self.offset = wire(h.m, f"{channel}_offset", offset[: _OFFSET_BITS + 1])
        self.refused = (self.now.burst != Burst.INCR.value) | (self.now.size != self.bytes.bit_length() - 1)
        region = self.now.addr[_OFFSET_BITS:]
        self.in_bank = {
            name: wire(h.m, f"{channel}_in_{name}", (region == number) & (self.offset < size.size))
            for number, (name, size) in enumerate(self.memory.banks.items())
        }
        mapped = Mux(bank.busy, Response.SLVERR.value, Response.OKAY.value)
        decoded = Mux(Cat(self.in_bank.values()).any(), mapped, Response.DECERR.value)
        self.response = Mux(self.refused, Response.SLVERR.value, decoded)
        self.is_last = self.passed == self.now.len * self.bytes

    def follow(self, h: Harness, bank: AxiBank, channel: str, beyond: Value) -> None:
        """What makes it inductive: what the bank holds of the same bursts, while a burst is not `beyond` its length."""
        region = self.now.addr[_OFFSET_BITS:]
        burst = data.View(bank._burst_layout(), h.local(f"{channel}_burst"))
        waiting = data.View(bank._payload_layout(), h.local(f"{channel}_next"))
        full = h.local(f"{channel}_full")
        first, second = self.queue.number != 0, self.queue.number == 2
        h.prove(
            burst.active == first,
            full == second,
            ~first | (burst.id == self.now.id),
            ~first | (burst.region == region),
            ~first | (burst.beat * self.bytes == self.offset),
            ~first | beyond | (burst.left * self.bytes + self.passed == self.now.len * self.bytes),
            ~first | (burst.refused == self.refused),
            ~second | (waiting.as_value() == self.next.as_value()),
            first | (self.passed == 0),
        )

    def lane(self, name: str) -> tuple[Value, Value]:
        """Number of the word in a bank, and of the beat in it."""
        beats = getattr(self.memory, name).width // (8 * self.bytes)
        beat = self.offset[self.bytes.bit_length() - 1 :]
        bits = beats.bit_length() - 1
        return beat[bits:], beat[:bits] if bits else Const(0, 1)


def _reads(unit: Callable[..., Any]) -> Harness:
    bank = unit(MemoryMap.of(MACHINE))
    h, bus = Harness(bank), bank.axi
    keeps(h, "r", bus.rvalid, bus.rready, [bus.rid, bus.rdata, bus.rresp, bus.rlast])
    issues, last = Signal(name="issues"), Signal(name="last_issue")
    beats = _Beats(h, bank, "ar", issues, last)
    h.m.d.comb += [issues.eq((beats.queue.number != 0) & (~bus.rvalid | bus.rready)), last.eq(beats.is_last)]

    beats.follow(h, bank, "ar", Const(0))

    # A read of its own bank at its own address for each beat, and what is told of it in the next cycle.
    answer, is_answer = Signal(len(bus.rdata), name="answer"), Signal()
    h.m.d.sync += is_answer.eq(issues)
    for name, in_bank in beats.in_bank.items():
        port, (word, lane) = getattr(bank, f"{name}_read"), beats.lane(name)
        reads = wire(h.m, f"reads_{name}", issues & in_bank & ~beats.refused & ~bank.busy)
        h.prove(port.enable == reads, ~reads | (port.address == word))
        answers, of_lane = h.delayed(reads, 1), h.delayed(lane, 1)
        with h.m.If(answers):
            h.m.d.comb += answer.eq(port.data.word_select(of_lane, len(bus.rdata)))
        h.reach(answers & bus.rvalid & (bus.rdata != 0) & ~bus.rlast)
    h.prove(~is_answer | (bus.rdata == answer))

    # What is answered: each beat of each burst, in their order, one a cycle while they are taken.
    begins, ends = bus.arvalid & bus.arready, bus.rvalid & bus.rready
    bursts = _Queue(h, "reads", 3, begins, Cat(bus.arid, bus.arlen), ends & bus.rlast)
    ids = [entry[: bank.id_bits] for entry in bursts.entries]
    lengths = [entry[bank.id_bits :] for entry in bursts.entries]
    sent, response = Signal(9, name="sent"), Signal(2, name="response", reset_less=True)
    with h.m.If(ends):
        h.m.d.sync += sent.eq(Mux(bus.rlast, 0, sent + 1))
    with h.m.If(issues):
        h.m.d.sync += response.eq(beats.response)
    h.prove(
        ~bus.rvalid | (bursts.number != 0),
        ~bus.rvalid | (bus.rid == ids[0]),
        ~bus.rvalid | (bus.rlast == (sent == lengths[0])),
        ~bus.rvalid | (bus.rresp == response),
        ~h.delayed(beats.queue.number != 0, 1) | ~h.after(1) | bus.rvalid,
    )
    # What makes it inductive: the burst whose beats are read is the one behind a last beat that is not taken.
    behind = bus.rvalid & bus.rlast
    h.prove(
        bursts.number == beats.queue.number + behind,
        (beats.queue.number == 0) | (Mux(behind, ids[1], ids[0]) == beats.now.id),
        (beats.queue.number == 0) | (Mux(behind, lengths[1], lengths[0]) == beats.now.len),
        (beats.queue.number != 2) | (Mux(behind, ids[2], ids[1]) == beats.next.id),
        (beats.queue.number != 2) | (Mux(behind, lengths[2], lengths[1]) == beats.next.len),
        (beats.queue.number == 0) | (beats.passed == Mux(behind, 0, sent + bus.rvalid) * beats.bytes),
        (bursts.number == 0) | (sent <= lengths[0]),
        (bursts.number != 0) | (sent == 0),
    )
    h.reach(
        bursts.number == 3,
        bus.rvalid & bus.rlast & (sent == 3),
        bus.rvalid & (bus.rresp == Response.DECERR.value),
    )
    return h


def _writes(unit: Callable[..., Any]) -> Harness:
    bank = unit(MemoryMap.of(MACHINE))
    h, bus = Harness(bank), bank.axi
    keeps(h, "b", bus.bvalid, bus.bready, [bus.bid, bus.bresp])
    taken, ends = bus.wvalid & bus.wready, bus.bvalid & bus.bready
    beats = _Beats(h, bank, "aw", taken, bus.wlast)

    # The effect of each beat: its strobes in its own bank at its own address.
    beyond = Signal(name="beyond")
    with h.m.If(taken):
        h.m.d.sync += beyond.eq(~bus.wlast & (beyond | beats.is_last))
    beats.follow(h, bank, "aw", beyond)
    strobes = Cat(strobe.replicate(8) for strobe in bus.wstrb)
    for name, in_bank in beats.in_bank.items():
        port, (word, lane) = getattr(bank, f"{name}_write"), beats.lane(name)
        writes = wire(h.m, f"writes_{name}", taken & ~beyond & in_bank & ~beats.refused & ~bank.busy)
        bits = len(bus.wdata)
        h.prove(
            port.enable == writes,
            ~writes | (port.address == word),
            ~writes | (port.mask == (strobes << (lane * bits))[: len(port.mask)]),
            ~writes | (port.data.word_select(lane, bits) == bus.wdata),
        )
        h.reach(writes & (port.mask != 0) & ~bus.wlast)

    # What is answered: one answer a burst, in their order, the worst of its beats, behind its last one.
    early = Mux(bus.wlast & ~beats.is_last, Response.SLVERR.value, Response.OKAY.value)
    response = Mux(beyond, Response.SLVERR.value, beats.response | early)
    worst = Signal(2, name="worst_of_burst")
    now = wire(h.m, "worst_now", Mux(response > worst, response, worst))
    with h.m.If(taken):
        h.m.d.sync += worst.eq(Mux(bus.wlast, 0, now))
    bursts = _Queue(h, "writes", 4, bus.awvalid & bus.awready, bus.awid, ends)
    answers = _Queue(h, "answers", 2, taken & bus.wlast, now, ends)
    h.prove(
        bus.bvalid == (answers.number != 0),
        ~bus.bvalid | (bus.bid == bursts.entries[0]),
        ~bus.bvalid | (bus.bresp == answers.entries[0]),
        bus.wready == ((beats.queue.number != 0) & (answers.number != 2)),
    )
    # What makes it inductive.
    held = [data.View(bank._answer_layout(), h.local(f"answer_{place}")) for place in range(2)]
    number = answers.number
    behind = Array(bursts.entries)
    h.prove(
        h.local("waiting") == Mux(number == 2, 3, number),
        bursts.number == number + beats.queue.number,
        *((number <= at) | (held[at].id == bursts.entries[at]) for at in range(2)),
        *((number <= at) | (held[at].response == answers.entries[at]) for at in range(2)),
        (beats.queue.number == 0) | (behind[number] == beats.now.id),
        (beats.queue.number != 2) | (behind[number + 1] == beats.next.id),
        h.local("worst") == worst,
        h.local("overrun") == beyond,
        worst != 1,
        *((number <= at) | (answers.entries[at] != 1) for at in range(2)),
        (beats.queue.number == 0) | beyond | (beats.passed <= beats.now.len * beats.bytes),
        (beats.queue.number != 0) | ~beyond & (worst == 0),
    )
    h.reach(bursts.number == 4, bus.bvalid & (bus.bresp == Response.OKAY.value), beyond & bus.wlast & taken)
    return h


def _bank_paths(unit: Callable[..., Any]) -> Harness:
    bank = unit(MemoryMap.of(MACHINE))
    h = Harness(bank)
    words = [getattr(bank, f"{name}_read").data for name in bank.memory.banks]
    h.steady(outputs(bank.axi), fixed=words)
    h.reach(bank.axi.rvalid & bank.axi.rdata.any(), bank.axi.wready, bank.axi.bvalid)
    return h


PROOFS = {
    "axi_bank_reads": Proof(
        unit=AxiBank,
        says="AXI4: a read burst is answered with its ID, beat for beat in the order of the bursts, RLAST with the "
        "last one alone; a beat stays until it is taken, the next one follows in the cycle after. Each is read at its "
        "own address in its own bank, or not at all and answered with its error.",
        harness=_reads,
        width=_BUS,
        inductive=True,
        reached=14,
        sound="fresh.eq(issued)",
        faulty="fresh.eq(1)",
    ),
    "axi_bank_writes": Proof(
        unit=AxiBank,
        says="AXI4: a write burst has one answer with its ID, in the order of the bursts, behind its last beat: the "
        "worst of its beats' answers; it stays until it is taken. Each beat is written at its own address in its own "
        "bank, or not at all.",
        harness=_writes,
        width=_BUS,
        inductive=True,
        reached=10,
        sound="overrun.eq(~last & (overrun | at_length))",
        faulty="overrun.eq(~last & at_length)",
    ),
    "axi_bank_paths": Proof(
        unit=AxiBank,
        says="AXI4: no output depends on an input of the same cycle, but RDATA on what a bank was asked for before.",
        harness=_bank_paths,
        width=_BUS,
        steps=0,
        reached=8,
        sound="axi.wready.eq(burst.active & ~waiting[1])",
        faulty="axi.wready.eq(burst.active & (~waiting[1] | axi.bready))",
    ),
}
