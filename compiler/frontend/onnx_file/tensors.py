"""Tensors of a file as arrays: only if type, sides and data agree."""

import os
import stat
from collections.abc import Iterable
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from spinplane.machine import SpinplaneError

from .names import quoted

#: Bytes of a file with its external data, and axes of a tensor.
MOST_BYTES, MOST_AXES = 1 << 30, 8

_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.FLOAT16: "int32_data",
    TensorProto.BFLOAT16: "int32_data",
    TensorProto.INT4: "int32_data",
    TensorProto.INT8: "int32_data",
    TensorProto.INT16: "int32_data",
    TensorProto.INT32: "int32_data",
    TensorProto.INT64: "int64_data",
    TensorProto.UINT4: "int32_data",
    TensorProto.UINT8: "int32_data",
    TensorProto.UINT16: "int32_data",
    TensorProto.UINT32: "uint64_data",
    TensorProto.UINT64: "uint64_data",
    TensorProto.BOOL: "int32_data",
}
#: What the elements are stored as, if numpy has no type of theirs or fields hold their bits.
_STORED: dict[int, str] = {
    TensorProto.FLOAT16: "uint16",
    TensorProto.BFLOAT16: "uint16",
    TensorProto.INT4: "uint8",
    TensorProto.UINT4: "uint8",
}
_HALF_BYTES = (TensorProto.INT4, TensorProto.UINT4)


class Folder:
    """The folder of a model, from which alone tensors are read; and how much of them is.

    Parameters
    ----------
    model : Path
        The model's file.
    size : int
        Bytes of that file.
    """

    def __init__(self, model: Path, size: int) -> None:
        self._root = Path(os.path.realpath(model.parent))
        self.size = size

    def read(self, location: str, offset: int, length: int) -> bytes:
        """Bytes of a file within the folder.

        Raises
        ------
        SpinplaneError
            If the file is outside, also by a symbolic link, is none, or is too short; or if the model has become
            larger than `MOST_BYTES`.
        """
        self.size += length
        if self.size > MOST_BYTES:
            raise SpinplaneError(f"the model is larger than {MOST_BYTES >> 20} MiB")
        try:
            path = Path(os.path.realpath(self._root / location))
            inside = path.is_relative_to(self._root)
            state = path.stat() if inside else None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            raise SpinplaneError(f"external data {quoted(location)} cannot be read: {reason}") from None
        if state is None:
            raise SpinplaneError(f"external data {quoted(location)} is outside the model's folder")
        if not stat.S_ISREG(state.st_mode) or offset + length > state.st_size:
            raise SpinplaneError(
                f"external data {quoted(location)} has not {length} bytes from byte {offset} on"
            )
        try:
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            raise SpinplaneError(
                f"external data {quoted(location)} cannot be read: {error.strerror}"
            ) from None


def is_readable(tensor: onnx.TensorProto) -> bool:
    """Whether its elements are numbers of a type that arrays have."""
    return tensor.data_type in _FIELDS


def read_tensor(tensor: onnx.TensorProto, label: str, folder: Folder | None) -> np.ndarray:
    """A tensor as an array that cannot be written.

    Parameters
    ----------
    tensor : TensorProto
        Whose type `is_readable`.
    label : str
        For messages.
    folder : Folder, optional
        Without, data beside the file are refused.

    Raises
    ------
    SpinplaneError
        If its data are not as many as its sides and type say, or cannot be read.
    """
    kind = tensor.data_type
    stored = np.dtype(_STORED.get(kind) or onnx.helper.tensor_dtype_to_np_dtype(kind))
    shape = tuple(tensor.dims)
    if len(shape) > MOST_AXES or any(side < 0 for side in shape):
        raise SpinplaneError(
            f"{label}: its sides are {list(shape[:MOST_AXES])}: expected {MOST_AXES} at most, none negative"
        )
    count = prod(shape)
    if count * stored.itemsize > MOST_BYTES:
        raise SpinplaneError(f"{label}: larger than {MOST_BYTES >> 20} MiB")
    units = -(-count // 2) if kind in _HALF_BYTES else count
    units_read = _units(tensor, label, folder, stored, units)
    return _frozen(_elements(units_read, kind, count).reshape(shape))


def _units(
    tensor: onnx.TensorProto, label: str, folder: Folder | None, stored: np.dtype, count: int
) -> np.ndarray:
    """What is stored: an element each, or two halves of a byte."""
    field = _FIELDS[tensor.data_type]
    typed = sum(len(getattr(tensor, name)) for name in {*_FIELDS.values(), "string_data"})
    external = tensor.data_location == TensorProto.EXTERNAL
    raw = tensor.HasField("raw_data")
    if tensor.HasField("segment") or raw + external + bool(typed) > 1:
        raise SpinplaneError(f"{label}: its data are in segments, or in two places")
    if external:
        content = _external(tensor, label, folder, count * stored.itemsize)
    elif raw:
        content = tensor.raw_data
    else:
        found = len(getattr(tensor, field))
        if typed != found:
            raise SpinplaneError(f"{label}: its data are of another type than itself")
        _check_count(label, "numbers", count, found)
        return _typed(getattr(tensor, field), stored, label)
    _check_count(label, "bytes", count * stored.itemsize, len(content))
    return np.frombuffer(content, stored.newbyteorder("<")).astype(stored, copy=False)


def _elements(units: np.ndarray, kind: int, count: int) -> np.ndarray:
    """Elements of what is stored: bfloat16 in float32, halves of a byte in whole ones."""
    if kind == TensorProto.FLOAT16:
        return units.view(np.float16)
    if kind == TensorProto.BFLOAT16:
        return (units.astype(np.uint32) << 16).view(np.float32)
    if kind not in _HALF_BYTES:
        return units
    halves = np.stack([units & 15, units >> 4], axis=-1).ravel()[:count]
    return halves if kind == TensorProto.UINT4 else ((halves ^ 8).astype(np.int8) - 8).astype(np.int8)


def _external(tensor: onnx.TensorProto, label: str, folder: Folder | None, size: int) -> bytes:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", str(size)))
    except ValueError:
        offset = length = -1
    if folder is None or not entries.get("location") or offset < 0:
        raise SpinplaneError(f"{label}: its external data have no place")
    _check_count(label, "bytes", size, length)
    return folder.read(entries["location"], offset, length)


def _typed(numbers: Iterable[float], stored: np.dtype, label: str) -> np.ndarray:
    """Numbers of a field that may be wider than what is stored."""
    wide = np.array(numbers, dtype=stored if stored.kind == "f" or stored.itemsize == 8 else np.int64)
    values = wide.astype(stored)
    if stored.kind != "f" and (values != wide).any():
        raise SpinplaneError(f"{label}: its data have numbers that are no {stored}")
    return values


def _check_count(label: str, what: str, expected: int, found: int) -> None:
    if found != expected:
        raise SpinplaneError(f"{label}: {found} {what} of data, its shape and type say {expected}")


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
