"""The bytes of a TFLite file, checked before anything reads them as tables.

A flatbuffer is tables that point at one another. A damaged one points outside, at itself, or from a thousand places at
one table. This walk follows every pointer that is read later, allocates nothing, and counts.
"""

from struct import Struct
from typing import NoReturn

import tflite

from spinplane.machine import SpinplaneError

from .schema import OPTIONS, TABLES, TEXT, Field, Union, Vector

#: Tables that are visited, and elements of lists of whole numbers, all together.
MOST_TABLES, MOST_NUMBERS = 200_000, 2_000_000
IDENTIFIER = b"TFL3"

_UNSIGNED, _SIGNED, _SHORT = Struct("<I"), Struct("<i"), Struct("<H")
#: Names of the tables of options by the number that a file has of them.
OPTION_NAMES = {getattr(tflite.BuiltinOptions, name): name for name in OPTIONS}
_TABLES = TABLES | {name: tuple(kind for _, kind, _ in fields) for name, fields in OPTIONS.items()}


def check_tables(data: bytes) -> None:
    """Check that the bytes are a model of this format whose tables, lists and texts lie inside of them.

    Raises
    ------
    SpinplaneError
        If they are not, a text is not UTF-8, or there is more of something than the limits above allow.
    """
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise SpinplaneError("not a TFLite model: its bytes 4 to 8 are not TFL3")
    _Walk(data).pointer(0, "Model")


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._tables = self._numbers = 0

    def pointer(self, at: int, table: str) -> None:
        """Follow the offset at a position to a table."""
        self._table(at + self._unsigned(at), table)

    def _table(self, at: int, name: str) -> None:
        self._tables += 1
        if self._tables > MOST_TABLES:
            raise SpinplaneError(f"not a readable TFLite model: more than {MOST_TABLES} tables")
        offsets = at - self._signed(at)
        length, size = self._short(offsets), self._short(offsets + 2)
        if length < 4 or length % 2 or size < 4:
            self._damaged(f"a {name} has fields in {length} bytes, and {size} bytes")
        self._inside(offsets, length)
        self._inside(at, size)
        kind = 0
        for slot, field in enumerate(_TABLES[name]):
            entry = 4 + 2 * slot
            place = self._short(offsets + entry) if entry + 2 <= length else 0
            taken, kind = kind, self._data[at + place] if 0 < place < size else 0
            if field is None or not place:
                continue
            if place + (field if isinstance(field, int) else 4) > size:
                self._damaged(f"field {slot} of a {name} is outside of it")
            if isinstance(field, Union):
                self._union(at + place, taken)
            else:
                self._field(at + place, field)

    def _field(self, at: int, field: Field) -> None:
        if isinstance(field, Vector):
            self._vector(at + self._unsigned(at), field.of)
        elif field == TEXT:
            start = at + self._unsigned(at)
            length = self._unsigned(start)
            self._inside(start + 4, length)
            try:
                self._data[start + 4 : start + 4 + length].decode()
            except UnicodeDecodeError:
                self._damaged("a name is not UTF-8")
        elif isinstance(field, str):
            self.pointer(at, field)

    def _union(self, at: int, kind: int) -> None:
        if kind in OPTION_NAMES:
            self.pointer(at, OPTION_NAMES[kind])

    def _vector(self, at: int, of: int | str) -> None:
        count = self._unsigned(at)
        self._inside(at + 4, count * (of if isinstance(of, int) else 4))
        if isinstance(of, str):
            for number in range(count):
                self.pointer(at + 4 + 4 * number, of)
        elif of > 1:
            self._numbers += count
            if self._numbers > MOST_NUMBERS:
                raise SpinplaneError(
                    f"not a readable TFLite model: more than {MOST_NUMBERS} numbers in lists"
                )

    def _unsigned(self, at: int) -> int:
        self._inside(at, 4)
        return _UNSIGNED.unpack_from(self._data, at)[0]

    def _signed(self, at: int) -> int:
        self._inside(at, 4)
        return _SIGNED.unpack_from(self._data, at)[0]

    def _short(self, at: int) -> int:
        self._inside(at, 2)
        return _SHORT.unpack_from(self._data, at)[0]

    def _inside(self, at: int, length: int) -> None:
        if at < 0 or at + length > len(self._data):
            self._damaged(f"{length} bytes at {at} of {len(self._data)}")

    @staticmethod
    def _damaged(reason: str) -> NoReturn:
        raise SpinplaneError(f"not a readable TFLite model, or cut short: {reason}")
