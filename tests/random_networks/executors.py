"""What the executor of a form makes of a file: all of its tensors, with nothing of spinplane between."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

from spinplane.compiler.judges.whole_products import with_whole_products

from .files import NetworkFile

Tensors = dict[str, np.ndarray]
_CAST = "__cast"


def execute(file: NetworkFile) -> Tensors:
    """All tensors of a file, of shape (images, *shape in the file); a fixed batch holds copies of each image."""
    run = {"qonnx": _qonnx, "tflite": _litert}.get(file.form, _onnxruntime)
    by_image = run(file.path, file.given())
    return {name: np.stack([tensors[name] for tensors in by_image]) for name in by_image[0]}


def _onnxruntime(path: Path, images: Sequence[np.ndarray]) -> list[Tensors]:
    model = onnx.load(path)
    given = {output.name for output in model.graph.output}
    inner = [name for node in model.graph.node for name in node.output if name not in given]
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inner)
    # numpy has no type of 4 bits.
    short = {output.name for output in _session(model).get_outputs() if "int4" in output.type}
    kept = [output for output in model.graph.output if output.name not in short]
    casts = [
        helper.make_node("Cast", [name], [f"{name}{_CAST}"], to=TensorProto.INT8) for name in sorted(short)
    ]
    model.graph.node.extend(casts)
    del model.graph.output[:]
    model.graph.output.extend(
        [*kept, *(helper.make_empty_tensor_value_info(cast.output[0]) for cast in casts)]
    )
    session = _session(model)
    names = [output.name for output in session.get_outputs()]
    keys = [name.removesuffix(_CAST) for name in names]
    return [
        {"x": image, **dict(zip(keys, session.run(names, {"x": image}), strict=True))} for image in images
    ]


def _session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        with_whole_products(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _qonnx(path: Path, images: Sequence[np.ndarray]) -> list[Tensors]:
    """Node by node, each image with the batch that it has."""
    model = onnx.load(path)
    for info in (*model.graph.input, *model.graph.output):
        info.type.tensor_type.shape.dim[0].dim_value = len(images[0])
    wrapper = ModelWrapper(model).transform(InferShapes())
    contexts = [execute_onnx(wrapper, {"x": image}, return_full_exec_context=True) for image in images]
    return [{name: tensor for name, tensor in context.items() if tensor is not None} for context in contexts]


def _litert(path: Path, images: Sequence[np.ndarray]) -> list[Tensors]:
    interpreter = Interpreter(
        model_content=path.read_bytes(),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    details = [detail for detail in interpreter.get_tensor_details() if detail["name"]]
    found = []
    for image in images:
        interpreter.set_tensor(given["index"], image)
        interpreter.invoke()
        found.append({detail["name"]: interpreter.get_tensor(detail["index"]).copy() for detail in details})
    return found
