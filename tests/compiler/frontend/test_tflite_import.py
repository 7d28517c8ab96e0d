"""TFLite files as integer graphs: equal to TFLite's reference kernels on every element."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tflite
from checked_networks import check
from tflite_models import TfliteFile, run_judge
from tflite_networks import RELU, RELU6, VALID, Network, random_network

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.frontend.tflite_file.model import read_model
from spinplane.compiler.judges.import_check import check_import
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError, load_machine

PAPER8 = load_machine("paper8")


def image_of(file: TfliteFile, path: Path, seed: int) -> np.ndarray:
    """A random image in the file's own axes and type."""
    model = read_model(file.save(path))
    tensor, rng = model.tensors[model.inputs[0]], np.random.default_rng(seed)
    if tensor.dtype == "float32":
        return (rng.normal(size=tensor.shape) * 1.5).astype(np.float32)
    low, high = tensor.bounds
    return rng.integers(low, high + 1, tensor.shape).astype(tensor.dtype)


def expect_equal(file: TfliteFile, folder: Path, seed: int = 0, *, on_machine: bool = False):
    """The oracle's outputs are the judge's; on the functional accelerator too."""
    path = folder / "model.tflite"
    image = image_of(file, path, seed)
    network = import_model(path)
    values = network.graph.encode_input(image)
    found = network.graph.decode_outputs(run_graph(network.graph, values))
    for own, expected in zip(found, run_judge(path, image), strict=True):
        assert own.shape == expected.shape
        assert (own.astype(expected.dtype) == expected).all()
    if on_machine:
        check(network.graph, PAPER8, values)
    return network


@pytest.mark.parametrize("first", [0, 50, pytest.param(100, marks=pytest.mark.thorough)])
def test_random_networks_equal_the_reference_kernels(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + (50 if first < 100 else 150)):
        expect_equal(random_network(seed), tmp_path, seed)


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_on_the_accelerator(seed: int, tmp_path: Path) -> None:
    expect_equal(random_network(seed), tmp_path, seed, on_machine=True)


def test_a_residual_block_takes_as_many_layers_as_convolutions(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(0))
    x = net.conv(net.input((1, 8, 8, 3)), 8, activation=RELU)
    y = net.conv(net.conv(x, 8, activation=RELU), 8)
    network = expect_equal(net.finish(net.add(x, y, activation=RELU)), tmp_path, on_machine=True)
    assert [layer.name for layer in network.graph.layers] == ["conv_2d_0", "conv_2d_1", "conv_2d_2"]


def test_a_batch_of_several_images_is_one_of_one(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(1))
    single = net.finish(net.conv(net.input((1, 6, 6, 2)), 4))
    image = image_of(single, tmp_path / "one.tflite", 0)
    (expected,) = run_judge(single.to_bytes(), image)
    for tensor in single.tensors:
        if tensor["data"] is None:
            tensor["shape"][0] = 3
    graph = import_model(single.save(tmp_path / "three.tflite")).graph
    (found,) = graph.decode_outputs(run_graph(graph, graph.encode_input(image)))
    assert (found == expected).all()


def test_a_network_of_one_dimension(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(5))
    x = net.move("EXPAND_DIMS", net.input((1, 12, 3)), (1, 1, 12, 3), 1)
    x = net.conv(x, 4, (1, 5), stride=(1, 2), activation=RELU)
    x = net.pool(x, "MAX_POOL_2D", (1, 2), (1, 1))
    x = net.move("SQUEEZE", x, (1, 5, 4), 1)
    expect_equal(net.finish(net.dense(net.mean(x, (1,)), 3)), tmp_path, on_machine=True)


@pytest.mark.parametrize("block", [(2, 2), (1, 3), (2, 1)])
def test_a_dilation_that_is_three_operators_is_one_layer(block: tuple[int, int], tmp_path: Path) -> None:
    net = Network(np.random.default_rng(10))
    x = net.conv(net.input((1, 7, 8, 2)), 4)
    network = expect_equal(net.finish(net.dilated(x, 3, block)), tmp_path, on_machine=True)
    assert [layer.dilation for layer in network.graph.layers] == [(1, 1), block]


@pytest.mark.parametrize("block", [2, 3])
def test_a_dilation_along_a_line_is_one_layer(block: int, tmp_path: Path) -> None:
    net = Network(np.random.default_rng(11))
    x = net.dilated(net.input((1, 13, 2)), 3, (block,))
    network = expect_equal(net.finish(net.dense(net.mean(x, (1,)), 3)), tmp_path, on_machine=True)
    assert network.graph.layers[0].dilation == (1, block)
    assert len(network.graph.layers) == 3


