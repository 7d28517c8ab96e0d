"""Multiplier: a pipeline that takes a product a cycle, with Booth's digits and carries that are saved."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.output_stage import MULTIPLIER_BITS, POOLED_BITS, PRODUCT_BITS

from .arithmetic import register, wire
from .booth import Digit, digit, row, sign_weights

#: Digits of two bits that each stage adds.
_DIGITS = (5, 5, 4, 4)

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
            added = register(m, f"added{name}", Cat(added, chunk[: begin - low]))
            carry = register(m, f"carry{name}", chunk[begin - low :])
            digits_left = register(m, f"digits{name}", digits_left)
            factor = register(m, f"factor{name}", factor)
            low = begin
        chunk = self._chunk(sums, carries, low, PRODUCT_BITS, carry)
        m.d.comb += self.product.eq(Cat(added, chunk)[:PRODUCT_BITS])
        return m

    def _row(self, m: Module, number: int, bits: Value, factor: Value) -> Row:
        """Row of a digit, which lacks 1 if it negates; what the digit before it lacks stands below."""
        one, two, negates = digit(bits)
        told = Digit(wire(m, f"one_{number}", one), wire(m, f"two_{number}", two), negates)
        found = wire(m, f"row_{number}", row(told, factor))
        placed = {2 * number + column: bit for column, bit in enumerate(found)}
        if number:
            placed[2 * number - 2] = bits[0]
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
        stage = register(m, name, Cat(row[column] for column in columns))
        constant = {column: bit for column, bit in row.items() if isinstance(bit, Const)}
        return constant | dict(zip(columns, stage, strict=True))


def _sign_weights() -> Row:
    weights = sign_weights(POOLED_BITS // 2, MULTIPLIER_BITS + 1, PRODUCT_BITS)
    return {column: Const(1, 1) for column in range(PRODUCT_BITS) if weights >> column & 1}
