"""All operators, by domain and name."""

from . import (
    casts,
    channels_last,
    elementwise,
    integer_operators,
    layout,
    linear,
    pools,
    quantize_linear,
    quantizers,
    thresholds,
)
from .operator import Operator

OPERATORS: dict[tuple[str, str], Operator] = (
    linear.OPERATORS
    | casts.OPERATORS
    | quantizers.OPERATORS
    | quantize_linear.OPERATORS
    | integer_operators.OPERATORS
    | elementwise.OPERATORS
    | pools.OPERATORS
    | layout.OPERATORS
    | thresholds.OPERATORS
    | channels_last.OPERATORS
)
