# amaranth: UnusedElaboratable=no
"""Zero points of channels, an input in two codings and groups that are widened: on the RTL of one build."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.graph import Graph
from tests.campaigns.random_networks_on_rtl import MACHINE
from tests.networks_on_rtl import Case, compare, run_twice

ZEROS = np.array([0, 37, 128, 255], dtype=np.uint8)


class _Model:
    """A model of an input of 4 channels that is written node by node."""

    def __init__(self, sides: tuple[int, int]) -> None:
        self.nodes, self.constants = list[onnx.NodeProto](), list[onnx.TensorProto]()
        self.sides = sides

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def quantized(self, x: str, scale: float, zeros: np.ndarray) -> str:
        coding = [
            self.constant(np.full(np.shape(zeros), scale, dtype=np.float32)),
            self.constant(zeros),
        ]
        return self.node("DequantizeLinear", self.node("QuantizeLinear", x, *coding), *coding)

    def convolution(self, x: str, codes: np.ndarray, **attributes: object) -> str:
        parts = codes.astype(np.int8), np.float32(2**-5), np.int8(0)
        weights = self.node("DequantizeLinear", *(self.constant(part) for part in parts))
        return self.node("Conv", x, weights, **attributes)

    def graph(self, output: str, channels: int, folder: Path) -> Graph:
        made = helper.make_graph(
            self.nodes,
            "made",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, channels, *self.sides))],
            [helper.make_empty_tensor_value_info(output)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 13)]
        path = folder / "model.onnx"
        onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=8), path)
        return import_model(path).graph


def padded_zero_points(rng: np.random.Generator, folder: Path) -> Graph:
    """Of the input, and of sums that are padded and pooled before their quantizer."""
    model = _Model((5, 4))
    x = model.quantized("x", 0.125, ZEROS)
    sums = model.convolution(x, rng.integers(-8, 8, (4, 4, 3, 3)), pads=[1] * 4)
    border = model.node("Pad", sums, model.constant(np.array([0, 0, 1, 0, 0, 0, 0, 1])))
    pooled = model.node("MaxPool", border, kernel_shape=[2, 2])
    codes = model.quantized(pooled, 0.5, ZEROS[::-1].copy())
    sums = model.convolution(codes, rng.integers(-8, 8, (3, 4, 2, 2)), pads=[1] * 4)
    return model.graph(model.quantized(sums, 2.0, np.uint8(90)), 4, folder)


def two_codings(rng: np.random.Generator, folder: Path) -> Graph:
    """Of one input, each for a convolution, whose sums are added."""
    model = _Model((5, 4))
    coarse, fine = (model.quantized("x", scale, np.uint8(128)) for scale in (0.5, 0.0625))
    sums = (model.convolution(x, rng.integers(-8, 8, (4, 4, 2, 2))) for x in (coarse, fine))
    return model.graph(model.quantized(model.node("Add", *sums), 0.5, np.uint8(100)), 4, folder)


def widened_groups(rng: np.random.Generator, folder: Path) -> Graph:
    """Sixteen of 3 channels and 3 kernels."""
    model = _Model((6, 6))
    x = model.quantized("x", 0.125, np.uint8(128))
    sums = model.convolution(x, rng.integers(-8, 8, (48, 3, 3, 3)), pads=[1] * 4, group=16)
    return model.graph(model.quantized(sums, 0.5, np.uint8(100)), 48, folder)


@pytest.mark.thorough
def test_networks_of_codings_and_groups_on_the_rtl(tmp_path: Path) -> None:
    cases = list[Case]()
    for seed, make in enumerate((padded_zero_points, two_codings, widened_groups)):
        rng = np.random.default_rng(seed)
        graph = make(rng, tmp_path)
        images = rng.normal(0, 6, (1, *graph.input_shape)).astype(np.float32)
        cases.append((graph, compile_graph(graph, MACHINE), graph.encode_input(images)))
    assert len(cases[1][0].input_coding.parts) == 2
    assert any(one.spread for one in cases[2][1].passes)
    record = run_twice(MACHINE, cases, "verilator", tmp_path)
    assert not list(compare(MACHINE, cases, record))
