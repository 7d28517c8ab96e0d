"""Window correction: from accumulators over unsigned codes to the sums that a layer means."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine
from spinplane.machine.output_stage import VALUE_BITS, WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ..common.beat import result_beat_layout
from .arithmetic import register
from .booth import DIGIT_SPAN, Digit, digit, row, sign_weights


class WindowCorrection(wiring.Component):
    """(accumulator << accumulator_shift) − scale · window sum + bias of each lane, modulo 2^32.

    The product is one for all lanes, since they hold channels of the same window. Who writes the program has proven
    that the sums fit.

    Latency: `LATENCY` = 3 cycles from a beat to its sums: what comes is taken, bias and accumulator are added beside
    the product, the product is subtracted. A beat's biases are taken `BIAS_DELAY` = 1 cycle after it. Throughput: one
    beat a cycle; nothing holds it up.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    accumulator_shift : In(2)
        Held constant from the first beat to the last sums, as is `scale` from the cycle before the first beat on.
    scale : In(signed(9))
    valid : In(1)
        A beat comes.
    accumulators : In(result_beat_layout(machine))
    window_sum : In(signed(25))
    biases : In(ArrayLayout(signed(32), results_per_cycle))
    sums : Out(ArrayLayout(signed(32), results_per_cycle))
    active : Out(1)
        A beat comes, or is in one of the steps. While it is low the clock may stop: no beat's sums would change.
    """

    LATENCY = 3
    BIAS_DELAY = 1

    accumulator_shift: Signal
    scale: Signal
    valid: Signal
    accumulators: data.View
    window_sum: Signal
    biases: data.View
    sums: data.View
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        values = data.ArrayLayout(signed(VALUE_BITS), machine.results_per_cycle)
        super().__init__(
            {
                "accumulator_shift": In(2),
                "scale": In(signed(WINDOW_SCALE_BITS)),
                "valid": In(1),
                "accumulators": In(result_beat_layout(machine)),
                "window_sum": In(signed(WINDOW_SUM_BITS)),
                "biases": In(values),
                "sums": Out(values),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        is_taken, is_biased = Signal(), Signal()
        m.d.sync += [is_taken.eq(self.valid), is_biased.eq(is_taken)]
        m.d.comb += self.active.eq(self.valid | is_taken | is_biased)
        window_sum = register(m, "taken_window_sum", Value.cast(self.window_sum))
        correction = register(m, "correction", self._product(m, window_sum))
        for lane in range(self.machine.results_per_cycle):
            accumulator = Signal(signed(VALUE_BITS), name=f"accumulator_{lane}", reset_less=True)
            biased = Signal(VALUE_BITS, name=f"biased_{lane}", reset_less=True)
            result = Signal(signed(VALUE_BITS), name=f"sum_{lane}", reset_less=True)
            # The lower bits are all that a sum modulo 2^32 depends on.
            shifted = (accumulator << self.accumulator_shift)[:VALUE_BITS]
            m.d.sync += [
                accumulator.eq(self.accumulators[lane]),
                biased.eq(shifted + self.biases[lane]),
                result.eq(biased - correction),
            ]
            m.d.comb += self.sums[lane].eq(result)
        return m

    def _product(self, m: Module, window_sum: Signal) -> Value:
        """Scale · window sum. The scale's digits are there long before."""
        count = (WINDOW_SCALE_BITS + 1) // 2
        scale = Cat(0, self.scale, self.scale[-1])
        negations, rows = Const(0, 0), []
        for number in range(count):
            one, two, negates = (
                register(m, f"{name}_{number}", value)
                for name, value in digit(scale[2 * number : 2 * number + DIGIT_SPAN])._asdict().items()
            )
            rows.append(row(Digit(one, two, negates), window_sum) << 2 * number)
            negations = Cat(negations, negates, 0)
        weights = sign_weights(count, WINDOW_SUM_BITS + 1, VALUE_BITS)
        return (sum(rows) + negations + weights)[:VALUE_BITS]
