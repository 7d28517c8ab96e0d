"""Numbers of weights and of scales."""

from fractions import Fraction

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Weights
from ..operands import least_operand


def whole_weights(constant: np.ndarray, user: str) -> Weights:
    """Weights without a quantizer, which must be whole numbers of 8 bits; messages name `user`."""
    if constant.dtype.kind == "f" and not (
        np.isfinite(constant).all() and (constant == np.rint(constant)).all()
    ):
        raise SpinplaneError(f"{user}: its weights are not quantized, and are not all whole numbers")
    if constant.dtype.kind not in "fiu" or not constant.size:
        raise SpinplaneError(f"{user}: its weights are not numbers")
    if np.abs(constant.astype(np.float64)).max() > 255:
        raise SpinplaneError(f"{user}: its weights are not quantized, and are not whole numbers of 8 bits")
    values = constant.astype(np.int64)
    return Weights(
        values=values,
        scale=np.array(Fraction(1), dtype=object),
        operand=least_operand(values, f"{user}: its weights are not quantized"),
    )


def exact(scale: np.ndarray) -> np.ndarray:
    """Numbers as Fractions, of the same shape."""
    array = np.asarray(scale)
    flat = np.array([Fraction(number) for number in array.ravel().tolist()], dtype=object)
    return flat.reshape(array.shape)
