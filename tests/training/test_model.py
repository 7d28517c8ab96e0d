"""Networks as PyTorch modules: what their layers compute."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from spinplane.compiler.frontend.networks import (
    BitWidths,
    Network,
    NetworkLayer,
    Pool,
    load_network,
    network_names,
)
from spinplane.training.model import LowBitNetwork

pytestmark = pytest.mark.training


def pixels(network: Network, images: int = 2) -> torch.Tensor:
    rng = np.random.default_rng(7)
    shape = (images, network.channels, network.side, network.side)
    return torch.from_numpy(rng.integers(0, 256, shape, np.uint8)).float()


@pytest.mark.parametrize("name", [name for name in network_names() if not name.startswith("alexnet")])
def test_every_small_network_gives_its_logits(name: str) -> None:
    network = load_network(name)
    model = LowBitNetwork(network, BitWidths.parse("1:2"))
    assert model(pixels(network)).shape == (2, network.classes)
    assert sum(block.convolution.weight.numel() for block in model.blocks) == network.weights


def test_average_pooling_is_that_of_the_convolution_s_sums() -> None:
    torch.manual_seed(0)
    network = load_network("svhn")
    model = LowBitNetwork(network, BitWidths.parse("2:2")).double().eval()
    for block, shape in zip(model.blocks, network.shapes(), strict=True):
        x = torch.rand(2, shape.inputs[0], shape.inputs[1], shape.inputs[1], dtype=torch.float64)
        sums = functional.conv2d(x, block.weight(), block.convolution.bias, padding=shape.layer.padding)
        pooled = functional.avg_pool2d(sums, 2) if shape.layer.pool else sums
        expected = block.batch_norm(pooled) if block.batch_norm is not None else pooled
        assert torch.allclose(block.normalized(x), expected, atol=1e-12)


def test_maximum_pooling_follows_batch_norm_and_pads_with_nothing() -> None:
    network = Network(
        name="n",
        source="test",
        channels=2,
        side=6,
        layers=(NetworkLayer(name="a", channels=3, kernel=1, pool=Pool(kind="max", size=3, padding=(0, 1))),),
    )
    block = LowBitNetwork(network, BitWidths.parse("1:2")).double().eval().blocks[0]
    block.batch_norm.weight.data.neg_()
    x = torch.rand(1, 2, 6, 6, dtype=torch.float64)
    whole = block.batch_norm(functional.conv2d(x, block.weight()))
    expected = torch.stack(
        [whole[..., i : i + 3, j : j + 3].amax((2, 3)) for i in (0, 2, 4) for j in (0, 2, 4)], dim=-1
    )
    assert torch.equal(block.normalized(x).flatten(2), expected)


def test_inner_layers_have_the_bits_asked_for_and_edges_their_own() -> None:
    digits = LowBitNetwork(load_network("digits"), BitWidths.parse("1:4:6"))
    assert [(b.weight_bits, b.output_bits, b.gradient_bits) for b in digits.blocks] == [
        (8, 4, 32),
        (1, 4, 6),
        (1, 8, 6),
        (8, 32, 32),
    ]
    svhn = LowBitNetwork(load_network("svhn"), BitWidths.parse("2:2"))
    assert [b.weight_bits for b in svhn.blocks] == [32, 2, 2, 2, 2, 2, 2, 32]
    assert [b.output_bits for b in svhn.blocks] == [2, 2, 2, 2, 2, 2, 32, 32]


def test_activations_are_codes_of_their_bits() -> None:
    network = load_network("digits")
    model = LowBitNetwork(network, BitWidths.parse("1:2"))
    x = model.codes(pixels(network))
    for block in model.blocks[:-1]:
        x = block(x)
        codes = x * (2**block.output_bits - 1)
        assert torch.allclose(codes, torch.round(codes), atol=1e-4)
        assert 0 <= x.min() < x.max() <= 1


def test_pixels_are_rounded_where_the_first_layer_takes_8_bits() -> None:
    fractional = torch.full((1, 1, 28, 28), 100.4)
    network = load_network("digits")
    exact = LowBitNetwork(network, BitWidths.parse("1:1")).codes(fractional)
    assert torch.equal(exact, torch.full_like(exact, 100 / 255))
    free = LowBitNetwork(replace(network, edge_bits=32), BitWidths.parse("1:1")).codes(fractional)
    assert torch.equal(free, fractional / 255)


def test_dropout_acts_in_training_alone() -> None:
    network = load_network("svhn")
    model = LowBitNetwork(network, BitWidths.parse("32:32"))
    block = model.blocks[6]
    x = torch.ones(1, 128, 5, 5)
    block.batch_norm = None
    model.train()
    assert not torch.equal(block.normalized(x), block.normalized(x))
    model.eval()
    assert torch.equal(block.normalized(x), block.normalized(x))
