"""TFLite files are read as they are written, or refused in words."""

import struct
from pathlib import Path

import numpy as np
import pytest
from tflite_models import TfliteFile

from spinplane.compiler.frontend.tflite_file.model import Model, is_tflite, read_model
from spinplane.compiler.frontend.tflite_file.wire import check_tables
from spinplane.machine import SpinplaneError


def convolution() -> TfliteFile:
    rng = np.random.default_rng(0)
    file = TfliteFile()
    x = file.tensor("x", (1, 4, 4, 2), scale=0.5, zero_point=3)
    weights = file.constant("w", rng.integers(-7, 8, (3, 1, 1, 2)), "int4", scale=[0.25, 0.5, 1.0])
    bias = file.constant("b", [1, 2, 3], "int32", scale=[0.125, 0.25, 0.5])
    y = file.tensor("y", (1, 2, 4, 3), scale=2.0, zero_point=-128)
    file.operator(
        "CONV_2D", [x, weights, bias], y, "Conv2DOptions", version=7, StrideH=2, StrideW=1, Padding=1
    )
    file.inputs, file.outputs = [x], [y]
    return file


def read(file: TfliteFile, folder: Path) -> Model:
    return read_model(file.save(folder / "model.tflite"))


def message(file: TfliteFile, folder: Path) -> str:
    with pytest.raises(SpinplaneError) as error:
        read(file, folder)
    return str(error.value)


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = convolution()
    model = read(file, tmp_path)
    assert is_tflite(tmp_path / "model.tflite")
    assert (model.inputs, model.outputs) == ((0,), (3,))
    assert [tensor.name for tensor in model.tensors] == ["x", "w", "b", "y"]
    assert model.tensors[3].shape == (1, 2, 4, 3)
    assert model.tensors[3].whole() == (np.float32(2.0), -128)
    weights = model.tensors[1]
    assert weights.dtype == "int4"
    assert (weights.constant() == np.random.default_rng(0).integers(-7, 8, (3, 1, 1, 2))).all()
    assert weights.quantization is not None
    assert weights.quantization.scales.tolist() == [0.25, 0.5, 1.0]
    assert model.tensors[2].constant().tolist() == [1, 2, 3]
    (operator,) = model.operators
    assert (operator.label, operator.code, operator.version) == ("y", "CONV_2D", 7)
    assert (operator.inputs, operator.outputs) == ((0, 1, 2), (3,))
    options = operator.options
    assert [options.integer(f"Stride{axis}", least=1, most=9) for axis in "HW"] == [2, 1]
    assert options.integer("DilationHFactor", least=1, most=9) == 1


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("int4", -8, 7),
        ("int8", -128, 127),
        ("uint8", 0, 255),
        ("int16", -(2**15), 2**15 - 1),
        ("int32", -(2**31), 2**31 - 1),
    ],
)
def test_zero_points_are_codes_of_the_type(dtype: str, low: int, high: int, tmp_path: Path) -> None:
    def model(zero_point: int) -> TfliteFile:
        file = TfliteFile()
        x = file.tensor("x", (1, 4), dtype, scale=0.5, zero_point=zero_point)
        y = file.tensor("y", (1, 4), dtype, scale=0.5, zero_point=zero_point)
        file.operator("RELU", [x], y)
        file.inputs, file.outputs = [x], [y]
        return file

    for end in (low, high):
        assert read(model(end), tmp_path).tensors[0].whole() == (0.5, end)
    for beyond in (low - 1, high + 1):
        assert message(model(beyond), tmp_path).endswith(f"its zero points are not all {dtype}")


