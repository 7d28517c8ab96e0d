"""How values of inputs and weights become the unsigned codes in the array.

With inputs a = s_i·u + o_i and weights w = s_w·q + o_w of unsigned codes u and q,

    Σ w·a = s_w·s_i·Σ q·u + o_w·s_i·Σ u + o_i·Σ w:

the counts give Σ q·u, the row sums Σ u, and the rest is a constant of the kernel. A padded position has a code too,
that of its value, and so nothing in it depends on where the window lies.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import gcd

import numpy as np

from spinplane.machine import MAX_BITS, Operand, SpinplaneError

from .kernel_blocks import kernel_blocks

#: Greatest factor of a window sum.
_LARGEST_WINDOW_SCALE = 255


@dataclass(frozen=True, kw_only=True)
class InputCode:
    """Codes of a feature map: value = scale · code + offset.

    Parameters
    ----------
    bits : int
        Planes of the map.
    scale, offset : int
    """

    bits: int
    scale: int
    offset: int

    def code(self, value: int) -> int | None:
        """Code of a value; None if it has none."""
        code, rest = divmod(value - self.offset, self.scale)
        return code if rest == 0 and 0 <= code < 1 << self.bits else None


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightCode:
    """Codes of a layer's weights: value = scale · code + offset.

    Parameters
    ----------
    codes : ndarray of the weights' shape, uint8
    bits : int
    scale, offset : int
    subtracts : bool
        Whether the highest bit of a code counts −2^(bits − 1), as in two's complement.
    """

    codes: np.ndarray
    bits: int
    scale: int
    offset: int
    subtracts: bool = False


def input_code(name: str, operand: Operand, padding: Collection[int] = ()) -> InputCode:
    """Codes of an operand as layers take them.

    Values of padding that the operand does not have, as ±1 and DoReFa do not have 0, are codes too: of the values from
    the least to the greatest one, of one bit more where that is the value 0.

    Parameters
    ----------
    name : str
        Of a layer that pads, for messages.
    operand : Operand
    padding : collection of int
        Values of padded positions.

    Raises
    ------
    SpinplaneError
        If the codes would need more than 8 bits, naming the layer.
    """
    code = InputCode(bits=operand.bits, scale=operand.scale, offset=operand.smallest)
    return widened(name, code, operand.largest, padding)


def widened(name: str, code: InputCode, largest: int, values: Collection[int]) -> InputCode:
    """Codes of the values from a code's offset to `largest`, and of other values too.

    Raises
    ------
    SpinplaneError
        If they would need more than 8 bits, naming the layer.
    """
    if all(code.code(value) is not None for value in values):
        return code
    least, greatest = min(code.offset, *values), max(largest, *values)
    scale = gcd(code.scale, *(value - code.offset for value in values))
    bits = max(1, ((greatest - least) // scale).bit_length())
    if bits > MAX_BITS:
        others = ", ".join(str(value) for value in sorted(values) if code.code(value) is None)
        raise SpinplaneError(
            f"layer {name}: inputs of {code.bits} bits without the value {others} need {bits} bits with padding, a "
            f"feature map has at most {MAX_BITS}"
        )
    return InputCode(bits=bits, scale=scale, offset=least)


def encode_weights(name: str, weights: np.ndarray, operand: Operand, input_scale: int) -> WeightCode:
    """Weights as unsigned codes.

    Two's complement has the excess codes w + 2^(N−1). Weights that have zeros beside the values of their operand, as
    gaps have between groups and between maps, and weights whose offset exceeds what a window sum can be multiplied
    with, have the codes w − least weight.

    Parameters
    ----------
    name : str
        Of the layer, for messages.
    weights : ndarray of shape (kernels, ...), of any integer type
        Values; zeros are allowed for every operand.
    operand : Operand
    input_scale : int
        Of the inputs, which the window sum's factor contains.

    Raises
    ------
    SpinplaneError
        If codes need more than 8 bits, or the factor of the window sum does not fit, naming the layer.
    """
    scale, bits, offset = operand.scale, operand.bits, operand.smallest
    codes = None
    if 0 <= -offset * input_scale <= _LARGEST_WINDOW_SCALE:
        codes = _codes(weights, scale, offset, bits)
    if codes is None:
        scale, offset = 1, min(0, int(weights.min()))
        bits = max(1, (int(weights.max()) - offset).bit_length())
    if bits > MAX_BITS:
        raise SpinplaneError(
            f"layer {name}: weights from {weights.min()} to {weights.max()} need codes of {bits} bits, kernels have at "
            f"most {MAX_BITS} planes"
        )
    if -offset * input_scale > _LARGEST_WINDOW_SCALE:
        raise SpinplaneError(
            f"layer {name}: weights from {offset} and inputs in steps of {input_scale} multiply the window sum by "
            f"{-offset * input_scale}: must be at most {_LARGEST_WINDOW_SCALE}"
        )
    if codes is None:
        codes = _codes(weights, scale, offset, bits)
        assert codes is not None
    return WeightCode(codes=codes, bits=bits, scale=scale, offset=offset)


def encode_signed_weights(weights: np.ndarray) -> WeightCode | None:
    """Weights as codes that need no window sum: as they are, or in two's complement if one is negative.

    Parameters
    ----------
    weights : ndarray of shape (kernels, ...), of any integer type

    Returns
    -------
    WeightCode or None
        None if codes need more than 8 bits.
    """
    least, greatest = int(weights.min()), int(weights.max())
    bits = max(1, greatest.bit_length())
    if least < 0:
        bits = 1 + max(greatest.bit_length(), (~least).bit_length())
    if bits > MAX_BITS:
        return None
    codes = (weights.astype(np.int16) & (1 << bits) - 1).astype(np.uint8)
    return WeightCode(codes=codes, bits=bits, scale=1, offset=0, subtracts=least < 0)


def _codes(weights: np.ndarray, scale: int, offset: int, bits: int) -> np.ndarray | None:
    """(Weights − offset) / scale of a power of two, uint8; None if one is not a whole number of as many bits."""
    codes = np.empty(weights.shape, dtype=np.uint8)
    for block in kernel_blocks(weights):
        above = weights[block].astype(np.int64) - offset
        shifted = above >> (scale.bit_length() - 1)
        if (scale > 1 and (above & (scale - 1)).any()) or shifted.min() < 0 or shifted.max() >= 1 << bits:
            return None
        codes[block] = shifted
    return codes
