"""Payloads of streams as the integers that a simulator's ports take: a layout does the counting of bits."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from amaranth.hdl import Const, Shape, ShapeLike
from amaranth.lib import data
from numpy.typing import NDArray

from spinplane.hdl.common.descriptor import DESCRIPTOR


def pack(shape: ShapeLike, value: Any) -> int:
    """Bits of `value`, as an unsigned integer.

    Parameters
    ----------
    shape : ShapeLike
        A layout of `amaranth.lib.data`, or a plain shape.
    value : int, sequence or mapping
        Members of a struct by name, elements of an array in order, an integer for a plain shape.

    Raises
    ------
    ValueError
        If an integer does not fit in its field, or the members are not those of the layout.
    """
    if not isinstance(shape, data.Layout):
        bits = Shape.cast(shape)
        raw = int(value) & ((1 << bits.width) - 1)
        if Const(raw, bits).value != value:
            raise ValueError(f"{value!r} does not fit in {bits!r}")
        return raw
    members = value if isinstance(value, Mapping) else dict(enumerate(value))
    fields = dict(shape)
    if members.keys() != fields.keys():
        raise ValueError(f"members {list(members)} must be those of the layout, {list(fields)}")
    return sum(pack(field.shape, members[key]) << field.offset for key, field in fields.items())


def unpack(shape: ShapeLike, raw: int) -> Any:
    """Value that the bits `raw` stand for, the inverse of `pack`.

    Returns
    -------
    int, list or dict
        Members of a struct by name, elements of an array in order, an integer for a plain shape.
    """
    if not isinstance(shape, data.Layout):
        bits = Shape.cast(shape)
        return Const(raw & ((1 << bits.width) - 1), bits).value
    members = {key: unpack(field.shape, raw >> field.offset) for key, field in shape}
    return list(members.values()) if isinstance(shape, data.ArrayLayout) else members


def pack_descriptor(words: NDArray[np.uint32]) -> int:
    """A descriptor from the words of the program memory, as the units of the accelerator are given it."""
    fields = zip(dict(DESCRIPTOR).values(), words.tolist(), strict=False)
    return sum((word & (1 << Shape.cast(field.shape).width) - 1) << field.offset for field, word in fields)


def pack_bits(bits: Iterable[int]) -> int:
    """Bits of a row or of word lines as an integer, the first one lowest."""
    return sum(int(bit) << position for position, bit in enumerate(bits))
