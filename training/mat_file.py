"""Arrays of numbers from a MATLAB file of version 5, as SVHN's are: sizes are compared before anything is unpacked."""

import struct
import zlib
from collections.abc import Iterator
from math import prod

import numpy as np

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
#: Numbers of the types that numbers are stored in.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
#: Classes of arrays of numbers: double, single, and whole numbers of 8 to 64 bits.
_NUMBERS = [bytes([number]) for number in range(6, 16)]


def read_mat(content: bytes, most_bytes: int) -> dict[str, np.ndarray]:
    """The arrays of numbers of a file, by name; what else it holds is passed over.

    Parameters
    ----------
    content : bytes
    most_bytes : int
        Of a variable, unpacked.

    Raises
    ------
    ValueError
        If it is damaged, of another version, or too large.
    """
    if len(content) < _HEADER or content[124:128] != b"\x00\x01IM":
        raise ValueError("not a MATLAB file of version 5")
    arrays: dict[str, np.ndarray] = {}
    try:
        for kind, data in _elements(memoryview(content)[_HEADER:]):
            if kind == _COMPRESSED:
                stream = zlib.decompressobj()
                unpacked = stream.decompress(data, most_bytes + 8)
                if not stream.eof:
                    raise ValueError("a variable is cut short, or too large")
                ((kind, data),) = _elements(memoryview(unpacked))
            if kind == _MATRIX:
                arrays |= _matrix(data)
    except (struct.error, zlib.error) as error:
        raise ValueError(f"damaged MATLAB file: {error}") from None
    return arrays


def _elements(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Type and content of one element after the other."""
    while data:
        kind, size = struct.unpack_from("<II", data)
        if kind >> 16:  # a small one, in which type and size share a word
            size, kind, start, end = kind >> 16, kind & 0xFFFF, 4, 8
        else:
            start, end = 8, 8 + size
            end += 0 if kind == _COMPRESSED else -size % 8
        if start + size > len(data):
            raise ValueError("it ends inside an element")
        yield kind, data[start : start + size]
        data = data[end:]


def _matrix(data: memoryview) -> dict[str, np.ndarray]:
    flags, sides, name, *parts = _elements(data)
    if flags[1][:1].tobytes() not in _NUMBERS:
        return {}
    (kind, values) = parts[0] if parts else (2, memoryview(b""))
    if kind not in _TYPES:
        raise ValueError(f"an array of type {kind}")
    shape = tuple(side for (side,) in struct.iter_unpack("<i", sides[1]))
    dtype = np.dtype(f"<{_TYPES[kind]}")
    if len(shape) > 8 or min(shape, default=0) < 0 or prod(shape) * dtype.itemsize != len(values):
        raise ValueError("an array of another size than its shape")
    return {name[1].tobytes().decode("latin-1"): np.frombuffer(values, dtype).reshape(shape, order="F")}
