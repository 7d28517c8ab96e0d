"""Multiplier: a pipeline that takes a product a cycle, with Booth's digits and carries that are saved."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.output_stage import MULTIPLIER_BITS, POOLED_BITS, PRODUCT_BITS

#: Digits of two bits that each stage adds.
_DIGITS = (5, 5, 4, 4)
#: A digit's product without its sign's weight: up to twice the factor.
_ROW_BITS = MULTIPLIER_BITS + 1

#: Bits of a number by their columns.
Row = dict[int, Value]


class Multiplier(wiring.Component):
    """(operand + rounds_up) · factor, modulo 2^64.

    The operand is read as digits −2 … 2 of two bits (Booth). The lowest one looks at a bit below the point, and
    `rounds_up` stands there: it costs no adder. Carries are saved from stage to stage, while the columns below all
    further digits are added up.

    Latency: `LATENCY` = 4 cycles, and an adder behind the last registers. Throughput: one product a cycle; nothing
    holds it up.

    Members
    -------
    operand : In(signed(36))
    rounds_up : In(1)
    factor : In(signed(32))
    product : Out(signed(64))
    """

    LATENCY = len(_DIGITS)

    operand: Signal
    rounds_up: Signal
    factor: Signal
    product: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "operand": In(signed(POOLED_BITS)),
                "rounds_up": In(1),
                "factor": In(signed(MULTIPLIER_BITS)),
                "product": Out(signed(PRODUCT_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        digits_left, factor = Cat(self.rounds_up, self.operand), Value.cast(self.factor)
        sums, carries = _sign_weights(), Row()
        added, carry, low = Const(0, 0), Const(0, 1), 0
        digit = 0
        for stage, digits in enumerate(_DIGITS):
            # The row before may be negated, which adds 1 to its lowest column.
            begin = max(0, 2 * digit - 2)
            chunk = self._chunk(sums, carries, low, begin, carry)
            rows = [
                {column: bit for column, bit in row.items() if column >= begin} for row in (sums, carries)
            ]
            for at in range(digits):
                rows.append(self._row(m, digit, digits_left[2 * at : 2 * at + 3], factor))
                digit += 1
            digits_left = digits_left[2 * digits :]
            if digit == POOLED_BITS // 2:
                rows.append({2 * digit - 2: digits_left})
            sums, carries = self._reduce(m, stage, rows)

            name = f"_{stage + 1}"
            sums, carries = (
                self._registered(m, f"{kind}{name}", row)
                for kind, row in (("sums", sums), ("carries", carries))
            )
            added = self._register(m, f"added{name}", Cat(added, chunk[: begin - low]))
            carry = self._register(m, f"carry{name}", chunk[begin - low :])
            digits_left = self._register(m, f"digits{name}", digits_left)
            factor = self._register(m, f"factor{name}", factor)
            low = begin
        chunk = self._chunk(sums, carries, low, PRODUCT_BITS, carry)
        m.d.comb += self.product.eq(Cat(added, chunk)[:PRODUCT_BITS])
        return m

    def _row(self, m: Module, digit: int, bits: Value, factor: Value) -> Row:
        """Product of a digit and the factor, less 1 if it is negated; what the digit before lacks stands below."""
        lower, middle, upper = bits
        one, two = Signal(name=f"one_{digit}"), Signal(name=f"two_{digit}")
        row = Signal(_ROW_BITS, name=f"row_{digit}")
        sign = factor[-1]
        m.d.comb += [
            one.eq(middle ^ lower),
            two.eq(Mux(upper, ~middle & ~lower, middle & lower)),
            row.eq(
                ((Cat(factor, sign) & one.replicate(_ROW_BITS)) | (Cat(0, factor) & two.replicate(_ROW_BITS)))
                ^ upper.replicate(_ROW_BITS)
            ),
        ]
        # The sign's weight is negative: its inverse counts, and `_sign_weights` makes up for it.
        placed = {2 * digit + column: bit for column, bit in enumerate(Cat(row[:-1], ~row[-1]))}
        if digit:
            placed[2 * digit - 2] = lower
        return {column: bit for column, bit in placed.items() if column < PRODUCT_BITS}

    def _reduce(self, m: Module, stage: int, rows: list[Row]) -> tuple[Row, Row]:
        """Two rows of the same sum, by adders of three bits."""
        while len(rows) > 2:
            level = [rows[at : at + 3] for at in range(0, len(rows), 3)]
            rows = []
            for three in level:
                if len(three) < 3:
                    rows += three
                else:
                    rows += self._add_three(m, f"{stage}_{len(three[0])}", three)
        return rows[0], rows[1]

    def _add_three(self, m: Module, name: str, rows: list[Row]) -> list[Row]:
        """Sums and carries of three rows, column by column."""
        total, carried = Row(), Row()
        for column in sorted(set().union(*rows)):
            bits = [row[column] for row in rows if column in row]
            if len(bits) == 1:
                total[column] = bits[0]
                continue
            pair = Signal(2, name=f"column_{column}")
            m.d.comb += pair.eq(sum(bits))
            total[column] = pair[0]
            if column + 1 < PRODUCT_BITS:
                carried[column + 1] = pair[1]
        return [total, carried]

    def _chunk(self, sums: Row, carries: Row, low: int, high: int, carry: Value) -> Value:
        """Sum of two rows in some columns and of a carry, with the carry out of them."""
        first, second = (
            Cat(row.get(column, Const(0, 1)) for column in range(low, high)) for row in (sums, carries)
        )
        if low == high:
            return carry
        return (Cat(1, first) + Cat(carry, second))[1:]

    def _registered(self, m: Module, name: str, row: Row) -> Row:
        columns = sorted(column for column, bit in row.items() if not isinstance(bit, Const))
        register = self._register(m, name, Cat(row[column] for column in columns))
        constant = {column: bit for column, bit in row.items() if isinstance(bit, Const)}
        return constant | dict(zip(columns, register, strict=True))

    def _register(self, m: Module, name: str, value: Value) -> Signal:
        register = Signal(len(value), name=name, reset_less=True)
        m.d.sync += register.eq(value)
        return register


def _sign_weights() -> Row:
    """What the inverted signs of all rows stand for besides themselves."""
    weights = -sum(1 << (2 * digit + _ROW_BITS - 1) for digit in range(POOLED_BITS // 2))
    return {column: Const(1, 1) for column in range(PRODUCT_BITS) if weights >> column & 1}