def test_a_matrix_takes_each_place_of_a_map(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(6))
    x = net.conv(net.input((1, 4, 5, 2)), 6)
    expect_equal(net.finish(net.dense(x, 4, places=True, bits=4, by_kernel=True)), tmp_path, on_machine=True)


def test_transposed_tensors(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(7))
    x = net.conv(net.input((1, 4, 5, 2)), 3)
    y = net.reshape(net.transpose(x, (0, 3, 1, 2)), (1, 60))
    z = net.transpose(net.transpose(x, (0, 2, 1, 3)), (0, 2, 1, 3))
    expect_equal(net.finish(net.dense(y, 3), net.conv(z, 2)), tmp_path, on_machine=True)


def test_an_input_with_channels_first(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(8))
    x = net.transpose(net.input((1, 2, 5, 4)), (0, 2, 3, 1))
    file = net.finish(net.conv(x, 3))
    image = image_of(file, tmp_path / "model.tflite", 0)
    graph = import_model(tmp_path / "model.tflite").graph
    assert graph.input_shape == (2, 5, 4)
    (found,) = graph.decode_outputs(run_graph(graph, graph.encode_input(image)))
    (expected,) = run_judge(file.to_bytes(), image)
    assert (found == expected).all()


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("ratio", [1, 4, 0.3])
@pytest.mark.parametrize("own_first", [False, True])
def test_two_tensors_are_subtracted(dtype: str, ratio: float, own_first: bool, tmp_path: Path) -> None:
    net = Network(np.random.default_rng(int(10 * ratio)), dtype)
    x = net.input((1, 8, 9, 4))
    y = net.conv(x, 4, activation=RELU6)
    net.file.tensors[y.index]["scales"] = [float(x.scale) * ratio]
    y = replace(y, scale=np.float32(float(x.scale) * ratio))
    z = net.add(*((y, x) if own_first else (x, y)), code="SUB")
    network = expect_equal(net.finish(z), tmp_path, on_machine=True)
    (addition,) = (layer.addition for layer in network.graph.layers if layer.addition)
    assert (addition.own_multiplier < 0) != own_first


def test_an_input_that_is_quantized_twice(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(11))
    x = net.input((1, 6, 7, 3), dtype="float32")
    other = net.quantize(net.file.inputs[0], x.shape)
    network = expect_equal(net.finish(net.add(net.conv(x, 3), net.conv(other, 3))), tmp_path, on_machine=True)
    assert network.graph.map_shape == (6, 6, 7)
    assert not check_import(tmp_path / "model.tflite", network).missing


@pytest.mark.parametrize("axes", [(1,), (2,), (2, 1)])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("code", ["MEAN", "REDUCE_MAX"])
def test_means_and_maxima(code: str, axes: tuple[int, ...], keep: bool, tmp_path: Path) -> None:
    net = Network(np.random.default_rng(9))
    x = net.conv(net.input((1, 4, 5, 2)), 3)
    expect_equal(net.finish(net.mean(x, axes, keep=keep, code=code)), tmp_path, on_machine=True)


def test_what_computes_a_shape_is_left_out(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(2))
    x = net.conv(net.input((1, 4, 4, 2)), 2)
    file = net.file
    shape = file.tensor("shape", (4,), "int32")
    file.operator("SHAPE", [x.index], shape, "ShapeOptions", OutType=tflite.TensorType.INT32)
    begin, end, one = (
        file.constant(name, [n], "int32") for name, n in (("begin", 0), ("end", 1), ("one", 1))
    )
    batch = file.tensor("batch", (), "int32")
    file.operator("STRIDED_SLICE", [shape, begin, end, one], batch, "StridedSliceOptions", ShrinkAxisMask=1)
    target = file.tensor("target", (2,), "int32")
    file.operator("PACK", [batch, file.constant("rest", 32, "int32")], target, "PackOptions", ValuesCount=2)
    flat = file.tensor("flat", (1, 32), scale=x.scale, zero_point=x.zero_point)
    file.operator("RESHAPE", [x.index, target], flat, "ReshapeOptions")
    file.outputs = [flat]
    expect_equal(file, tmp_path)


