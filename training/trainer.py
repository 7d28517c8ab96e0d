"""The loop of a training: its configuration, its epochs, and its whole state between two of them."""

import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from spinplane.compiler.frontend.networks import BitWidths, Network, load_network

from .augment import AUGMENTATION, augment
from .data import Images
from .model import LowBitNetwork


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that decides the final weights of a training.

    Parameters
    ----------
    network, bits, dataset : str
        ``bits`` as W:I:G.
    epochs, seed, batch : int
    rate : float
        Learning rate of Adam at the start; it falls to 0 along half a cosine.
    edge_bits : int, optional
        Bits of first and last layer; not given, the network's own.
    """

    network: str
    bits: str
    dataset: str
    epochs: int
    seed: int
    batch: int
    rate: float
    edge_bits: int | None = None

    def plan(self) -> Network:
        """The network as plain data."""
        network = load_network(self.network)
        return network if self.edge_bits is None else replace(network, edge_bits=self.edge_bits)

    def model(self) -> LowBitNetwork:
        """The network with random weights."""
        return LowBitNetwork(self.plan(), BitWidths.parse(self.bits))


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """Mean loss and error in training, and error on the test images after it; errors are parts of 1."""

    loss: float
    training_error: float
    test_error: float


class Trainer:
    """Model, optimizer and random state of a training between two epochs.

    Parameters
    ----------
    configuration : Configuration
    training, test : Images
    """

    def __init__(self, configuration: Configuration, training: Images, test: Images) -> None:
        torch.manual_seed(configuration.seed)
        self.configuration = configuration
        self.training, self.test = training, test
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = configuration.model().to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=configuration.rate, eps=1e-5)
        self.history: list[Epoch] = []
        self.seconds = 0.0
        # A last batch of one image has no variance to normalize with.
        self.steps = max(1, len(training.labels) // configuration.batch)

    def run_epoch(self, show: Callable[[int, int, float, float], None]) -> None:
        """Train on every image once, then test."""
        began = time.monotonic()
        epoch, batch = len(self.history), self.configuration.batch
        order = torch.randperm(len(self.training.labels)).numpy()
        loss_sum = wrong = seen = 0.0
        self.model.train()
        for step in range(self.steps):
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(epoch * self.steps + step)
            pixels, labels = _batch(self.training, order[step * batch : (step + 1) * batch], self.device)
            logits = self.model(augment(pixels, AUGMENTATION[self.configuration.dataset]))
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            seen += len(labels)
            loss_sum += loss.item() * len(labels)
            wrong += int((logits.argmax(1) != labels).sum())
            show(epoch, step + 1, loss_sum / seen, wrong / seen)
        self.model.eval()
        self.history.append(
            Epoch(
                loss=loss_sum / seen,
                training_error=wrong / seen,
                test_error=evaluate(self.model, self.test),
            )
        )
        self.seconds += time.monotonic() - began

    def _rate(self, step: int) -> float:
        progress = step / (self.configuration.epochs * self.steps)
        return self.configuration.rate * (1 + math.cos(math.pi * progress)) / 2

    def state_bytes(self) -> bytes:
        """All that the next epoch depends on, and the time so far, as PyTorch stores it."""
        state = {
            "configuration": asdict(self.configuration),
            "history": [asdict(epoch) for epoch in self.history],
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }
        file = io.BytesIO()
        torch.save(state, file)
        return file.getvalue()

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.seconds = state["seconds"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])


@torch.no_grad()
def evaluate(model: LowBitNetwork, images: Images, batch: int = 500) -> float:
    """Part of images that a network in evaluation mode takes for another class."""
    wrong = 0
    for start in range(0, len(images.labels), batch):
        indices = np.arange(start, min(start + batch, len(images.labels)))
        weight = next(model.parameters())
        pixels, labels = _batch(images, indices, weight.device)
        wrong += int((model(pixels.to(weight.dtype)).argmax(1) != labels).sum())
    return wrong / len(images.labels)


def _batch(images: Images, indices: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(images.batch(indices)).to(device, torch.float32)
    return pixels, torch.from_numpy(images.labels[indices]).to(device)
