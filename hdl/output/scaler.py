"""Scaler: a multiplier and what stands behind it, for the lanes that have their turns in it."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine
from spinplane.machine.output_stage import POOLED_BITS, RAW_BITS
from spinplane.machine.timing import MULTIPLY_CYCLES

from ..common.beat import SCALE_PARTS, parameters_layout, scales_layout
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .activation import LEVEL_BITS
from .arithmetic import register, wire
from .batch_norm import BatchNorm
from .limiter import Limiter
from .quantizer import Quantizer
from .turn import Product, turns_layout

_RESIDUAL_BITS = 8
#: Stage of a turn in which its product is begun: in the one before, the operand is chosen.
_MULTIPLIES = 1
_SCALED = _MULTIPLIES + BatchNorm.LATENCY
#: Stage at whose end the lane takes the level. It takes the value a cycle later.
QUANTIZED = _SCALED + Quantizer.LATENCY
assert QUANTIZED == MULTIPLY_CYCLES
#: Stages of a turn in which its scales are needed.
SCALE_STAGES = {
    "products": _MULTIPLIES,
    "high_shifts": _MULTIPLIES + BatchNorm.HIGH_SHIFT_STAGE,
    "offsets": _MULTIPLIES + BatchNorm.OFFSET_STAGE,
}


def served_lanes_layout(machine: Machine) -> data.ArrayLayout:
    """What the lanes of a multiplier hold: what they begin with, and what they keep of products before."""
    lane = data.StructLayout(
        {
            "pooled": signed(POOLED_BITS),
            "residual": _RESIDUAL_BITS,
            "level": LEVEL_BITS,
            "value": RAW_BITS,
            "bounds": parameters_layout("levels", 1).elem_shape,
        }
    )
    return data.ArrayLayout(lane, machine.lanes_per_multiplier)


class Scaler(wiring.Component):
    """A product of a lane in each turn, its value and its level.

    Operands are taken in the first stage of a turn, bounds in stage `QUANTIZED`.

    Latency: the level is there in stage `QUANTIZED` = MULTIPLY_CYCLES of its turn, the value 1 cycle later. Throughput:
    one turn a cycle; nothing holds it up.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first turn to the last value.
    turns : In(turns_layout(machine))
    lanes : In(served_lanes_layout(machine))
    scales : In(StructLayout)
        Of the turns in their stages of `SCALE_STAGES`: what `scales_layout` says of each part, for one channel.
    level : Out(9)
        An own code, a code, a table's level, or the upper bits of a value that is multiplied again.
    takes_level : Out(lanes_per_multiplier)
        Lanes that keep it.
    value : Out(32)
    takes_value : Out(lanes_per_multiplier)
    active : Out(1)
        A turn is in one of the stages. While it is low the clock may stop: flip-flops would follow what comes, but
        nothing of it is taken, and no turn that begins later has to do with it.
    """

    layer: data.View
    turns: data.View
    lanes: data.View
    scales: data.View
    level: Signal
    takes_level: Signal
    value: Signal
    takes_value: Signal
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        scales = data.StructLayout({part: scales_layout(part, 1).elem_shape for part in SCALE_PARTS})
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "turns": In(turns_layout(machine)),
                "lanes": In(served_lanes_layout(machine)),
                "scales": In(scales),
                "level": Out(LEVEL_BITS),
                "takes_level": Out(machine.lanes_per_multiplier),
                "value": Out(RAW_BITS),
                "takes_value": Out(machine.lanes_per_multiplier),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, scales, turns = self.layer, self.scales, self.turns
        batch_norm = place(m, platform, "batch_norm", BatchNorm())
        operand = Signal(signed(POOLED_BITS), name="operand", reset_less=True)
        m.d.sync += operand.eq(self._operand(m))
        m.d.comb += [
            batch_norm.layer.eq(layer),
            *(
                kind.eq(turn.kind)
                for kind, turn in zip(batch_norm.kinds, list(turns)[_MULTIPLIES:], strict=False)
            ),
            batch_norm.operand.eq(operand),
            batch_norm.multiplier.eq(scales.products.multiplier),
            batch_norm.residual_multiplier.eq(scales.products.residual_multiplier),
            batch_norm.high_shift.eq(scales.high_shifts.high_shift),
            batch_norm.offset.eq(scales.offsets.offset),
        ]
        self._quantize(m, platform, batch_norm.value)
        m.d.comb += self.active.eq(Cat(turn.valid for turn in turns).any() | self.takes_value.any())
        return m

    def _is_own(self, turn: data.View) -> Value:
        """Whether its product becomes an own code."""
        return self.layer.own_code & (turn.kind == Product.POOLED.value)

    def _lanes_of(self, turn: data.View) -> Value:
        """A bit for each lane: whether the turn is its."""
        numbers = range(self.machine.lanes_per_multiplier)
        return Cat(turn.lane == number for number in numbers) if len(numbers) > 1 else Const(1)

    def _operand(self, m: Module) -> Value:
        """What the lane that has its turn multiplies."""
        takes = wire(m, "takes_operand", self._lanes_of(self.turns[0]))
        pooled, residual, level, value = (
            _chosen(takes, [Value.cast(lane[name]) for lane in self.lanes])
            for name in ("pooled", "residual", "level", "value")
        )
        operands = {
            Product.POOLED: pooled.as_signed(),
            Product.RESIDUAL: residual,
            Product.OWN: level.as_signed(),
            Product.TOTAL: Cat(value, level[: POOLED_BITS - RAW_BITS]).as_signed(),
        }
        return Array(operands[kind] for kind in Product)[self.turns[0].kind]

    def _quantize(self, m: Module, platform: object, scaled: Value) -> None:
        layer, turns = self.layer, self.turns
        quantizer = place(m, platform, "quantizer", Quantizer())
        limiter = place(m, platform, "limiter", Limiter())
        # Where there is much to do, registers tell what is to be done.
        before, now = turns[QUANTIZED - 1], turns[QUANTIZED]
        is_total = layer.own_code & ~self._is_own(before)
        clips_total = register(m, "clips_total", is_total)
        is_plain = register(m, "is_plain", layer.table | self._is_own(before))
        is_last = before.kind == Product.TOTAL.value
        goes_on = register(m, "goes_on", layer.multiplies_total & is_total & ~is_last)
        has_turn = register(m, "has_turn", self._lanes_of(before))
        own_bounds = self._lanes_of(before) & (~is_total).replicate(len(has_turn))
        takes_bounds = register(m, "takes_bounds", own_bounds)
        low, high = (
            _chosen(takes_bounds, [Value.cast(lane.bounds[name]) for lane in self.lanes])
            | (layer[f"total_{name}"].as_unsigned() & clips_total.replicate(CODE_BITS))
            for name in ("low", "high")
        )
        shift = self.scales.offsets.shift
        for stage in range(SCALE_STAGES["offsets"], _SCALED):
            shift = register(m, f"shift_{stage}", shift)
        is_own = self._is_own(turns[_SCALED + Quantizer.ROUNDING_STAGE])
        m.d.comb += [
            quantizer.value.eq(scaled),
            quantizer.shift.eq(Mux(layer.own_code & ~self._is_own(turns[_SCALED]), layer.total_shift, shift)),
            quantizer.rounding.eq(Mux(is_own, layer.own_rounding, layer.rounding)),
            quantizer.low.eq(low),
            quantizer.high.eq(high),
            quantizer.level_shift.eq(layer.level_shift & ~is_plain),
            quantizer.zero.eq(Mux(is_plain, 0, layer.out_zero)),
            limiter.value.eq(scaled),
            limiter.raw.eq(layer.raw),
            limiter.wide.eq(layer.multiplies_total & (turns[_SCALED + 1].kind != Product.TOTAL.value)),
        ]
        closes = now.valid & now.closes
        # What an own code is made of would meet raw values that are still being written.
        keeps_value = self.takes_level & (~self._is_own(now)).replicate(len(has_turn))
        m.d.comb += [
            self.level.eq(Mux(goes_on, limiter.limited[RAW_BITS:], quantizer.code)),
            self.takes_level.eq(has_turn & closes.replicate(len(has_turn))),
            self.value.eq(register(m, "limited", limiter.limited[:RAW_BITS])),
        ]
        m.d.sync += self.takes_value.eq(keeps_value)


def _chosen(chooses: Value, values: list[Value]) -> Value:
    """The one of some values whose bit is set; 0 if none is."""
    found: Value = Const(0, len(values[0]))
    for is_chosen, value in zip(chooses, values, strict=True):
        found = found | (value.as_unsigned() & is_chosen.replicate(len(value)))
    return found
