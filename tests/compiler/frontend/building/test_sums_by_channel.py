"""Residuals added to sums whose scales differ from channel to channel: files, their executors, and the machine."""

from pathlib import Path

import numpy as np
import pytest
from checked_networks import check

from spinplane.machine import load_machine
from tests.random_networks.files import write
from tests.random_networks.judging import imported, input_values, judge
from tests.residual_networks import residual_network

SIZES = [(8, 16), (8, 40), (6, 9), (4, 16), (2, 5)]


@pytest.mark.parametrize(("bits", "channels"), SIZES)
@pytest.mark.parametrize("form", ["qdq", "qonnx"])
def test_residuals_of_a_scale_a_channel(form: str, bits: int, channels: int, tmp_path: Path) -> None:
    for seed in range(2):
        file = write(form, residual_network(seed, bits=bits, channels=channels), seed, tmp_path)
        network = imported(file.path)
        assert not isinstance(network, str), network
        (residual,) = [layer.residual for layer in network.graph.layers if layer.residual]
        assert len(set(np.atleast_1d(residual.scale).tolist())) > 1
        assert judge(network, file)["differing"] == 0
        check(network.graph, load_machine("paper8"), input_values(network, file)[:1])
