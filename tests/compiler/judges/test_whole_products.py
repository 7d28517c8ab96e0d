"""Sums of products of codes in onnxruntime, on any processor, against numpy."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.judges.whole_products import with_whole_products

UNSIGNED, SIGNED = np.uint8, np.int8
ONNX = {UNSIGNED: TensorProto.UINT8, SIGNED: TensorProto.INT8}


def drawn(rng, kind, shape):
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max + 1, shape).astype(kind)


def product(codes, weights, zeros, *, output=None, by_node=False):
    """A model of one product, whose sums leave as they are, or as codes."""
    constants = {"w": weights, "zx": np.array(zeros[0], codes), "zw": np.array(zeros[1], weights.dtype)}
    names = ["x", "w", "zx", "zw"]
    nodes = [helper.make_node("MatMulInteger", names, ["y"])]
    if output is not None:
        scales = {"sx": 0.01, "sw": 0.02, "sy": 0.5}
        constants |= {name: np.float32(scale) for name, scale in scales.items()} | {"zy": output(3)}
        names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy"]
        nodes = [helper.make_node("QLinearMatMul", names, ["y"])]
    if by_node:  # the same codes, computed and read twice
        names[0] = "copied"
        nodes = [
            helper.make_node("Identity", ["x"], ["copied"]),
            helper.make_node(nodes[0].op_type, names, ["y"]),
        ]
        nodes.append(helper.make_node(nodes[1].op_type, names, ["again"]))
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", ONNX[codes], ["n", 64])],
        [helper.make_empty_tensor_value_info(name) for name in (["y", "again"] if by_node else ["y"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def outputs(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    whole = with_whole_products(model)
    session = onnxruntime.InferenceSession(
        whole.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})


@pytest.mark.parametrize("by_node", [False, True])
@pytest.mark.parametrize(("codes", "weights"), [(UNSIGNED, UNSIGNED), (UNSIGNED, SIGNED), (SIGNED, SIGNED)])
def test_sums_are_those_of_whole_numbers(codes, weights, by_node):
    rng = np.random.default_rng(0)
    x, w = drawn(rng, codes, (5, 64)), drawn(rng, weights, (64, 7))
    expected = (x.astype(int) - 2) @ (w.astype(int) - 1)
    for found in outputs(product(codes, w, (2, 1), by_node=by_node), x):
        assert (found == expected).all()


@pytest.mark.parametrize("codes", [UNSIGNED, SIGNED])
def test_codes_of_sums_have_the_type_that_they_had(codes):
    rng = np.random.default_rng(1)
    x, w = drawn(rng, codes, (5, 64)), drawn(rng, SIGNED, (64, 7))
    (found,) = outputs(product(codes, w, (2, 0), output=codes), x)
    sums = (x.astype(int) - 2) @ w.astype(int)
    limits = np.iinfo(codes)
    exact = np.clip(
        np.rint(sums * (np.float32(0.01) * np.float32(0.02) / np.float32(0.5))) + 3, limits.min, limits.max
    )
    assert found.dtype == codes
    assert np.abs(found - exact).max() <= 1
    assert (found == exact).mean() > 0.9


def test_a_model_that_cannot_saturate_stays_as_it_is():
    small = np.full((64, 7), 64, SIGNED)
    model = product(UNSIGNED, small, (2, 0))
    assert with_whole_products(model) == model
