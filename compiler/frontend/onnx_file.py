"""ONNX files: check their operators before anything else reads them, then tidy them up."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.fold_constants import FoldConstants
from qonnx.transformation.general import (
    GiveReadableTensorNames,
    GiveUniqueNodeNames,
    GiveUniqueParameterTensors,
    RemoveStaticGraphInputs,
    RemoveUnusedTensors,
)
from qonnx.transformation.infer_shapes import InferShapes

from spinplane.machine import SpinplaneError

#: Domain of ONNX's own operators, and of QONNX's; other spellings of files become these.
ONNX, QONNX = "", "qonnx.custom_op.general"
QUANT, BIPOLAR_QUANT = (QONNX, "Quant"), (QONNX, "BipolarQuant")
_DOMAINS = {
    "": ONNX,
    "ai.onnx": ONNX,
    QONNX: QONNX,
    "onnx.brevitas": QONNX,
    "finn.custom_op.general": QONNX,
}
_QUANTIZERS = ("Quant", "BipolarQuant")
# What stands for the weights and is not to be folded into them.
_KEPT = [*_QUANTIZERS, "QuantizeLinear", "DequantizeLinear"]


def read_model(path: Path) -> ModelWrapper:
    """Read a model whose operators are all known by their domains, with shapes and its constants folded.

    Parameters
    ----------
    path : Path

    Returns
    -------
    ModelWrapper
        With each operator's domain `ONNX` or `QONNX`.

    Raises
    ------
    SpinplaneError
        If the file is not a model, or has an operator of another domain, which the message names.
    """
    try:
        model = onnx.load(path)
    except Exception as error:
        raise _unreadable(error) from None
    _check_domains(model)
    try:
        return _tidy(ModelWrapper(model))
    except Exception as error:
        raise _unreadable(error) from None


def operator(node: onnx.NodeProto) -> tuple[str, str]:
    """Domain and type of an operator: two domains may have one name for different operators."""
    return node.domain, node.op_type


def _unreadable(error: Exception) -> SpinplaneError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return SpinplaneError(f"not a readable ONNX model, or cut short: {reason}")


def _check_domains(model: onnx.ModelProto) -> None:
    """Refuse operators of other domains. (Their shapes are found by importing the module that a domain names.)"""
    for node in _nodes(model.graph):
        domain = _DOMAINS.get(node.domain)
        if domain is None or (domain == QONNX) != (node.op_type in _QUANTIZERS):
            raise SpinplaneError(
                f"operator {node.op_type!r:.80} of domain {node.domain!r:.80} (node {_label(node)!r:.80}) is not "
                f"supported: use ONNX's own operators, or {', '.join(_QUANTIZERS)} of {QONNX}"
            )
        node.domain = domain
    for function in model.functions:
        if function.domain in _DOMAINS:
            raise SpinplaneError(
                f"function {function.name!r:.80} of domain {function.domain!r}: a file may not redefine ONNX's or "
                "QONNX's operators"
            )
    for imported in model.opset_import:
        if imported.domain == "ai.onnx":
            imported.domain = ONNX


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """All operators of a graph and of the graphs within its operators."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            inner: Iterable[onnx.GraphProto] = [attribute.g, *attribute.graphs]
            for body in inner:
                yield from _nodes(body)


def _label(node: onnx.NodeProto) -> str:
    return node.name or next(iter(node.output), "")


def _tidy(model: ModelWrapper) -> ModelWrapper:
    for step in (
        InferShapes(),
        GiveUniqueParameterTensors(),
        FoldConstants(exclude_op_types=_KEPT),
        RemoveUnusedTensors(),
        RemoveStaticGraphInputs(),
        GiveUniqueNodeNames(),
        GiveReadableTensorNames(),
    ):
        model = model.transform(step)
    return model
