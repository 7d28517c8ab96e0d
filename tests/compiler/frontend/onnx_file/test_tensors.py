"""Tensors whose type, sides and data agree, from the file or beside it."""

import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.onnx_file.tensors import Folder, is_readable, read_tensor
from spinplane.machine import SpinplaneError

TYPES = [
    *("FLOAT", "DOUBLE", "FLOAT16", "INT8", "INT16", "INT32", "INT64"),
    *("UINT8", "UINT16", "UINT32", "UINT64", "BOOL"),
]


def read(tensor, folder):
    return read_tensor(tensor, "constant 'c'", Folder(folder / "model.onnx", 0))


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("kind", TYPES)
def test_tensors_are_what_onnx_reads(kind, raw, tmp_path):
    number = getattr(TensorProto, kind)
    values = np.array([[0, 1, 2], [3, 100, 127]]).astype(helper.tensor_dtype_to_np_dtype(number))
    given = values.tobytes() if raw else values.ravel()
    tensor = helper.make_tensor("c", number, [2, 3], given, raw=raw)
    found = read(tensor, tmp_path)
    assert found.dtype == values.dtype
    assert (found == numpy_helper.to_array(tensor)).all()
    assert (found == values).all()
    assert not found.flags.writeable


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize(
    ("kind", "values"), [("INT4", [-8, 7, -1]), ("UINT4", [0, 15, 9]), ("BFLOAT16", [1, -2.5, 2.0**100])]
)
def test_types_that_numpy_has_not_are_held_in_others(kind, values, raw, tmp_path):
    number = getattr(TensorProto, kind)
    given = np.array(values).astype(helper.tensor_dtype_to_np_dtype(number))
    tensor = helper.make_tensor("c", number, [3], given.astype(np.float32))
    if raw:
        stored = np.array(tensor.int32_data, dtype=np.uint16 if kind == "BFLOAT16" else np.uint8)
        tensor = helper.make_tensor("c", number, [3], stored.tobytes(), raw=True)
    found = read(tensor, tmp_path)
    assert found.dtype == {"INT4": np.int8, "UINT4": np.uint8, "BFLOAT16": np.float32}[kind]
    assert (found == np.array(values)).all()


@pytest.mark.parametrize("kind", ["STRING", "COMPLEX64", "FLOAT8E5M2", "UNDEFINED"])
def test_other_types_are_not_read(kind):
    assert not is_readable(TensorProto(data_type=getattr(TensorProto, kind)))


def changed(**fields):
    tensor = numpy_helper.from_array(np.ones((2, 3), np.float32), "c")
    for name, value in fields.items():
        if isinstance(value, list):
            del getattr(tensor, name)[:]
            getattr(tensor, name).extend(value)
        else:
            setattr(tensor, name, value)
    return tensor


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (changed(dims=[2, 4]), "24 bytes of data, its shape and type say 32"),
        (changed(dims=[]), "24 bytes of data, its shape and type say 4"),
        (changed(dims=[-1, 3]), r"its sides are \[-1, 3\]: expected 8 at most, none negative"),
        (changed(dims=[1] * 9), "expected 8 at most"),
        (changed(dims=[2**40, 2**40]), "larger than 1024 MiB"),
        (changed(data_type=TensorProto.DOUBLE), "24 bytes of data, its shape and type say 48"),
        (changed(float_data=[1.0]), "its data are in segments, or in two places"),
        (TensorProto(data_type=TensorProto.FLOAT, dims=[2], float_data=[1]), "1 numbers of data, its shape"),
        (TensorProto(data_type=TensorProto.FLOAT, dims=[1], int64_data=[1]), "its data are of another type"),
        (TensorProto(data_type=TensorProto.INT8, dims=[1], int32_data=[300]), "numbers that are no int8"),
        (TensorProto(data_type=TensorProto.UINT8, dims=[1], int32_data=[-1]), "numbers that are no uint8"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_refused(tensor, message, tmp_path):
    with pytest.raises(SpinplaneError, match=rf"^constant 'c': .*{message}"):
        read(tensor, tmp_path)


def outside(location, **entries):
    tensor = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


@pytest.mark.parametrize(
    ("location", "entries"), [("w.bin", {}), ("in/w.bin", {}), ("more.bin", {"offset": "4", "length": "8"})]
)
def test_data_beside_the_model_are_read(location, entries, tmp_path):
    values = np.array([1.5, -2], np.float32)
    (tmp_path / "in").mkdir()
    (tmp_path / "w.bin").write_bytes(values.tobytes())
    (tmp_path / "more.bin").write_bytes(b"1234" + values.tobytes() + b"5")
    (tmp_path / "in" / "w.bin").symlink_to("../w.bin")
    assert (read(outside(location, **entries), tmp_path) == values).all()


@pytest.mark.parametrize(
    ("location", "entries", "message"),
    [
        ("../w.bin", {}, r"external data '\.\./w\.bin' is outside the model's folder"),
        ("/etc/passwd", {}, "is outside the model's folder"),
        ("link.bin", {}, "is outside the model's folder"),
        ("linked/w.bin", {}, "is outside the model's folder"),
        ("missing.bin", {}, "cannot be read: No such file or directory"),
        ("a\0b", {}, "cannot be read: not a path"),
        ("pipe", {}, "has not 8 bytes from byte 0 on"),
        ("short.bin", {}, "has not 8 bytes from byte 0 on"),
        ("short.bin", {"offset": "99999999999999999999"}, "has not 8 bytes"),
        ("short.bin", {"length": "4"}, "4 bytes of data, its shape and type say 8"),
        ("short.bin", {"offset": "-1"}, "its external data have no place"),
        ("short.bin", {"offset": "x"}, "its external data have no place"),
        ("", {}, "its external data have no place"),
    ],
)
def test_data_elsewhere_are_refused(location, entries, message, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(8))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "short.bin").write_bytes(bytes(7))
    os.mkfifo(folder / "pipe")
    with pytest.raises(SpinplaneError, match=message):
        read(outside(location, **entries), folder)


def test_a_model_and_its_data_have_a_limit(tmp_path):
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(1 << 30)
    tensor = outside("large.bin")
    tensor.dims[0] = 1 << 28
    with pytest.raises(SpinplaneError, match=r"^the model is larger than 1024 MiB$"):
        read_tensor(tensor, "constant 'c'", Folder(tmp_path / "model.onnx", 1))


def test_the_folder_of_a_model_that_is_a_link_is_the_links(tmp_path):
    """Where onnx looks, too."""
    values = np.array([1, 2], np.float32)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "w.bin").write_bytes(values.tobytes())
    (tmp_path / "seen").symlink_to("real")
    assert (read(outside("w.bin"), tmp_path / "seen") == values).all()
