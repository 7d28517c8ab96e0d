"""Random TFLite files on the RTL of one build: the values of the reference kernels, and every predicted counter."""

from pathlib import Path

import numpy as np
import pytest
from tflite_models import run_judge
from tflite_networks import random_network

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.oracle import run_graph
from spinplane.machine import load_machine
from tests.compiler.frontend.test_tflite_import import image_of
from tests.networks_on_rtl import Case, compare, run_twice

PAPER8 = load_machine("paper8")


@pytest.mark.parametrize(("first", "count"), [(0, 6), pytest.param(6, 30, marks=pytest.mark.thorough)])
def test_random_files_on_the_rtl(first: int, count: int, tmp_path: Path) -> None:
    cases: list[Case] = []
    for seed in range(first, first + count):
        file, path = random_network(seed), tmp_path / "model.tflite"
        image = image_of(file, path, seed)
        graph = import_model(path).graph
        values = graph.encode_input(image)
        outputs = graph.decode_outputs(run_graph(graph, values))
        for own, expected in zip(outputs, run_judge(path, image), strict=True):
            assert np.array_equal(own.astype(expected.dtype), expected)
        cases.append((graph, compile_graph(graph, PAPER8), values))
    record = run_twice(PAPER8, cases, "verilator", tmp_path)
    assert list(compare(PAPER8, cases, record)) == []
