"""Small models in QONNX form, and what qonnx computes of them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model

from spinplane.compiler.frontend.onnx_import import load_model
from spinplane.compiler.oracle import run_graph

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
    return graph.decode_output(run_graph(graph, graph.encode_input(image))[-1])


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
