"""Quantizers of constants, in float32 as their executors compute them."""

from collections.abc import Callable

import numpy as np

from .node import Node, Output

Value = np.ndarray

#: QONNX's rounding modes, whose UP and DOWN, also of halves, are away from 0 and toward it.
ROUNDINGS: dict[str, Callable[[Value], Value]] = {
    "ROUND": np.rint,
    "HALF_EVEN": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "DOWN": np.trunc,
    "ROUND_TO_ZERO": np.trunc,
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + np.float32(0.5)),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5)),
}
_LIMITS = {"int4": (-8, 7), "uint4": (0, 15)}


def limits_of(kind: str) -> tuple[int, int]:
    """Least and greatest number of a type of whole numbers, named as numpy or ONNX names it."""
    if kind in _LIMITS:
        return _LIMITS[kind]
    limits = np.iinfo(np.dtype(kind))
    return int(limits.min), int(limits.max)


def spread(parameter: Value, node: Node, rank: int) -> Value:
    """A scale or a zero point along its axis of a tensor of so many axes.

    Raises
    ------
    ValueError
        If it is neither one number nor a list.
    """
    if parameter.size == 1:
        return parameter.reshape(())
    if parameter.ndim != 1:
        raise ValueError("scales or zero points in blocks are not supported")
    axis = node.attributes.integer("axis", 1, least=-rank, most=max(rank - 1, 0)) % max(rank, 1)
    return parameter.reshape([-1 if at == axis else 1 for at in range(rank)])


def quantize_linear(node: Node, values: list[Value], output: Output) -> Value:
    """Codes of real numbers."""
    real, scale = values[0].astype(np.float32), values[1].astype(np.float32)
    kind = output.type or "uint8"
    low, high = limits_of(kind)
    codes = np.rint(real / spread(scale, node, real.ndim))
    if len(values) > 2:
        codes = codes + spread(values[2], node, real.ndim).astype(np.float32)
    if np.isnan(codes).any():
        raise ValueError("a number that is not finite has no code")
    return np.clip(codes, low, high).astype(f"{kind.rstrip('48')}8" if high < 256 else kind)


def dequantize_linear(node: Node, values: list[Value], output: Output) -> Value:
    """Real numbers of codes."""
    codes = values[0].astype(np.int64)
    if len(values) > 2:
        codes = codes - spread(values[2], node, codes.ndim).astype(np.int64)
    scale = values[1]
    return codes.astype(scale.dtype) * spread(scale, node, codes.ndim)


def quant(node: Node, values: list[Value], output: Output) -> Value:
    """QONNX's Quant: levels of real numbers."""
    real, scale, zero_point, bits = (value.astype(np.float32) for value in values)
    attributes = node.attributes
    signed, narrow = attributes.flag("signed"), attributes.flag("narrow")
    rounding = ROUNDINGS[attributes.text("rounding_mode", "ROUND").upper()]
    width = int(bits.reshape(()))
    if not 1 <= width <= 32 or bits.reshape(()) != width:
        raise ValueError(f"{bits.reshape(())} bits")
    if width == 1 and signed:
        codes = np.where(real / scale + zero_point >= 0, np.float32(1), np.float32(-1))
        return ((codes - zero_point) * scale).astype(np.float32)
    low = -(2 ** (width - 1)) + narrow if signed else 0
    high = 2 ** (width - 1) - 1 if signed else 2**width - 1 - narrow
    codes = rounding(np.clip(real / scale + zero_point, np.float32(low), np.float32(high)))
    return ((codes - zero_point) * scale).astype(np.float32)


def bipolar_quant(node: Node, values: list[Value], output: Output) -> Value:
    """QONNX's BipolarQuant: −scale or +scale."""
    return np.where(values[0] >= 0, values[1], -values[1]).astype(np.float32)
