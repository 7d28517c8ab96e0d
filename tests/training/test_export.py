"""Exported networks run by qonnx give the integers of the PyTorch model; settling hardly moves it."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes

from spinplane.compiler.frontend.networks import BitWidths, Network, NetworkLayer, load_network
from spinplane.training.export import export
from spinplane.training.model import LowBitNetwork
from spinplane.training.settle import affines, margins, settle, weight_codes

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

IMAGES = 40


def pixels(network: Network, images: int = IMAGES, seed: int = 7) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    shape = (images, network.channels, network.side, network.side)
    return torch.from_numpy(rng.integers(0, 256, shape, np.uint8)).float()


def trained(network: Network, bits: str) -> LowBitNetwork:
    """A network with random weights and scales, and the statistics of random images."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(11)
        model = LowBitNetwork(network, BitWidths.parse(bits)).train()
        for block in model.blocks:
            if block.batch_norm is not None:
                signs = torch.sign(torch.empty_like(block.batch_norm.weight).uniform_(-1, 1))
                block.batch_norm.weight.uniform_(0.3, 1).mul_(signs)
                block.batch_norm.bias.uniform_(0, 1)
        for seed in range(8):
            model(pixels(network, 20, seed))
    return model.eval()


def run(model: onnx.ModelProto, images: np.ndarray) -> dict[str, np.ndarray]:
    """All values of a model in qonnx's executor."""
    onnx.checker.check_model(model)
    wrapped = ModelWrapper(model).transform(ChangeBatchSize(len(images))).transform(InferShapes())
    return execute_onnx(wrapped, {"image": images}, return_full_exec_context=True)


def codes(model: LowBitNetwork, images: torch.Tensor) -> dict[str, np.ndarray]:
    """Integer activations and logits of a settled model, computed by PyTorch."""
    found, x = {}, model.codes(images.to(next(model.parameters()).dtype))
    for block, affine in zip(model.blocks, affines(model), strict=True):
        x = block(x)
        scale = 1 / affine.steps if block.layer.activation else affine.sum_scale
        whole = torch.round(x / scale)
        assert torch.allclose(whole * scale, x, atol=1e-4)
        found[f"{block.layer.name}_codes"] = whole.detach().numpy()
    found["logits"] = whole.flatten(1).detach().numpy()
    return found


@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.parametrize("bits", ["1:1", "1:2", "1:3", "1:4", "2:2", "3:8", "8:8"])
def test_qonnx_gives_the_integers_of_pytorch(bits: str, fold: bool) -> None:
    network = load_network("digits")
    model = trained(network, bits)
    images = pixels(network)
    got = run(export(model, fold=fold), images.numpy())
    for name, expected in codes(settle(model), images).items():
        if name in got:
            assert np.array_equal(got[name], expected), name
    assert {"conv0_codes", "conv1_codes", "conv2_codes", "logits"} <= got.keys()
    assert len(np.unique(got["conv1_codes"])) == min(2 ** int(bits[-1]), len(np.unique(got["conv1_codes"])))


def test_float32_and_float64_agree_once_settled() -> None:
    network = load_network("digits")
    settled = settle(trained(network, "1:4"))
    images = pixels(network, 200)
    double = codes(settled, images)
    single = codes(settled.float(), images)
    for name, expected in double.items():
        assert np.array_equal(single[name], expected), name


@pytest.mark.parametrize("fold", [False, True])
def test_maximum_pooling_and_magnitudes_are_exported(fold: bool) -> None:
    network = replace(load_network("svhn-dorefa"), edge_bits=8)
    model = trained(network, "1:2")
    images = pixels(network, 4)
    got = run(export(model, fold=fold), images.numpy())
    for name, expected in codes(settle(model), images).items():
        if name in got:
            assert np.array_equal(got[name], expected), name


