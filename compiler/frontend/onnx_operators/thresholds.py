"""QONNX's MultiThreshold and Trunc."""

from fractions import Fraction
from math import floor

import numpy as np

from spinplane.machine import Coding, Operand, Rounding, SpinplaneError

from ...meaning.rounding import round_quotients, step_positions
from ..building import Thresholds, Value
from ..onnx_file.domains import QONNX
from ..onnx_file.node import Node
from ..operands import least_operand
from ..quantizers import ROUNDINGS
from .operator import Context, Operator
from .weights import exact

#: Axis of the channels in QONNX's layouts, by the rank of a tensor that names none.
_LAYOUTS = {2: "NC", 3: "NWC", 4: "NCHW"}
_MOST_STEPS = 255


def multi_threshold(context: Context, node: Node) -> Value:
    """MultiThreshold: how many thresholds a number has reached, scaled and moved."""
    x, attributes, label = context.value(node), node.attributes, node.label
    thresholds = context.reals(node, 1)
    if thresholds.ndim != 2 or not 1 <= thresholds.shape[1] <= _MOST_STEPS:
        raise SpinplaneError(
            f"{label}: thresholds of shape {thresholds.shape}: expected 1 to {_MOST_STEPS} of each channel"
        )
    if not np.isfinite(thresholds).all():
        raise SpinplaneError(f"{label}: its thresholds are not all finite")
    layout = attributes.text("data_layout", "") or _LAYOUTS.get(len(x.shape), "NC")
    axis = layout.index("C") if "C" in layout else 1
    if len(layout) != len(x.shape):
        raise SpinplaneError(f"{label}: a tensor of shape {x.shape} in layout {layout!r}")
    scale = Fraction(attributes.number("out_scale", 1.0))
    bias = Fraction(attributes.number("out_bias", 0.0))
    if scale <= 0:
        raise SpinplaneError(f"{label}: its out_scale must be positive")
    count = np.arange(thresholds.shape[1] + 1, dtype=np.int64)
    odd = (len(count) & (len(count) - 1)) == 0 and 2 * bias == -scale * int(count[-1])
    if odd:
        # Levels around 0, which is none of them: the odd numbers.
        bits = len(count).bit_length() - 1
        values, scale, bias = 2 * count - int(count[-1]), scale / 2, Fraction(0)
        operand = Operand(bits=bits, coding=Coding.BIPOLAR if bits == 1 else Coding.DOREFA)
    else:
        whole = floor(bias / scale)
        values, bias = count + whole, bias - whole * scale
        operand = least_operand(values, label)
    positions = exact(np.sort(thresholds, axis=1))
    steps = Thresholds(
        positions=positions if len(positions) > 1 else positions[0],
        inclusive=np.ones(thresholds.shape[1], dtype=bool),
        values=values,
        operand=operand,
        scale=np.array([scale], dtype=object),
        offset=np.array([bias], dtype=object),
    )
    return context.builder.threshold(label, x, steps, axis)


def trunc(context: Context, node: Node) -> Value:
    """Trunc: codes of one quantizer with their last bits rounded off, in its older and its newer form."""
    x, attributes, label = context.value(node), node.attributes, node.label
    numbers = [exact(context.constant(node, number)) for number in range(1, len(node.inputs))]
    if any(number.size != 1 for number in numbers):
        raise SpinplaneError(f"{label}: expected one scale, one zero point and one bit width")
    scale, zero, bits, *rest = (number.reshape(()).item() for number in numbers)
    rounding = ROUNDINGS.get(attributes.text("rounding_mode", "FLOOR").upper())
    if rounding is None or scale <= 0 or any(not 1 <= number <= 32 for number in (bits, rest[-1])):
        raise SpinplaneError(
            f"{label}: expected rounding {', '.join(ROUNDINGS)}, a positive scale and 1 to 32 bits"
        )
    if len(rest) == 1:
        exponent, new_scale, new_zero = bits - rest[0], scale, zero
        signed = True
        low, high = _reach(context, node, x, scale, zero, exponent, rounding)
    else:
        exponent = Fraction(round(float(np.log2(float(rest[0] / scale)))))
        new_scale, new_zero = rest[0], zero / Fraction(2) ** exponent
        signed, narrow = attributes.flag("signed", True), attributes.flag("narrow", False)
        width = int(rest[1])
        low = -(2 ** (width - 1)) + narrow if signed else 0
        high = 2 ** (width - 1) - 1 if signed else 2**width - 1 - narrow
    if exponent.denominator != 1 or new_zero.denominator != 1 or high - low > _MOST_STEPS:
        raise SpinplaneError(f"{label}: {low} to {high}: expected codes of 8 bits, and whole zero points")
    codes = np.arange(low, high + 1, dtype=np.int64)
    twice, inclusive = step_positions(codes[1:], rounding)
    # The least whole number that is rounded to each code, and where it begins if halves are rounded to even.
    scaled = [Fraction(int(two), 2) * Fraction(2) ** exponent for two in twice]
    whole = [
        -((-number) // 1) if at_it else number // 1 + 1
        for number, at_it in zip(scaled, inclusive, strict=True)
    ]
    positions = [(Fraction(2 * number - 1, 2) - zero) * scale for number in whole]
    values = codes - int(new_zero)
    steps = Thresholds(
        positions=np.array(positions, dtype=object),
        inclusive=np.array([number % 2 == 0 for number in whole], dtype=bool),
        values=values,
        operand=least_operand(values, label),
        scale=np.array([new_scale], dtype=object),
        offset=np.array([Fraction(0)], dtype=object),
    )
    return context.builder.threshold(label, x, steps)


def _reach(
    context: Context,
    node: Node,
    x: Value,
    scale: Fraction,
    zero: Fraction,
    exponent: Fraction,
    rounding: Rounding,
) -> tuple[int, int]:
    """The least and the greatest code of a Trunc that does not clip."""
    if x.real is None:
        raise SpinplaneError(f"{node.label}: its input is not quantized")
    ends = np.stack([x.real.first.least, x.real.first.greatest], axis=1)
    numbers = x.real.numbers(ends) / scale + zero
    found = []
    for number in (numbers.min(), numbers.max()):
        quotient = round(number) / Fraction(2) ** exponent
        rounded = round_quotients(
            np.array([quotient.numerator], dtype=object), quotient.denominator, rounding
        )
        found.append(int(rounded[0]))
    return found[0], found[1]


OPERATORS = {
    (QONNX, "MultiThreshold"): Operator(
        handler=multi_threshold, takes="with one list of thresholds, or one a channel, in every layout"
    ),
    (QONNX, "Trunc"): Operator(
        handler=trunc, takes="in both forms, of codes and of averages, with every rounding"
    ),
}
