"""ONNX files in onnxruntime and in qonnx's executor, with all tensors that are asked for."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..frontend.onnx_file.tensors import Folder, read_tensor
from .whole_products import with_whole_products


class OnnxruntimeSession:
    """A file in onnxruntime, whose tensors are outputs of the graph, with all optimizations off.

    Its sums of products are those of any processor, see `with_whole_products`.

    Parameters
    ----------
    path : Path
    tensors : list of str
    """

    def __init__(self, path: Path, tensors: list[str]) -> None:
        import onnxruntime

        model = _load(path)
        self._input = _Input(model.graph)
        _give(model.graph, [name for name in tensors if name != self._input.name])
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            with_whole_products(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._tensors = tensors
        self.shape, self.dtype = self._input.shape, self._input.dtype

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The requested tensors."""
        computed = [name for name in self._tensors if name != self._input.name]
        found = dict(zip(computed, self._session.run(computed, {self._input.name: given}), strict=True))
        return [given if name == self._input.name else found[name] for name in self._tensors]


class QonnxSession:
    """A file in qonnx's executor: operators of QONNX in numpy, each standard one in onnxruntime.

    Parameters
    ----------
    path : Path
    tensors : list of str
    """

    def __init__(self, path: Path, tensors: list[str]) -> None:
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.custom_op.registry import add_domain_alias
        from qonnx.transformation.general import SortGraph
        from qonnx.transformation.infer_shapes import InferShapes

        add_domain_alias("finn.custom_op.general", "qonnx.custom_op.general")
        model = _load(path)
        self._input = _Input(model.graph)
        _keep(model.graph, tensors)
        self._model = ModelWrapper(model).transform(SortGraph()).transform(InferShapes())
        self._tensors = tensors
        self.shape, self.dtype = self._input.shape, self._input.dtype

    def run(self, given: np.ndarray) -> list[np.ndarray]:
        """The requested tensors."""
        from qonnx.core.onnx_exec import execute_onnx

        context = execute_onnx(self._model, {self._input.name: given}, return_full_exec_context=True)
        return [context[name] for name in self._tensors]


class _Input:
    """The one input of a graph that is not a constant."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        constants = {tensor.name for tensor in graph.initializer}
        value = next(value for value in graph.input if value.name not in constants)
        self.name = value.name
        self.shape = tuple(side.dim_value for side in value.type.tensor_type.shape.dim)
        self.dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


def _give(graph: onnx.GraphProto, tensors: list[str]) -> None:
    """Make tensors the outputs of a graph; what the file says of their types and shapes can be inferred."""
    del graph.output[:], graph.value_info[:]
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(tensors))


def _keep(graph: onnx.GraphProto, tensors: list[str]) -> None:
    """Drop outputs that nobody asks for, and give free batch axes the length 1."""
    kept = [value for value in graph.output if value.name in tensors]
    del graph.output[:]
    graph.output.extend(kept)
    for value in (*graph.input, *graph.value_info, *graph.output):
        sides = value.type.tensor_type.shape.dim
        if sides and sides[0].dim_value < 1:
            sides[0].dim_value = 1


def _load(path: Path) -> onnx.ModelProto:
    """A file with its external data, which are read as the importer reads them."""
    content = path.read_bytes()
    model = onnx.ModelProto.FromString(content)
    folder = Folder(path, len(content))
    for tensor in model.graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            tensor.CopyFrom(numpy_helper.from_array(read_tensor(tensor, "constant", folder), tensor.name))
    return model
