"""Small models in QONNX form, and what qonnx computes of them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model

from spinplane.compiler.frontend.onnx_import import load_model
from spinplane.compiler.meaning.near_ties import value_bounds
from spinplane.compiler.oracle import arrange, finish, linear, run_graph

QONNX = "qonnx.custom_op.general"


def execute(path, image):
    return _execute(cleanup_model(ModelWrapper(str(path))), image)


def execute_untouched(path, image):
    """Without the folding of transposes into quantizers, which loses the axes of their scales."""
    return _execute(ModelWrapper(str(path)).transform(InferShapes()), image)


def _execute(model, image):
    name = model.graph.input[0].name
    given = {name: np.asarray(image, dtype=np.float32).reshape(model.get_tensor_shape(name))}
    return execute_onnx(model, given)[model.graph.output[0].name]


def run(path, image):
    graph = load_model(path)
    return graph.decode_outputs(run_graph(graph, graph.encode_input(image)))[0]


def compare_with_float32(path, image):
    """Hold every layer to the float32 executor, each on the codes that the executor gives to it.

    Returns
    -------
    near_ties, differing : int
        Codes that float32 may round otherwise, and those of them that it does; a difference elsewhere is an error.
    """
    graph, model = load_model(path), cleanup_model(ModelWrapper(str(path)))
    name = model.graph.input[0].name
    given = {name: np.asarray(image, dtype=np.float32).reshape(model.get_tensor_shape(name))}
    context = execute_onnx(model, given, return_full_exec_context=True)
    tensors = _quantized(model)
    assert len(tensors) in (len(graph.layers), len(graph.layers) + 1)
    near_ties = differing = 0
    values = graph.encode_input(image)
    assert (_codes(context, tensors[0][0], tensors[0][1][0]) == values.ravel()).all()
    for layer, (tensor, scales) in zip(graph.layers, tensors[1:], strict=False):
        least, greatest = value_bounds(layer, linear(layer, arrange(layer, values)))
        exact = finish(layer, linear(layer, arrange(layer, values)))
        # Without an addition, a second quantizer has passed the values of the first one.
        values = _codes(context, tensor, scales[-1 if layer.addition else 0]).reshape(exact.shape)
        assert ((least <= exact) & (exact <= greatest)).all()
        assert ((least <= values) & (values <= greatest)).all()
        assert (exact == values)[least == greatest].all()
        near_ties += int((least != greatest).sum())
        differing += int((exact != values).sum())
    return near_ties, differing


def _quantized(model):
    """Quantized tensors as they enter the next layer, or leave the network, with the scales of their quantizers."""
    found, tensor, scales = [], model.graph.input[0].name, []
    while nodes := model.find_consumers(tensor):
        if nodes[0].op_type in ("Conv", "MatMul", "Gemm"):
            found.append((tensor, scales))
            scales = []
        elif nodes[0].op_type in ("Quant", "BipolarQuant"):
            scales.append(float(model.get_initializer(nodes[0].input[1])))
        tensor = nodes[0].output[0]
    return [*found, (tensor, scales)] if scales else found


def _codes(context, tensor, scale):
    quotients = np.asarray(context[tensor], dtype=np.float64).ravel() / scale
    codes = np.rint(quotients)
    assert np.abs(quotients - codes).max() < 1e-3
    return codes.astype(np.int64)


def quant(source, target, bits, signed=1, scale="one"):
    return helper.make_node(
        "Quant",
        [source, scale, "zero", f"bits{bits}"],
        [target],
        domain=QONNX,
        signed=signed,
        narrow=0,
        rounding_mode="ROUND",
    )


def save(path, nodes, constants, shape=(1, 2, 6, 6), output="y"):
    rng = np.random.default_rng(1)
    values = {
        "one": np.float32(1),
        "zero": np.float32(0),
        **{f"bits{n}": np.float32(n) for n in (1, 2, 3, 4, 8)},
        "w": rng.integers(-3, 4, (4, 2, 3, 3)).astype(np.float32),
        **constants,
    }
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


BEGIN = [quant("x", "xq", 4, signed=0), quant("w", "wq", 3)]
CONV = helper.make_node("Conv", ["xq", "wq"], ["s"], name="conv", pads=[1, 1, 1, 1])