def test_options_that_are_left_out_are_the_formats_own(tmp_path: Path) -> None:
    file = convolution()
    file.operators[0].update(options="", fields={})
    options = read(file, tmp_path).operators[0].options
    assert options.integer("StrideH", least=0, most=9) == 0
    assert options.integer("DilationWFactor", least=0, most=9) == 1
    with pytest.raises(SpinplaneError, match="y: option StrideH is 0, expected from 1 to 9"):
        options.integer("StrideH", least=1, most=9)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda f: f.operators[0].update(options="PadOptions", fields={}),
            "its options are those of another operator",
        ),
        (lambda f: f.operators[0]["inputs"].append(9), "the inputs of operator 0 (CONV_2D): tensor 9 of 4"),
        (lambda f: f.operators[0]["outputs"].clear(), "operator 0 (CONV_2D) has no output"),
        (lambda f: f.operators[0]["inputs"].append(3), "its input 'y' is made by no operator before it"),
        (lambda f: f.operators.append(f.operators[0]), "its output 'y' is made elsewhere too"),
        (lambda f: f.operators.clear(), "its output 'y' is made by no operator"),
        (lambda f: f.inputs.append(0), "an input comes twice"),
        (lambda f: f.inputs.append(1), "the graph's input 'w' is constant"),
        (lambda f: f.inputs.append(-1), "the graph's inputs: tensor -1 of 4"),
        (lambda f: f.tensors[3].update(scales=[float("nan")]), "its scales are not all positive numbers"),
        (lambda f: f.tensors[3].update(zero_points=[200]), "its zero points are not all int8"),
        (lambda f: f.tensors[3].update(shape=[1, -1, 4, 3]), "its shape is [1, -1, 4, 3]"),
        (lambda f: f.tensors[3].update(shape=[1] * 9), "expected up to 8 sides"),
        (lambda f: f.tensors[3].update(type=77), "its type has the unknown number 77"),
        (lambda f: f.tensors[2].update(data=bytes(11)), "11 bytes of data, its shape and type say 12"),
        (lambda f: f.tensors[1].update(axis=3), "3 scales and 3 zero points along axis 3, which has 2"),
    ],
)
def test_what_does_not_fit_is_refused(change, expected: str, tmp_path: Path) -> None:
    file = convolution()
    change(file)
    assert expected in message(file, tmp_path)


def test_bytes_that_are_no_model_are_refused(tmp_path: Path) -> None:
    whole = convolution().to_bytes()
    path = tmp_path / "model.tflite"
    for data, expected in [
        (b"", "not a TFLite model"),
        (b"TFL3TFL3", "not a readable TFLite model"),
        (whole[:200], "not a readable TFLite model, or cut short"),
        (b"\xff\xff\xff\x7f" + whole[4:], "not a readable TFLite model, or cut short: 4 bytes at"),
    ]:
        path.write_bytes(data)
        with pytest.raises(SpinplaneError, match=expected):
            read_model(path)
    with pytest.raises(SpinplaneError, match="cannot be read"):
        read_model(tmp_path / "nowhere")


def test_a_table_to_which_a_million_places_point_is_visited_few_times() -> None:
    count = 1_000_000
    end = 32 + 4 * count
    header = struct.pack("<I4s", 20, b"TFL3")
    # A model whose third field is a list of graphs, all of which are one table without fields.
    model = struct.pack("<5H2xiI", 10, 8, 0, 0, 4, 12, 4)
    offsets = (end + 4 - np.arange(32, end, 4)).astype("<u4").tobytes()
    data = header + model + struct.pack("<I", count) + offsets + struct.pack("<2Hi", 4, 4, 4)
    with pytest.raises(SpinplaneError, match="more than 200000 tables"):
        check_tables(data)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_list_ends_with_the_file_at_the_latest(beyond: int) -> None:
    data = bytearray(convolution().to_bytes())
    # The numbers of the bias, whose bytes their count precedes.
    first = data.index(struct.pack("<3i", 1, 2, 3))
    assert data[first - 4 : first] == struct.pack("<I", 12)
    data[first - 4 : first] = struct.pack("<I", len(data) - first + beyond)
    if not beyond:
        check_tables(bytes(data))
    else:
        with pytest.raises(SpinplaneError, match=r"^not a readable TFLite model, or cut short: \d+ bytes at"):
            check_tables(bytes(data))


@pytest.mark.parametrize(("first", "fits"), [(b"TFL3", True), (b"TFL2", False)])
def test_a_file_is_known_by_its_bytes_4_to_8(first: bytes, fits: bool) -> None:
    data = bytearray(convolution().to_bytes())
    data[4:8] = first
    if fits:
        check_tables(bytes(data))
        return
    for part in (data, data[:7], data[:4], b""):
        with pytest.raises(SpinplaneError, match=r"^not a TFLite model: its bytes 4 to 8 are not TFL3$"):
            check_tables(bytes(part))
