"""Arithmetic that several units of the output stage share."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value

#: Bits that are compared side by side.
_GROUP = 4


def wire(m: Module, name: str, value: Value) -> Signal:
    """A signal that is `value`: a name for what several others are made of."""
    found = Signal(len(value), name=name)
    m.d.comb += found.eq(value)
    return found


def register(m: Module, name: str, value: Value) -> Signal:
    """`value` of the cycle before; no reset, since it is looked at only behind what was valid."""
    stage = Signal(len(value), name=name, reset_less=True)
    m.d.sync += stage.eq(value)
    return stage


def add_carry(first: Value, second: Value, carry: Value) -> Value:
    """Sum of two numbers of one width and of a carry bit, with the carry out of it, by one adder."""
    return (Cat(1, first) + Cat(carry, second))[1 : len(first) + 2]


def shift_right(m: Module, name: str, value: Value, amount: Value, *places: int) -> Value:
    """Signed `value` divided by 2^amount and rounded down, as far as bits `places` of the amount go."""
    for at in places:
        shifted = value.as_signed() >> min(1 << at, len(value) - 1)
        value = wire(m, f"{name}_by_{1 << at}", Mux(amount[at], shifted, value)[: len(value)])
    return value


def shift_right_sticky(
    m: Module, name: str, value: Value, lost: Value, amount: Value, *places: int
) -> tuple[Value, Value]:
    """`shift_right`, and whether a bit below the result was set; `lost` tells it of an earlier shift."""
    for at in places:
        dropped = value[: min(1 << at, len(value))].any()
        lost = wire(m, f"{name}_lost_{1 << at}", lost | (amount[at] & dropped))
        value = shift_right(m, name, value, amount, at)
    return value, lost


def any_above(m: Module, name: str, bits: Value) -> Signal:
    """For each bit whether it or one above it is set."""
    found, distance = wire(m, f"{name}_0", bits), 1
    while distance < len(bits):
        found = wire(m, f"{name}_{distance}", found | found >> distance)
        distance *= 2
    return found


def is_at_most(m: Module, name: str, threshold: Value, value: Value) -> Signal:
    """Whether a signed number is at most another one of as many bits.

    Gates, since a comparison has no use for the sums of an adder: what a group of bits says goes from group to group.
    """
    first, second = threshold.as_unsigned(), value.as_unsigned()
    # The sign's weight is negative.
    first, second = Cat(first[:-1], second[-1]), Cat(second[:-1], first[-1])
    greater, not_less = (
        wire(m, f"{name}_greater", second & ~first),
        wire(m, f"{name}_not_less", second | ~first),
    )
    below: Value | None = None
    for low in range(0, len(first), _GROUP):
        of_group, all_pass = greater[low], not_less[low]
        for bit in range(low + 1, min(low + _GROUP, len(first))):
            of_group = wire(m, f"{name}_greater_{bit}", greater[bit] | (not_less[bit] & of_group))
            all_pass = wire(m, f"{name}_not_less_{bit}", not_less[bit] & all_pass)
        # Equal numbers pass.
        below = wire(m, f"{name}_{low}", of_group | (all_pass if below is None else all_pass & below))
    assert below is not None
    return below
