"""The header of an array in numpy's format: matched with a pattern, not evaluated."""

import re
from dataclasses import dataclass
from math import prod
from typing import IO

import numpy as np

#: Kinds of numbers, as numpy's `dtype.kind` has them: truth values, whole numbers with and without sign, floats.
NUMBERS = "biuf"
_TYPES = frozenset({"b1", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)), "f2", "f4", "f8"})
_MOST_SIDES, _LONGEST_HEADER, _LONGEST_TEXT = 8, 4096, 1 << 28
_TYPE = rb"['\"]descr['\"]\s*:\s*['\"]([<>|=]?)([A-Za-z])(\d{0,7})['\"]"
_ORDER = rb"['\"]fortran_order['\"]\s*:\s*(True|False)"
_SHAPE = rb"['\"]shape['\"]\s*:\s*\(([\d\s,]*)\)"
_HEADER = re.compile(
    rb"\s*\{%s,?\s*\}\s*" % b",".join([rb"\s*(?:%s|%s|%s)\s*" % (_TYPE, _ORDER, _SHAPE)] * 3)
)


class ArrayFault(Exception):
    """What is wrong with an array, for the one line that tells of it."""


@dataclass(frozen=True, kw_only=True)
class ArrayForm:
    """What the header of an array says.

    Parameters
    ----------
    dtype : dtype
        Of numbers or text.
    shape : tuple of int
    fortran : bool
        Whether the first axis is the one whose elements lie side by side.
    header_bytes : int
        Length of the header.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    fortran: bool
    header_bytes: int

    @property
    def bytes(self) -> int:
        """Bytes of the elements."""
        return prod(self.shape) * self.dtype.itemsize


def read_form(file: IO[bytes], kinds: str) -> ArrayForm:
    """Read the header of an array, of which few bytes are read.

    Parameters
    ----------
    file : binary file
        At the beginning of the array.
    kinds : str
        Allowed kinds of its type, as letters of numpy's `dtype.kind`.

    Raises
    ------
    ArrayFault
        If it is not a header, or one of other types.
    """
    start = file.read(8)
    if len(start) < 8 or not start.startswith(b"\x93NUMPY") or start[6] not in (1, 2, 3):
        raise ArrayFault("not an array of numpy")
    digits = file.read(2 if start[6] == 1 else 4)
    length = int.from_bytes(digits, "little")
    if length > _LONGEST_HEADER:
        raise ArrayFault(f"its header has {length} bytes, more than {_LONGEST_HEADER}")
    text = file.read(length)
    if len(text) < length:
        raise ArrayFault("it ends inside its header")
    found = [re.search(pattern, text) for pattern in (_TYPE, _ORDER, _SHAPE)]
    if b"O'" in text:
        raise ArrayFault("it holds Python objects, which are never loaded")
    if not _HEADER.fullmatch(text) or not all(found):
        raise ArrayFault("its header is not that of an array of numbers or text")
    dtype, order, shape = (match.groups() for match in found if match)
    form = ArrayForm(
        dtype=_dtype(*(part.decode() for part in dtype)),
        shape=tuple(int(side) for side in shape[0].replace(b",", b" ").split()),
        fortran=order[0] == b"True",
        header_bytes=8 + len(digits) + length,
    )
    if form.dtype.kind not in kinds:
        wanted = "text" if kinds == "U" else "numbers" if "f" in kinds else "whole numbers"
        raise ArrayFault(f"it holds {form.dtype}, not {wanted}")
    if len(form.shape) > _MOST_SIDES:
        raise ArrayFault(f"it has {len(form.shape)} axes, more than {_MOST_SIDES}")
    return form


def _dtype(order: str, kind: str, size: str) -> np.dtype:
    if f"{kind}{size}" in _TYPES or (kind == "U" and 0 < int(size or 0) <= _LONGEST_TEXT):
        return np.dtype(f"{order}{kind}{size}")
    raise ArrayFault(f"its type {kind}{size} is not one of numbers or text")
