"""Sums of products of codes that are the same on every processor.

Onnxruntime adds two products of an unsigned and a signed code in 16 bits, and saturates, on x64 processors that have no
instruction for such sums (VNNI). Two unsigned codes it multiplies exactly everywhere. An operator of signed codes is
therefore given codes and zero points that are 128 higher: their differences, of which it adds up the products, stay as
they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_MIDDLE = 128
#: Weights up to this keep two products with an unsigned code within 16 bits.
_SMALL = 64


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Where an operator has its operands and their zero points, and the zero point of its output, if that is a code."""

    operands: tuple[tuple[int, int], ...]
    output: int | None = None


_OPERATORS = {
    "QLinearConv": _Places(operands=((0, 2), (3, 5)), output=7),
    "QLinearMatMul": _Places(operands=((0, 2), (3, 5)), output=7),
    "QGemm": _Places(operands=((0, 2), (3, 5)), output=8),
    "ConvInteger": _Places(operands=((0, 2), (1, 3))),
    "MatMulInteger": _Places(operands=((0, 2), (1, 3))),
}


def with_whole_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model whose tensors have the same values, and whose sums of products saturate on no processor.

    Parameters
    ----------
    model : ModelProto
        Stays as it is.
    """
    if not any(node.op_type in _OPERATORS for node in model.graph.node):
        return model
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    names = _Names(graph)
    nodes = [made for node in graph.node for made in _unsigned(node, names)]
    del graph.node[:]
    graph.node.extend(nodes)
    return changed


class _Names:
    """Constants and types of a graph, which grows."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        #: What nodes have computed already, for those that read the same.
        self.computed: set[str] = set()
        self._inputs = {value.name: value.type.tensor_type.elem_type for value in graph.input}

    def constant(self, name: str) -> np.ndarray | None:
        """The values of a constant; None for what is computed."""
        tensor = self._constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def is_signed(self, *names: str) -> bool:
        """Whether one of the names, of one type, is known to be of signed codes."""
        types = [self._constants[name].data_type for name in names if name in self._constants]
        types += [self._inputs[name] for name in names if name in self._inputs]
        return TensorProto.INT8 in types

    def add(self, name: str, values: np.ndarray) -> str:
        """A further constant, unless it is there."""
        if name not in self._constants:
            tensor = numpy_helper.from_array(values, name)
            self._graph.initializer.append(tensor)
            self._constants[name] = tensor
        return name


def _unsigned(node: onnx.NodeProto, names: _Names) -> Iterator[onnx.NodeProto]:
    """A node, or those that do the same with unsigned codes."""
    places = _OPERATORS.get(node.op_type)
    if places is None or not _saturates(node, places, names):
        yield node
        return
    inputs = list(node.input)
    inputs += [""] * (max(zero for _, zero in places.operands) + 1 - len(inputs))
    signed_output = False
    for number, (operand, zero) in enumerate(places.operands):
        if names.is_signed(inputs[operand], inputs[zero]):
            signed_output |= number == 0
            for place in (operand, zero):
                inputs[place], made = _raised(inputs[place], names)
                yield from made
    outputs = list(node.output)
    after: Sequence[onnx.NodeProto] = ()
    if signed_output and places.output is not None:
        inputs[places.output], made = _raised(inputs[places.output], names)
        yield from made
        after = _shifted(f"{outputs[0]}/whole", outputs[0], -_MIDDLE, TensorProto.INT8, names)
        outputs[0] = f"{outputs[0]}/whole"
    whole = onnx.NodeProto()
    whole.CopyFrom(node)
    del whole.input[:], whole.output[:]
    whole.input.extend(inputs)
    whole.output.extend(outputs)
    yield whole
    yield from after


def _saturates(node: onnx.NodeProto, places: _Places, names: _Names) -> bool:
    """Whether sums of products might not fit 16 bits."""
    (_, _), (weights, _) = places.operands
    values = names.constant(node.input[weights])
    return values is None or (values.dtype == np.int8 and bool((np.abs(values.astype(int)) > _SMALL).any()))


def _raised(name: str, names: _Names) -> tuple[str, Sequence[onnx.NodeProto]]:
    """The name of codes that are 128 higher, and the nodes that compute them; no name is a zero point of 0."""
    raised = f"{name}/raised"
    values = names.constant(name) if name else np.array(0, np.int8)
    if values is not None:
        return names.add(raised, np.asarray(values.astype(np.int16) + _MIDDLE, np.uint8)), ()
    if raised in names.computed:
        return raised, ()
    names.computed.add(raised)
    return raised, _shifted(name, raised, _MIDDLE, TensorProto.UINT8, names)


def _shifted(name: str, to: str, by: int, kind: int, names: _Names) -> Sequence[onnx.NodeProto]:
    """Nodes that add a number to codes, in another type."""
    number = names.add(f"/by/{by}", np.array(by, np.int32))
    return (
        helper.make_node("Cast", [name], [f"{to}/wide"], to=TensorProto.INT32),
        helper.make_node("Add", [f"{to}/wide", number], [f"{to}/sum"]),
        helper.make_node("Cast", [f"{to}/sum"], [to], to=kind),
    )
