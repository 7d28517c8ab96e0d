"""Zero points that differ from channel to channel: of activations, and of kernels; on the machine, as onnxruntime."""

import numpy as np
import onnx
import pytest
from checked_models import check_model
from checked_networks import check
from onnx import TensorProto, helper, numpy_helper
from onnx_models import QONNX, compare_with_float32, save

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.judges.import_check import check_import
from spinplane.compiler.meaning.near_ties import near_ties
from spinplane.machine import SpinplaneError, load_machine

RNG = np.random.default_rng(0)
SHAPE = (1, 4, 6, 5)
ZEROS = {np.uint8: np.array([0, 37, 128, 255], np.uint8), np.int8: np.array([-128, -3, 0, 127], np.int8)}
IMAGES = np.concatenate(
    [RNG.normal(0, 3, (3, *SHAPE[1:])), np.full((1, *SHAPE[1:]), -50), np.zeros((1, *SHAPE[1:]))]
).astype(np.float32)


class Made:
    """A model that is written node by node."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind, inputs, domain="", **attributes):
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def quantized(self, x, scale, zeros, axis=1):
        """Codes, and the numbers that they stand for."""
        scales = np.broadcast_to(np.float32(scale), zeros.shape) if np.ndim(zeros) else np.float32(scale)
        coding = [self.constant(np.array(scales, np.float32)), self.constant(zeros)]
        codes = self.node("QuantizeLinear", [x, *coding], axis=axis)
        return codes, self.node("DequantizeLinear", [codes, *coding], axis=axis)

    def weights(self, codes, zeros, axis=0):
        scales = np.full(len(zeros), 2.0**-5, np.float32)
        parts = [self.constant(part) for part in (codes, scales, zeros)]
        return self.node("DequantizeLinear", parts, axis=axis)

    def model(self, output, given=("x", TensorProto.FLOAT, SHAPE)):
        graph = helper.make_graph(
            self.nodes,
            "made",
            [helper.make_tensor_value_info(*given)],
            [helper.make_empty_tensor_value_info(output)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 13)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def codes_of(kind, shape, seed=1):
    """Codes that reach both ends."""
    limits = np.iinfo(kind)
    codes = np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape)
    codes.flat[:2] = limits.min, limits.max
    return codes.astype(kind)


@pytest.mark.parametrize("kind", ZEROS)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_convolutions_of_such_an_input(kind, padding, groups, tmp_path):
    made = Made()
    scale = (
        np.float32([0.125, 0.25, 0.125, 0.125]) if groups < 4 else np.float32([0.125, 0.1875, 0.625, 0.0625])
    )
    x = made.quantized("x", scale, ZEROS[kind])[1]
    codes = (codes_of(np.int8, (4, 4 // groups, 3, 3)) // 2).astype(np.int8)
    w = made.weights(codes, np.zeros(4, np.int8))
    sums = made.node("Conv", [x, w], pads=[padding] * 4, group=groups)
    y = made.quantized(sums, 3.0, kind(100))[0]
    check_model(made.model(y), IMAGES, tmp_path)


@pytest.mark.parametrize("kind", ZEROS)
def test_quantizers_of_sums_of_codes_and_of_additions(kind, tmp_path):
    made, zeros = Made(), ZEROS[kind]
    x = made.quantized("x", 0.125, kind(7))[1]
    w = made.weights(codes_of(np.int8, (4, 4, 1, 1)), np.zeros(4, np.int8))
    first = made.quantized(made.node("Conv", [x, w]), np.float32([1, 0.9, 1.3, 2]), zeros)[1]
    again = made.quantized(first, 2.0, zeros[::-1].copy())[1]
    total = made.quantized(made.node("Add", [again, x]), np.float32([2, 2, 3, 1]), zeros)[1]
    pooled = made.node("MaxPool", [total], kernel_shape=[2, 2], strides=[1, 2])
    y = made.quantized(made.node("Relu", [pooled]), np.float32([2, 2, 3, 1]), zeros)[0]
    check_model(made.model(y), IMAGES, tmp_path)


@pytest.mark.parametrize("kind", ZEROS)
def test_padding_concatenation_and_averages(kind, tmp_path):
    made, zeros = Made(), ZEROS[kind]
    x = made.quantized("x", 0.125, zeros)[1]
    padded = made.node("Pad", [x, made.constant([0, 0, 1, 0, 0, 0, 0, 2])])
    mirrored = made.node("Pad", [x, made.constant([0, 0, 0, 1, 0, 0, 1, 1])], mode="reflect")
    stacked = made.node("Concat", [padded, mirrored, padded], axis=2)
    average = made.node("AveragePool", [stacked], kernel_shape=[2, 2], pads=[1, 1, 1, 1], strides=[2, 2])
    y = made.quantized(average, np.float32([0.25, 0.5, 0.0625, 0.125]), zeros)[0]
    check_model(made.model(y), IMAGES, tmp_path)


@pytest.mark.parametrize("kind", ZEROS)
def test_sums_that_are_moved_before_such_a_quantizer(kind, tmp_path):
    made, zeros = Made(), ZEROS[kind]
    x = made.quantized("x", 0.125, zeros)[1]
    w = made.weights(codes_of(np.int8, (4, 4, 3, 3)), np.zeros(4, np.int8))
    slopes = made.constant(np.float32([-0.5, 0.25, -2, 1]).reshape(4, 1, 1))
    turned = made.node("PRelu", [made.node("Conv", [x, w], pads=[1] * 4), slopes])
    padded = made.node("Pad", [turned, made.constant([0, 0, 1, 0, 0, 0, 0, 2])])
    pooled = made.node("MaxPool", [padded], kernel_shape=[2, 2])
    y = made.quantized(pooled, np.float32([4, 2, 8, 3]), zeros[::-1].copy())[0]
    check_model(made.model(y), IMAGES, tmp_path)


@pytest.mark.parametrize("kind", ZEROS)
def test_two_sums_of_such_codes(kind, tmp_path):
    made, zeros = Made(), ZEROS[kind]
    x = made.quantized("x", 0.125, zeros)[1]
    codes = codes_of(np.int8, (2, 4, 4, 3, 3)) // np.int8(2)
    first, second = (
        made.node("Conv", [x, made.weights(part, np.zeros(4, np.int8))], pads=[1] * 4) for part in codes
    )
    total = made.node("Add", [first, second])
    y = made.quantized(total, np.float32([4, 2, 8, 3]), zeros[::-1].copy())[0]
    check_model(made.model(y), IMAGES, tmp_path)


def test_a_quantizer_that_changes_nothing_takes_no_layer(tmp_path):
    made, zeros = Made(), ZEROS[np.uint8]
    scales, w = np.float32([4, 2, 3, 1]), made.weights(codes_of(np.int8, (4, 1, 1, 1)), np.zeros(4, np.int8))
    x = made.quantized("x", 0.125, np.uint8(3))[1]
    once = made.quantized(made.node("Conv", [x, w], group=4), scales, zeros)[1]
    y = made.quantized(made.node("Relu", [once]), scales, zeros)[0]
    check_model(made.model(y), IMAGES, tmp_path)
    assert len(import_model(tmp_path / "model.onnx").graph.layers) == 1


@pytest.mark.parametrize("kind", ZEROS)
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_kernels_whose_weights_need_nine_bits(kind, groups, tmp_path):
    made = Made()
    x = made.quantized("x", 0.0625, np.uint8(128))[1]
    w = made.weights(codes_of(kind, (4, 4 // groups, 3, 2)), ZEROS[kind])
    sums = made.node("Conv", [x, w], pads=[1, 0, 1, 1], group=groups)
    y = made.quantized(sums, 16.0, np.uint8(128))[0]
    check_model(made.model(y), IMAGES, tmp_path)


@pytest.mark.parametrize("kind", ZEROS)
def test_a_matrix_with_zero_points_of_columns(kind, tmp_path):
    made = Made()
    flat = made.node("Flatten", ["x"])
    w = [made.constant(codes_of(kind, (120, 4))), made.constant(ZEROS[kind])]
    sums = made.node("MatMulInteger", [flat, w[0], made.constant(kind(5)), w[1]])
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    images = codes_of(kind, (3, *SHAPE[1:]), seed=2)
    check_model(made.model(sums, ("x", element, SHAPE)), images, tmp_path)


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR", "DOWN"])
def test_quant_with_zero_points_of_channels_and_kernels(signed, rounding, tmp_path):
    zeros = np.float32([0, 3, 5, -2]).reshape(1, 4, 1, 1)
    attributes = {"signed": signed, "narrow": 0, "rounding_mode": rounding}

    def quant(x, y, scale, zero):
        return helper.make_node("Quant", [x, scale, zero, "bits4"], [y], domain=QONNX, **attributes)

    nodes = [
        quant("x", "xq", "scales", "zeros"),
        quant("v", "vq", "half", "zeros_of_kernels"),
        helper.make_node("Conv", ["xq", "vq"], ["s"], pads=[1, 1, 1, 1]),
        quant("s", "y", "eight", "zeros_backwards"),
    ]
    constants = {
        "scales": np.float32([0.5, 1, 0.5, 2]).reshape(1, 4, 1, 1),
        "zeros": zeros,
        "v": RNG.normal(0, 3, (4, 4, 3, 3)).astype(np.float32),
        "half": np.float32(0.5),
        "zeros_of_kernels": zeros.reshape(4, 1, 1, 1),
        "eight": np.float32(8),
        "zeros_backwards": zeros[:, ::-1].copy(),
    }
    path = save(tmp_path / "made.onnx", nodes, constants, SHAPE)
    for image in IMAGES:
        _, differing = compare_with_float32(path, image)
        assert differing == 0
    graph = import_model(path).graph
    check(graph, load_machine("paper8"), graph.encode_input(IMAGES))


def weights_from(least, greatest, path):
    """A network whose kernels have weights of 8 bits less zero points, up to both ends."""
    codes = np.array([-128, 127]).reshape(2, 1, 1, 1)
    zeros = codes - np.array([least, greatest]).reshape(2, 1, 1, 1)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "one", "zero"], ["xq"]),
        helper.make_node("Quant", ["v", "one", "zeros", "bits"], ["wq"], domain=QONNX, signed=1, narrow=0),
        helper.make_node("Conv", ["xq", "wq"], ["s"]),
        helper.make_node("QuantizeLinear", ["s", "step", "zero"], ["c"]),
        helper.make_node("DequantizeLinear", ["c", "step", "zero"], ["y"]),
    ]
    constants = {
        "one": np.float32(1),
        "zero": np.uint8(128),
        "v": np.broadcast_to(codes - zeros, (2, 4, 3, 3)).astype(np.float32),
        "zeros": zeros.astype(np.float32),
        "bits": np.float32(8),
        "step": np.float32(128),
    }
    return save(path, nodes, constants, SHAPE)


@pytest.mark.parametrize(("least", "greatest"), [(-512, 0), (0, 508)])
def test_the_most_that_copies_of_channels_weigh(least, greatest, tmp_path):
    path = weights_from(least, greatest, tmp_path / "made.onnx")
    for image in IMAGES:
        _, differing = compare_with_float32(path, image)
        assert differing == 0


@pytest.mark.parametrize(("least", "greatest"), [(-513, 0), (0, 509)])
def test_more_than_copies_of_channels_weigh_is_refused(least, greatest, tmp_path):
    path = weights_from(least, greatest, tmp_path / "made.onnx")
    text = f"weights from {least} to {greatest}, a layer takes them from -512 to 508$"
    with pytest.raises(SpinplaneError, match=text):
        import_model(path)


def test_near_ties_before_such_padding_are_no_differences(tmp_path):
    made, path = Made(), tmp_path / "model.onnx"
    x = made.quantized("x", 0.1, np.uint8(7))[1]
    codes = np.random.default_rng(1).integers(-3, 4, (2, 4, 4, 3, 3)).astype(np.int8)
    v, w = (
        made.node(
            "DequantizeLinear", [made.constant(part), *map(made.constant, (np.float32(0.3), np.int8(0)))]
        )
        for part in codes
    )
    # Steps of twice the unit of the sums: every other sum is in the middle.
    middle = made.quantized(made.node("Conv", [x, v]), np.full(4, 0.06, np.float32), ZEROS[np.uint8])[1]
    y = made.quantized(made.node("Conv", [middle, w], pads=[1] * 4), 0.3, np.uint8(128))[0]
    onnx.save(made.model(y), path)
    compared = check_import(path, import_model(path))
    assert compared.nodes[-1].near_ties_differing > 0


@pytest.mark.parametrize("bounded", [False, True])
def test_near_ties_of_codes_that_are_quantized_again_are_counted(bounded, tmp_path):
    made, path = Made(), tmp_path / "model.onnx"
    given = made.quantized("x", np.full(4, 3.7, np.float32), ZEROS[np.uint8])[1]
    # 40 · 3.7 is 148 in float32, and a little more: over 8 it is in the middle, or not.
    again = made.node("Relu", [given]) if bounded else given
    zeros = np.uint8(3) if bounded else ZEROS[np.uint8]
    y = made.quantized(again, 8.0 if np.ndim(zeros) == 0 else np.full(4, 8.0), zeros)[0]
    onnx.save(made.model(y), path)
    network = import_model(path)
    assert not check_import(path, network).missing
    assert sum(near_ties(layer).count.sum() for layer in network.graph.layers) > 0


def test_scales_without_a_common_unit_are_refused(tmp_path):
    made = Made()
    x = made.quantized("x", np.float32([0.1, 0.23, 0.4, 0.077]), ZEROS[np.uint8])[1]
    w = made.weights(codes_of(np.int8, (4, 4, 3, 3)), np.zeros(4, np.int8))
    onnx.save(
        made.model(made.quantized(made.node("Conv", [x, w]), 1.0, np.uint8(0))[0]), tmp_path / "model.onnx"
    )
    with pytest.raises(SpinplaneError, match="scales that are no multiples of one of them"):
        import_model(tmp_path / "model.onnx")
