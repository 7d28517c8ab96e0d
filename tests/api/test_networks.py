"""The networks and images that come with the package."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from spinplane.compiler.frontend.networks import load_network

NETWORKS = Path(str(files("spinplane"))) / "data" / "networks"
SHIPPED = ["digits-1-1", "digits-1-2", "digits-1-4", "digits-2-2"]


def test_the_networks_are_there_with_cards_and_small() -> None:
    assert sorted(path.stem for path in NETWORKS.glob("*.onnx")) == SHIPPED
    assert sum(path.stat().st_size for path in NETWORKS.iterdir()) < 1_000_000


@pytest.mark.parametrize("name", SHIPPED)
def test_a_card_says_what_its_network_is(name: str) -> None:
    card = json.loads((NETWORKS / f"{name}.json").read_text(encoding="utf-8"))
    network = load_network(card["network"])
    assert name == f"{network.name}-{card['bits'].replace(':', '-')[:3]}"
    assert (card["weights"], card["macs"], card["edge_bits"]) == (network.weights, network.macs, 8)
    assert card["weights"] <= 40_000
    assert (card["training_images"], card["test_images"]) == (60_000, 10_000)
    assert f"--bits {card['bits']}" in card["command"]


def test_errors_are_within_what_was_asked_for() -> None:
    for name, most in (("digits-1-4", 0.010), ("digits-1-1", 0.020)):
        card = json.loads((NETWORKS / f"{name}.json").read_text(encoding="utf-8"))
        assert card["test_error"] <= most


def test_200_images_come_with_labels() -> None:
    with np.load(NETWORKS / "mnist-test-200.npz") as shipped:
        images, labels = shipped["images"], shipped["labels"]
    assert (images.shape, images.dtype) == ((200, 28, 28), np.uint8)
    assert (labels.shape, labels.dtype) == ((200,), np.uint8)
    assert sorted(set(labels.tolist())) == list(range(10))
    assert images.min() == 0
    assert images.max() > 250
