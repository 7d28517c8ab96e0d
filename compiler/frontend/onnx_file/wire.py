"""The bytes of an ONNX file, checked before protobuf turns them into objects.

A file of a few megabytes can hold millions of empty messages, each of which becomes an object of a hundred bytes, or
nest them until a parser's stack ends. This walk over the wire format allocates nothing: it follows the lengths, and
counts.
"""

from typing import Any, NoReturn

import onnx

from spinplane.machine import SpinplaneError

#: Fields of all messages together, and messages within one another.
MOST_FIELDS, MOST_DEPTH = 500_000, 32
#: Bytes of numbers of variable length. Each may become eight bytes; numbers as raw data stay what they are.
MOST_VARIABLE_BYTES = 32 << 20

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def check_wire(data: bytes) -> None:
    """Check that the bytes are a message of type ModelProto, within the limits above.

    Raises
    ------
    SpinplaneError
        If lengths lead beyond the end, a field has another type than ONNX gives to it, a text is not UTF-8, or there
        is more of something than the limits allow.
    """
    _Walk(data).message(0, len(data), onnx.ModelProto.DESCRIPTOR, 1)


class _Walk:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._fields = self._variable_bytes = 0
        self._kinds: dict[str, dict[int, Any]] = {}

    def message(self, at: int, end: int, descriptor: Any, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise SpinplaneError(f"not a readable ONNX model: messages nested more than {MOST_DEPTH} deep")
        fields = self._kinds.setdefault(descriptor.full_name, dict(descriptor.fields_by_number.items()))
        while at < end:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise SpinplaneError(f"not a readable ONNX model: more than {MOST_FIELDS} fields")
            key, at = self._varint(at, end)
            number, wire = key >> 3, key & 7
            field = fields.get(number)
            if field is not None and wire not in _wires(field):
                self._damaged(f"field {field.name} of {descriptor.name} has another type")
            if wire == _VARINT:
                _, at = self._varint(at, end)
            elif wire in _FIXED:
                at += _FIXED[wire]
            elif wire == _BYTES:
                length, at = self._varint(at, end)
                if at + length > end:
                    self._damaged(f"{length} bytes in {descriptor.name} where {end - at} are left")
                if field is not None:
                    self._content(field, at, at + length, depth)
                at += length
            else:
                self._damaged(f"a field of unknown type in {descriptor.name}")
        if at != end:
            self._damaged(f"{descriptor.name} ends within a number")

    def _content(self, field: Any, at: int, end: int, depth: int) -> None:
        if field.message_type is not None:
            self.message(at, end, field.message_type, depth + 1)
        elif field.type == field.TYPE_STRING:
            try:
                self._data[at:end].decode()
            except UnicodeDecodeError:
                self._damaged(f"{field.name} of {field.containing_type.name} is not UTF-8")
        elif field.type != field.TYPE_BYTES and _scalar_wire(field) == _VARINT:
            self._variable_bytes += end - at
            if self._variable_bytes > MOST_VARIABLE_BYTES:
                raise SpinplaneError(
                    f"more than {MOST_VARIABLE_BYTES >> 20} MiB of numbers of variable length: store them as raw data"
                )

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        data, value = self._data, 0
        for shift in range(0, 70, 7):
            if at >= end:
                self._damaged("ends within a number")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        self._damaged("a number of more than ten bytes")

    @staticmethod
    def _damaged(reason: str) -> NoReturn:
        raise SpinplaneError(f"not a readable ONNX model, or cut short: {reason}")


def _wires(field: Any) -> tuple[int, ...]:
    """Encodings that a field may have: numbers come alone, or in lists."""
    if field.type in (field.TYPE_MESSAGE, field.TYPE_STRING, field.TYPE_BYTES):
        return (_BYTES,)
    return _scalar_wire(field), _BYTES


def _scalar_wire(field: Any) -> int:
    return {field.TYPE_FLOAT: _FIXED32, field.TYPE_DOUBLE: _FIXED64}.get(field.type, _VARINT)
