"""Reference select: the reference that the sense amplifiers compare with."""

from amaranth.hdl import Module, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out


class Sense(enum.Enum, shape=2):
    """The decision that a sub-array's sense amplifiers take in a cycle."""

    NONE = 0
    #: A single row: the reference lies between the parallel and the anti-parallel state.
    M = 1
    #: AND of two rows.
    AND = 2
    #: OR of two rows.
    OR = 3


class ReferenceSelect(wiring.Component):
    """Decodes a sense operation into the paper's reference enables, at most one of them high.

    Combinational: no latency, an operation a cycle.

    Parameters
    ----------
    xor_sensing : bool
        Whether AND and OR can be sensed at once.

    Members
    -------
    sense : In(Sense)
    exclusive : In(1)
        With ``xor_sensing`` alone: ``AND`` enables EN_OR too, and the amplifiers show the XOR.
    en_m, en_and, en_or : Out(1)
        EN_M, EN_AND and EN_OR of the sense amplifiers.
    """

    sense: enum.EnumView
    exclusive: Signal
    en_m: Signal
    en_and: Signal
    en_or: Signal

    def __init__(self, xor_sensing: bool = False) -> None:
        self.xor_sensing = xor_sensing
        exclusive = {"exclusive": In(1)} if xor_sensing else {}
        super().__init__({"sense": In(Sense), **exclusive, "en_m": Out(1), "en_and": Out(1), "en_or": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        either = self.sense == Sense.OR
        if self.xor_sensing:
            either |= (self.sense == Sense.AND) & self.exclusive
        m.d.comb += [
            self.en_m.eq(self.sense == Sense.M),
            self.en_and.eq(self.sense == Sense.AND),
            self.en_or.eq(either),
        ]
        return m