def test_a_layer_without_offset_stays_where_it_is() -> None:
    layers = (
        NetworkLayer(name="a", channels=4, kernel=3, edge=True, batch_norm=False),
        NetworkLayer(name="b", channels=2, kernel=6, edge=True, batch_norm=False, activation=False),
    )
    network = Network(name="n", source="test", channels=1, side=8, edge_bits=8, layers=layers)
    settled = settle(trained(network, "1:2"))
    images = pixels(network)
    got = run(export(settled), images.numpy())
    assert np.array_equal(got["logits"], codes(settled, images)["logits"])


def test_unquantized_networks_are_exported_as_they_are() -> None:
    network = load_network("svhn")
    model = trained(network, "32:32")
    images = pixels(network, 4)
    with torch.no_grad():
        expected = model(images).numpy()
    exported = export(model)
    assert not {"Quant", "BipolarQuant"} & {node.op_type for node in exported.graph.node}
    assert np.allclose(run(exported, images.numpy())["logits"], expected, atol=1e-4)


def test_the_graph_says_what_is_quantized_how() -> None:
    graph = export(trained(load_network("digits"), "2:4")).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    quants = {}
    for node in graph.node:
        if node.op_type == "Quant":
            scale, zero, bits = (constants[name].item() for name in node.input[1:])
            signed = next(a.i for a in node.attribute if a.name == "signed")
            quants[node.output[0]] = (scale, zero, bits, signed)
    assert quants == {
        "image_codes": (1, 0, 8, 0),
        "conv0_weight_codes": (1, 0, 8, 1),
        "conv0_codes": (1, 0, 4, 0),
        "conv1_weight_codes": (2, 1.5, 2, 0),
        "conv1_codes": (1, 0, 4, 0),
        "conv2_weight_codes": (2, 1.5, 2, 0),
        "conv2_codes": (1, 0, 8, 0),
        "fc_weight_codes": (1, 0, 8, 1),
    }
    assert np.unique(constants["conv1_weight"]).tolist() == [-3, -1, 1, 3]
    one_bit = export(trained(load_network("digits"), "1:4")).graph
    assert [n.output[0] for n in one_bit.node if n.op_type == "BipolarQuant"] == [
        "conv1_weight_codes",
        "conv2_weight_codes",
    ]


def test_folding_replaces_batch_norm() -> None:
    model = trained(load_network("lenet"), "1:2")
    kept = [node.op_type for node in export(model).graph.node]
    folded = [node.op_type for node in export(model, fold=True).graph.node]
    assert (kept.count("BatchNormalization"), kept.count("Mul"), kept.count("Add")) == (3, 0, 1)
    assert (folded.count("BatchNormalization"), folded.count("Mul"), folded.count("Add")) == (0, 3, 4)


@pytest.mark.parametrize("bits", ["1:1", "1:4", "2:2"])
def test_settling_leaves_a_margin_and_moves_by_half_a_unit_at_most(bits: str) -> None:
    model = trained(load_network("digits"), bits)
    settled = settle(model)
    for index, (before, after) in enumerate(zip(affines(model), affines(settled), strict=True)):
        block = settled.blocks[index]
        assert np.array_equal(weight_codes(block), weight_codes(model.blocks[index]))
        if not block.layer.activation:
            assert np.allclose(after.offset, np.round(after.offset), rtol=0, atol=1e-6)
            assert np.abs(after.offset - before.offset).max() <= 0.5 + 1e-6
            continue
        # What float32 makes of a value: some of its last places.
        rounding = 2.0**-24 * (np.abs(after.offset) + after.steps)
        assert (margins(block, after) / rounding).min() > 3
        assert margins(block, after).min() > margins(model.blocks[index], before).min()
        assert np.allclose(after.factor, before.factor, rtol=0.002)


def test_margin_is_the_distance_of_a_threshold_from_the_values() -> None:
    model = trained(load_network("digits"), "1:1")
    block, affine = model.blocks[1], affines(model)[1]
    values = affine.factor[:, None] * (np.arange(-4 * 200, 4 * 200) / 4) + affine.offset[:, None]
    assert np.allclose(margins(block, affine), np.abs(values - 0.5).min(1))


def test_settling_does_not_touch_its_model() -> None:
    model = trained(load_network("digits"), "1:2")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    settle(model)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
