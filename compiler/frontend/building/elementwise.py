"""Operators that take numbers one by one: constants, normalization, bounds, functions."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import isqrt
from typing import Literal

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import InputOperation
from ...meaning.exact_map import ExactMap, fractions
from ...meaning.functions import Function, hard_swish, leaky, sigmoid, sign, tanh
from ...meaning.real_map import RealMap
from .access import as_codes, is_coded, real_of, refuse_host, without_padding
from .arranging import arranged
from .delaying import mapped
from .drafts import Drafts
from .features import as_features
from .layout import CHANNELS
from .value import CodesCarrier, InputCarrier, Value

Arithmetic = Literal["multiply", "divide", "add", "subtract"]
_InputKind = Literal["multiply", "divide", "add", "subtract", "maximum", "minimum"]

#: Operators between a layer's sums and its quantizer, and their product with the channels: exact numbers grow in each.
_MOST_OPERATORS, _MOST_MAPS = 64, 1 << 18
#: Functions that fall and rise among them: each doubles the steps of the quantizer.
_MOST_TURNS = 3
#: Bits of the inverse of a root, at least.
_ROOT_BITS = 160

_FUNCTIONS: dict[str, Callable[[], Function]] = {
    "sigmoid": sigmoid,
    "tanh": tanh,
    "sign": sign,
    "hard_swish": hard_swish,
}


def arithmetic(
    drafts: Drafts, label: str, x: Value, kind: Arithmetic, constant: np.ndarray | np.generic
) -> Value:
    """`Builder.arithmetic`."""
    x, numbers = _spread(drafts, label, x, np.asarray(constant))
    if isinstance(x.carrier, InputCarrier):
        return _prepared(label, x, kind, numbers)
    exact = fractions(numbers, x.channels)
    if kind == "divide":
        if (exact == 0).any():
            raise SpinplaneError(f"{label}: a division by 0")
        kind, exact = "multiply", 1 / exact
    if kind == "multiply":
        return _become(label, x, lambda last: last.times(exact))
    return _become(label, x, lambda last: last.plus(exact if kind == "add" else -exact))


def normalize(
    drafts: Drafts,
    label: str,
    x: Value,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    axis: int,
) -> Value:
    """`Builder.normalize`."""
    shape = tuple(len(gamma) if at == axis else 1 for at in range(len(x.shape)))
    constants = []
    for constant in (gamma, beta, mean, variance):
        if constant.shape != gamma.shape or constant.ndim != 1:
            raise SpinplaneError(
                f"{label}: a constant of shape {constant.shape}: expected "
                f"{x.shape[axis : axis + 1]}, one value per channel"
            )
        x, numbers = _spread(drafts, label, x, constant.reshape(shape))
        constants.append(numbers)
    g, b, m, v = (fractions(numbers, x.channels) for numbers in constants)
    if not (v > 0).all():
        raise SpinplaneError(f"{label}: its variance must be positive")
    if isinstance(x.carrier, InputCarrier):
        # As executors compute it: one product, one sum.
        scale = constants[0].astype(np.float32) / np.sqrt(constants[3].astype(np.float32))
        x = _prepared(label, x, "multiply", scale)
        return _prepared(label, x, "add", constants[1] - constants[2] * scale)
    return _become(label, x, lambda last: normalized(last, g, b, m, v))


def normalized(
    real: ExactMap, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> ExactMap:
    """The map behind gamma · (x − mean) / sqrt(variance) + beta, all of shape (channels,), of Fraction.

    The root of the variance is exact, or to one part in 2^160.
    """
    factor = gamma * _inverse_root(variance)
    # In float32 the factor rounds with the sum of variance and epsilon, root, quotient and product, and in its product
    # with the mean or the number.
    return real.plus(-mean).times(factor, roundings=5).plus(beta)


def clip(drafts: Drafts, label: str, x: Value, low: np.ndarray | float, high: np.ndarray | float) -> Value:
    """`Builder.clip`."""
    return _bound(drafts, label, _bound(drafts, label, x, low, at_least=True), high, at_least=False)


def _bound(drafts: Drafts, label: str, x: Value, bound: np.ndarray | float, *, at_least: bool) -> Value:
    """The greater (or the lesser) of numbers and a bound, which is infinite where there is none."""
    given = np.asarray(bound)
    if given.dtype.kind == "f":
        if np.isnan(given).any():
            raise SpinplaneError(f"{label}: its bounds are not numbers")
        if np.isinf(given).all() and (given < 0).all() == at_least:
            return x
    x, numbers = _spread(drafts, label, x, given)
    if isinstance(x.carrier, InputCarrier):
        return _prepared(label, x, "maximum" if at_least else "minimum", numbers)
    exact = fractions(numbers, x.channels)
    return _become(label, x, lambda last: last.at_least(exact) if at_least else last.at_most(exact))


def leaky_relu(drafts: Drafts, label: str, x: Value, slope: np.ndarray | np.generic | float) -> Value:
    """`Builder.leaky`."""
    x, numbers = _spread(drafts, label, x, np.asarray(slope))
    return through(drafts, label, x, leaky(fractions(numbers, x.channels)))


def named_function(drafts: Drafts, label: str, x: Value, name: str) -> Value:
    """`Builder.function`."""
    return through(drafts, label, x, _FUNCTIONS[name]())


def through(drafts: Drafts, label: str, x: Value, function: Function) -> Value:
    """A function of numbers that are quantized, or will be."""
    refuse_host(label, x)
    taken = x
    if isinstance(x.carrier, InputCarrier) and is_coded(drafts):
        x = as_codes(drafts, label, x)
    x = without_padding(drafts, label, x)
    made = mapped(label, x, lambda real: real.through(function))
    if not isinstance(x.carrier, CodesCarrier) and real_of(label, made).turns.max() > _MOST_TURNS:
        raise SpinplaneError(
            f"{label}: more than {_MOST_TURNS} functions that fall and rise in a row: quantize its input first"
        )
    return _checked(label, replace(made, before=x.before or (label, taken)))


def _spread(drafts: Drafts, label: str, x: Value, constant: np.ndarray) -> tuple[Value, np.ndarray]:
    """A value, and a constant one number a channel (or one alone), of its own type."""
    refuse_host(label, x)
    if constant.dtype.kind == "f" and not np.isfinite(constant).all():
        raise SpinplaneError(f"{label}: its constants are not all finite")
    x = without_padding(drafts, label, x)
    if (
        constant.ndim > len(x.shape)
        and x.shape
        and np.broadcast_shapes(constant.shape, x.shape)[1:]
        == (
            *(1,) * (constant.ndim - len(x.shape) - 1),
            *x.shape,
        )
    ):
        reshaped = x.layout.reshaped((1,) * (constant.ndim - len(x.shape)) + x.shape)
        assert reshaped is not None
        x = replace(x, layout=reshaped)
    if constant.size > 1:
        padded = (1,) * (len(x.shape) - constant.ndim) + constant.shape
        longer = [axis for axis, side in enumerate(padded) if side > 1]
        if len(longer) == 1 and longer[0] > 0 and x.layout.axes[longer[0]] != (CHANNELS,):
            x = arranged(drafts, x, longer[0])
    numbers = x.layout.by_channel(constant)
    if numbers is None and isinstance(x.carrier, CodesCarrier):
        x = as_features(drafts, label, x)
        numbers = x.layout.by_channel(constant)
    if numbers is None:
        raise SpinplaneError(f"{label}: a constant of shape {constant.shape} is not one value per channel")
    return x, constant.reshape(()) if constant.size == 1 else np.array(numbers)


def _prepared(label: str, x: Value, kind: _InputKind, constant: np.ndarray) -> Value:
    assert isinstance(x.carrier, InputCarrier)
    with np.errstate(over="ignore"):
        number = np.asarray(constant).astype(np.float32)
    if not np.isfinite(number).all():
        raise SpinplaneError(f"{label}: its constant is not a finite number of float32")
    if x.carrier.pool:
        raise SpinplaneError(f"{label}: a maximum of the input must be followed by its quantizer")
    operations = (*x.carrier.operations, InputOperation(kind=kind, constant=number))
    if len(operations) > _MOST_OPERATORS:
        raise SpinplaneError(
            f"{label}: more than {_MOST_OPERATORS} operators before the quantizer of the input"
        )
    return replace(x, carrier=replace(x.carrier, operations=operations))


def _become(label: str, x: Value, change: Callable[[ExactMap], ExactMap]) -> Value:
    return _checked(label, mapped(label, x, lambda real: real.changed(change(real.last))))


def _checked(label: str, x: Value) -> Value:
    most = min(_MOST_OPERATORS, _MOST_MAPS // x.channels)
    real: RealMap | None = x.real
    if real is not None and real.operators > most:
        raise SpinplaneError(f"{label}: more than {most} operators after the sums of {x.channels} channels")
    return x


def _inverse(number: Fraction) -> Fraction:
    product = number.numerator * number.denominator
    bits = _ROOT_BITS + product.bit_length() // 2
    return Fraction(isqrt(product << 2 * bits), number.numerator << bits)


_inverse_root = np.frompyfunc(_inverse, 1, 1)
