"""Residual networks of int8 are exact in all channels, by the arithmetic that their operators define."""

from dataclasses import replace

import numpy as np
import pytest
from checked_networks import check, check_loops
from int8_networks import residual_network

from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import load_machine

PAPER8 = load_machine("paper8")


@pytest.mark.parametrize("tflite", [False, True], ids=["onnx", "tflite"])
@pytest.mark.parametrize("seed", range(3))
def test_a_residual_network_is_exact(seed: int, tflite: bool) -> None:
    graph = residual_network(seed, (3, 8, 8), width=8, tflite=tflite)
    inputs = np.random.default_rng(seed).integers(-128, 128, (2, 3, 8, 8))
    program = check(graph, PAPER8, inputs)
    methods = [placed.steps.methods() for placed in program.stages]
    assert sum(count["searched"] for count in methods) == 0
    check_loops(graph, PAPER8, inputs[:1])


def test_few_multipliers_take_longer() -> None:
    graph = residual_network(0, (3, 8, 8), width=8, tflite=True)
    inputs = np.random.default_rng(0).integers(-128, 128, (1, 3, 8, 8))
    check(graph, replace(PAPER8, multipliers=1), inputs)
    intervals = [
        max(one.interval for one in compile_graph(graph, replace(PAPER8, multipliers=count)).passes)
        for count in (1, 2, 8)
    ]
    assert intervals == sorted(intervals, reverse=True)
