"""Operators on codes against onnxruntime, or against their definition where it has none."""

import numpy as np
import onnx
import pytest
from integer_models import MICROSOFT, Network, image_of, integer_model, session
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError


def run(path, image):
    graph = import_model(path).graph
    return graph.decode_outputs(run_graph(graph, graph.encode_input(image)))[0]


def save(path, nodes, constants, shape, kind=TensorProto.UINT8, version=13, domains=(MICROSOFT,)):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    versions = [helper.make_opsetid("", version), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=10)
    onnx.save(model, path)
    return model


@pytest.mark.parametrize("quantizers", [True, False])
@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_networks_are_onnxruntimes(first, quantizers, tmp_path):
    for seed in range(first, first + 10):
        model = integer_model(seed, quantizers=quantizers)
        onnx.save(model, tmp_path / "made.onnx")
        judge, rng = session(model), np.random.default_rng(seed)
        for _ in range(3):
            image = image_of(model, rng)
            (expected,) = judge.run(None, {"x": image})
            assert (run(tmp_path / "made.onnx", image).reshape(expected.shape) == expected).all(), seed


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("seed", range(12))
def test_means_of_codes_are_exact(seed, last, tmp_path):
    """Onnxruntime adds numbers up in float32: it differs where the exact mean lies between two codes."""
    rng = np.random.default_rng(seed)
    network = Network(rng=rng, quantizers=False)
    x = network.begin((1, 6, 7, 3) if last else (1, 3, 6, 7))
    made = network.draw(())
    made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
    window, pads = [int(n) for n in rng.integers(1, 4, 2)], [0, 0, 0, 0]
    padded = seed % 3 == 0
    if padded:
        pads = [int(rng.integers(0, n)) for n in window * 2]
    made.name = network.node(
        "QLinearAveragePool",
        ["x", *network.coding(x), *network.coding(made)],
        MICROSOFT,
        kernel_shape=window,
        pads=pads,
        strides=[int(n) for n in rng.integers(1, 3, 2)],
        count_include_pad=int(padded),
        channels_last=last,
    )
    model = network.model(made)
    onnx.save(model, tmp_path / "made.onnx")
    image = image_of(model, rng)
    (expected,) = session(model).run(None, {"x": image})
    assert (run(tmp_path / "made.onnx", image) == expected).all()


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("domain", ["", "PACTOps"])
@pytest.mark.parametrize("count", [256, 16, 255])
def test_requant_shift_is_its_definition(signed, domain, count, tmp_path):
    rng = np.random.default_rng(count + signed)
    weights = rng.integers(-7, 8, (4, 2, 3, 3)).astype(np.float32)
    mul, add = rng.integers(1, 1 << 20, (4, 1, 1)), rng.integers(-(1 << 22), 1 << 22, (1, 4, 1, 1))
    div = helper.make_tensor("div", TensorProto.FLOAT, [1], [2.0**21])
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["s"], pads=[1, 0, 1, 0]),
        helper.make_node(
            "RequantShift",
            ["s", "mul", "add"],
            ["y"],
            domain=domain,
            div=div,
            n_levels=helper.make_tensor("n", TensorProto.FLOAT, [1], [float(count)]),
            signed=int(signed),
        ),
    ]
    constants = {"w": weights, "mul": mul.astype(np.float32), "add": add.astype(np.float32)}
    nodes.insert(0, helper.make_node("Cast", ["codes"], ["x"], to=TensorProto.FLOAT))
    model = save(tmp_path / "made.onnx", nodes, constants, (1, 2, 5, 5), domains=("PACTOps",))
    model.graph.input[0].name = "codes"
    onnx.save(model, tmp_path / "made.onnx")
    image = rng.integers(0, 256, (1, 2, 5, 5)).astype(np.uint8)
    padded = np.pad(image.astype(np.int64), ((0, 0), (0, 0), (1, 1), (0, 0)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    sums = np.einsum("bchwij,kcij->bkhw", seen, weights.astype(np.int64))
    low = -(count // 2) if signed else 0
    expected = np.clip((sums * mul + add + (1 << 20)) >> 21, low, low + count - 1)
    assert (run(tmp_path / "made.onnx", image) == expected).all()


@pytest.mark.parametrize("kind", [np.int8, np.uint8])
@pytest.mark.parametrize("seed", range(4))
def test_integer_sums_are_numbers_of_a_network(seed, kind, tmp_path):
    """As dynamic quantization writes them: integers, a cast, a factor; onnxruntime takes weights of uint8 alone."""
    rng = np.random.default_rng(seed)
    zero = int(rng.integers(np.iinfo(kind).min + 100, np.iinfo(kind).max - 100))
    weights = zero + rng.integers(-100, 101, (3, 2, 2, 3))
    given = int(rng.integers(256))
    nodes = [
        helper.make_node("ConvInteger", ["x", "w", "zx", "zw"], ["s"], pads=[1, 1, 0, 1], name="sums"),
        helper.make_node("Cast", ["s"], ["r"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["r", "f"], ["y"]),
    ]
    constants = {"w": weights.astype(kind), "zx": np.uint8(given), "zw": kind(zero), "f": np.float32(0.5)}
    save(tmp_path / "made.onnx", nodes, constants, (1, 2, 5, 6))
    image = rng.integers(0, 256, (1, 2, 5, 6)).astype(np.uint8)
    padded = np.pad(image.astype(np.int64) - given, ((0, 0), (0, 0), (1, 0), (1, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (2, 3), axis=(2, 3))
    expected = 0.5 * np.einsum("bchwij,kcij->bkhw", seen, weights - zero)
    assert (run(tmp_path / "made.onnx", image) == expected).all()


@pytest.mark.parametrize("stacked", [False, True])
def test_matrix_products_of_integers_are_exact(stacked, tmp_path):
    rng = np.random.default_rng(0)
    weights = rng.integers(-128, 128, (1, 12, 5) if stacked else (12, 5)).astype(np.int8)
    node = helper.make_node("MatMulInteger", ["x", "w", "zx"], ["y"])
    save(tmp_path / "made.onnx", [node], {"w": weights, "zx": np.uint8(9)}, (1, 12))
    image = rng.integers(0, 256, (1, 12)).astype(np.uint8)
    expected = (image.astype(np.int64) - 9) @ weights.astype(np.int64)
    assert (run(tmp_path / "made.onnx", image).reshape(expected.shape) == expected).all()


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "int8", "uint8"])
def test_a_cast_to_a_type_that_lacks_numbers_is_refused(kind, tmp_path):
    """Codes of scale 0.3: half of them are no numbers of these types, or are cut off."""
    number = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}.get(kind)
    number = number or helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["r"]),
        helper.make_node("Cast", ["r"], ["y"], to=number, name="cast"),
    ]
    constants = {"s": np.float32(0.3), "z": np.uint8(120)}
    model = save(tmp_path / "made.onnx", nodes, constants, (1, 256), TensorProto.FLOAT)
    image = np.linspace(-40, 45, 256, dtype=np.float32)[np.newaxis]
    if kind == "int8":
        (expected,) = session(model).run(None, {"x": image})
        assert (run(tmp_path / "made.onnx", image) == expected).all()
        return
    with pytest.raises(
        SpinplaneError, match=rf": cast: numbers of float32, some of which are others in {kind}$"
    ):
        import_model(tmp_path / "made.onnx")


def below(number):
    return np.nextafter(np.float32(number), np.float32(0))


@pytest.mark.parametrize(
    ("scale", "zero", "fits"),
    [
        (below(1), 1, True),
        (np.float32(1), 1, False),
        (below(256 / 255), 0, True),
        (np.float32(256 / 255), 0, False),
    ],
)
def test_what_is_cut_off_by_a_cast_lies_within_one(scale, zero, fits, tmp_path):
    """uint8 holds what lies above -1 and below 256."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["r"]),
        helper.make_node("Cast", ["r"], ["y"], to=TensorProto.UINT8, name="cast"),
    ]
    model = save(
        tmp_path / "made.onnx", nodes, {"s": scale, "z": np.uint8(zero)}, (1, 256), TensorProto.FLOAT
    )
    if not fits:
        with pytest.raises(SpinplaneError, match="numbers of float32, some of which are others in uint8"):
            import_model(tmp_path / "made.onnx")
        return
    image = (np.arange(256, dtype=np.float32) - zero)[np.newaxis] * scale
    (expected,) = session(model).run(None, {"x": image})
    assert (run(tmp_path / "made.onnx", image) == expected).all()


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"zx": np.array([3, 4], np.uint8)}, "several zero points of one image are not supported"),
        ({"sx": np.float32(0)}, "its input 2 is empty, or not all positive numbers"),
        ({"sx": np.float32(np.inf)}, "its input 2 is empty, or not all positive numbers"),
        ({"sy": np.array([1, 1], np.float32)}, "its input 7 has 2 numbers, expected one"),
        ({"b": np.array([1, 2, 3], np.int32)}, "its input 9 of shape (3,) is no number of each of 2 kernels"),
        ({"w": np.zeros((2, 2, 1), np.int8)}, "weights of shape (2, 2, 1), an input of 4 axes"),
        ({"sx": np.uint8(1)}, "its input 'sx' is of type uint8, expected float32"),
    ],
)
def test_operands_that_do_not_fit_are_refused(constants, message, tmp_path):
    names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
    given = {
        "sx": np.float32(1),
        "zx": np.uint8(3),
        "w": np.zeros((2, 2, 1, 1), np.int8),
        "sw": np.float32(1),
        "zw": np.int8(0),
        "sy": np.float32(1),
        "zy": np.uint8(3),
        "b": np.zeros(2, np.int32),
    }
    nodes = [helper.make_node("QLinearConv", names, ["y"], name="conv")]
    save(tmp_path / "made.onnx", nodes, given | constants, (1, 2, 3, 3))
    with pytest.raises(SpinplaneError) as error:
        import_model(tmp_path / "made.onnx")
    assert str(error.value) == f"model {tmp_path / 'made.onnx'}: conv: {message}"