def test_the_host_gets_the_numbers_before_a_softmax(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(3))
    logits = net.dense(net.input((1, 4, 4, 2)), 5)
    probabilities = net.file.tensor("p", (1, 5), scale=1 / 256, zero_point=-128)
    net.file.operator("SOFTMAX", [logits.index], probabilities, "SoftmaxOptions", Beta=1.0)
    file = net.finish(logits)
    image = image_of(file, tmp_path / "logits.tflite", 0)
    (codes,) = run_judge(file.to_bytes(), image)
    file.outputs = [probabilities]
    network = import_model(file.save(tmp_path / "model.tflite"))
    (found,) = network.graph.decode_outputs(run_graph(network.graph, network.graph.encode_input(image)))
    assert (found == codes).all()
    assert network.graph.outputs[0].name == "fully_connected_0"
    assert network.told == ("SOFTMAX (p) is left to the host: the output is 'fully_connected_0'",)


def test_views_are_the_tensors_of_the_file(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(4))
    x = net.conv(net.input((1, 5, 6, 3)), 4, activation=RELU6)
    y = net.conv(x, 2, (2, 2), stride=(2, 1), padding=VALID)
    file = net.finish(x, y)
    path = tmp_path / "model.tflite"
    image = image_of(file, path, 0)
    network = import_model(path)
    values = network.graph.encode_input(image)
    assert (network.views[-1].decode(values) == image).all()
    expected = run_judge(path, image)
    for number, made in enumerate(run_graph(network.graph, values)):
        assert network.views[number].tensor == f"conv_2d_{number}"
        assert (network.views[number].decode(made) == expected[number]).all()


def refused(file: TfliteFile, folder: Path) -> str:
    path = file.save(folder / "model.tflite")
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    message = str(error.value).removeprefix(f"model {path}: ")
    assert len(message) < 300
    assert message.isprintable()
    return message


def test_a_shape_that_does_not_fit_is_shown_up_to_eight_sides(tmp_path: Path) -> None:
    net = Network(np.random.default_rng(2))
    x = net.conv(net.input((1, 4, 4, 2)), 2)
    target = net.file.constant("target", [1, 2, 3, 1, 1, 1, 1, 4, 5], "int32")
    flat = net.file.tensor("flat", (1, 32), scale=x.scale, zero_point=x.zero_point)
    net.file.operator("RESHAPE", [x.index, target], flat, "ReshapeOptions")
    net.file.outputs = [flat]
    message = refused(net.file, tmp_path)
    assert message.endswith("a tensor of shape (1, 4, 4, 2) cannot become (1, 2, 3, 1, 1, 1, 1, 4)"), message


def convolution() -> TfliteFile:
    net = Network(np.random.default_rng(0))
    return net.finish(net.conv(net.input((1, 6, 6, 2)), 4))


def test_refusals_name_the_operator(tmp_path: Path) -> None:
    file = convolution()
    file.operators[0]["code"] = "LSTM"
    assert refused(file, tmp_path) == "conv_2d_0: LSTM is not supported"
    file = convolution()
    file.operators[0]["fields"]["FusedActivationFunction"] = 4
    assert "its activation has the number 4" in refused(file, tmp_path)
    file = convolution()
    file.tensors[1]["scales"] = [0.1, 0.2]
    assert "2 scales and 4 zero points along axis 0, which has 4" in refused(file, tmp_path)
    file = convolution()
    file.tensors[file.outputs[0]]["scales"] = None
    assert refused(file, tmp_path) == (
        "conv_2d_0: tensor 'conv_2d_0' is int8 without a scale, expected quantized int8 or uint8"
    )
    file = convolution()
    file.tensors[file.outputs[0]]["shape"][1] = 7
    assert "tensor 'conv_2d_0' has shape (1, 7, 6, 4), its operator gives (1, 6, 6, 4)" in refused(
        file, tmp_path
    )
    net = Network(np.random.default_rng(0))
    file = net.finish(net.reshape(net.input((1, 6, 6, 2)), (1, 72)))
    file.tensors[-1]["shape"] = [1, 36, 2]
    assert refused(file, tmp_path) == (
        "reshape_0: tensor 'reshape_0' has shape (1, 36, 2), its operator gives (1, 72)"
    )
    net = Network(np.random.default_rng(0))
    x = net.input((1, 6, 6, 2))
    multiplied = net.file.tensor("y", x.shape, scale=0.1)
    net.file.operator("MUL", [x.index, x.index], multiplied, "MulOptions", version=2)
    net.file.outputs = [multiplied]
    assert refused(net.file, tmp_path) == "y: MUL of two tensors is not supported"
