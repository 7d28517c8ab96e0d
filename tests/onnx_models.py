"""Small models in QONNX form, and what qonnx computes of them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.meaning.near_ties import value_bounds
from spinplane.compiler.oracle import arrange, concatenate, finish, linear, run_graph

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
    """What a graph gives as its first output, of the file's input or of a map."""
    graph = import_model(path).graph
    return graph.decode_outputs(run_graph(graph, graph.encode_input(image)))[0]


def compare_with_float32(path, image):
    """Hold every layer to the float32 executor, each on the codes that the executor gives to it.

    Returns
    -------
    near_ties, differing : int
        Codes that float32 may round otherwise, and those of them that it does; a difference elsewhere is an error.
    """
    return differences(import_model(path), onnx.load(path), image)


def differences(network, model, image):
    """The same of an imported network and its file's model."""
    graph, views = network.graph, network.views
    context = execution(ModelWrapper(model), graph.input_tensor.name, image)
    maps = {-1: graph.encode_input(image)}
    if -1 in views:
        assert (views[-1].encode(context[views[-1].tensor]) == maps[-1]).all()
    near_ties = differing = 0
    for number, layer in enumerate(graph.layers):
        taken = concatenate(layer, [maps[source] for source in graph.sources(number)])
        sums = linear(layer, arrange(layer, taken))
        residual = maps[layer.residual.source] if layer.residual else None
        source = layer.addition.source if layer.addition else None
        added = None if source is None else maps[source]
        least, greatest = value_bounds(layer, sums, residual, added)
        exact = finish(layer, sums, residual, added)
        assert ((least <= exact) & (exact <= greatest)).all()
        bounded = number in views and np.isfinite([views[number].low, views[number].high]).any()
        if number not in views or bounded:
            maps[number] = exact
            if hidden := int((least != greatest).sum()):
                # Of a map that no tensor is: what follows differs where the executor has taken the other code.
                return near_ties + hidden, differing
            continue
        values = views[number].encode(context[views[number].tensor])
        assert ((least <= values) & (values <= greatest)).all()
        assert (exact == values)[least == greatest].all()
        near_ties += int((least != greatest).sum())
        differing += int((exact != values).sum())
        maps[number] = values
    for output in graph.outputs:
        numbers = output.decode(output.values([maps[number] for number in range(len(graph.layers))]))
        assert np.allclose(numbers, context[output.name], rtol=1e-4, atol=1e-4)
    return near_ties, differing


def execution(model, name, image):
    """All tensors that qonnx computes of a model, by their names."""
    if not any(node.domain.endswith("channels_last") for node in model.graph.node):
        model = model.transform(InferShapes())
    given = {name: np.asarray(image, dtype=np.float32).reshape(model.get_tensor_shape(name))}
    return execute_onnx(model, given, return_full_exec_context=True)


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
