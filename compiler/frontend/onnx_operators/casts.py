"""Cast: numbers of another type, where that changes none of them, or cuts them to whole ones."""

from fractions import Fraction

import numpy as np

from spinplane.machine import Rounding, SpinplaneError

from ..building import CodesCarrier, Value
from ..onnx_file.domains import ONNX
from ..onnx_file.node import Node
from ..onnx_file.quantizer_folding import limits_of
from ..onnx_file.signatures import type_name
from ..operands import least_operand
from ..quantizers import Levels
from .operator import Context, Operator

_WIDE = ("float32", "float64")
#: Whole numbers that types of real numbers have, all up to these.
_WHOLE = {"float16": 1 << 11, "bfloat16": 1 << 8, **dict.fromkeys(_WIDE, 1 << 24)}


def cast(context: Context, node: Node) -> Value:
    """Cast of codes, of sums and of the network's input."""
    x, kind = context.value(node), type_name(node.attributes.integer("to")) or ""
    given = context.model.type(node.inputs[0]) or "float32"
    if (
        kind == given
        or (kind in _WIDE and given in (*_WIDE, "float16", "bfloat16"))
        or _keeps(x, given, kind)
    ):
        return x
    # To 4 bits, executors round in ways of their own.
    if kind in ("int8", "uint8") and given in _WHOLE and _reaches(x, kind):
        return context.builder.quantize(node.label, x, _whole(node.label, kind))
    raise SpinplaneError(
        f"{node.label}: numbers of {given}, some of which are others in {kind or 'another type'}"
    )


def _reaches(x: Value, kind: str) -> bool:
    """Whether a type has all numbers of codes, as far as these are cut off: what others become is not defined."""
    if not isinstance(x.carrier, CodesCarrier) or x.real is None or x.real.stages:
        return False
    ends = [x.real.numbers(end[:, np.newaxis]) for end in (x.real.first.least, x.real.first.greatest)]
    low, high = limits_of(kind)
    return bool((np.minimum(*ends) > low - 1).all() and (np.maximum(*ends) < high + 1).all())


def _keeps(x: Value, given: str, kind: str) -> bool:
    """Whether all numbers of a value are numbers of a type."""
    if given not in _WHOLE and kind in _WIDE:
        # Codes of 8 bits, or sums of them: float32 has whole numbers of 24 bits, which executors count in too.
        return True
    if not isinstance(x.carrier, CodesCarrier) or x.real is None or x.real.stages:
        return False
    first = x.real.first
    numbers = np.concatenate(
        [x.real.numbers(end[:, np.newaxis]) for end in (first.least, first.greatest)]
    ).ravel()
    low, high = min(numbers), max(numbers)
    if kind in _WHOLE:
        # Multiples of a power of two, few enough: they differ from whole numbers in their exponent alone.
        step = first.line.slope[0]
        shifted = [number / step for number in (low, high)]
        power = (step.numerator & (step.numerator - 1)) == 0 == (step.denominator & (step.denominator - 1))
        same = bool((first.line.slope == step).all())
        return power and same and all(abs(number) <= _WHOLE[kind] for number in shifted)
    if kind not in ("int8", "uint8", "int16", "uint16", "int32", "int64", "int4", "uint4"):
        return False
    whole = all(Fraction(n).denominator == 1 for part in (first.line.slope, first.line.offset) for n in part)
    least, greatest = limits_of(kind)
    return whole and least <= low and high <= greatest


def _whole(label: str, kind: str) -> Levels:
    """Whole numbers of a type: what comes after the point is cut off."""
    low, high = limits_of(kind)
    values = np.arange(low, high + 1, dtype=np.int64)
    return Levels(
        name=label,
        operand=least_operand(values, label),
        values=values,
        scale=1.0,
        step=1.0,
        zero_point=0.0,
        low=low,
        rounding=Rounding.TO_ZERO,
    )


OPERATORS = {
    (ONNX, "Cast"): Operator(
        handler=cast,
        takes="to any type that has all of the numbers; real numbers to int8 and uint8, cut off",
        refuses=("to a type that lacks some of the numbers: float16, bfloat16, 8-bit floats",),
    )
}
