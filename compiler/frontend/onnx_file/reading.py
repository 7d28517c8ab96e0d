"""From the graph of a file to nodes in order, with shapes, types and the constants that are cheap."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx

from spinplane.machine import SpinplaneError

from .attributes import Attributes
from .domains import DOMAINS, ONNX, operator_of
from .folding import QUANTIZERS, Folding
from .inputs import batch_of, input_shape, input_type
from .names import labels, quoted
from .node import Node, Operand, Output, Shape
from .operators import check_signature, name_of, output_types
from .ordering import in_order, needed_for
from .shapes import has_twins, output_shape
from .signatures import type_name
from .tensors import Folder, is_readable, read_tensor

MOST_NODES = 20_000


@dataclass(kw_only=True)
class Contents:
    """What a graph holds.

    Parameters
    ----------
    inputs : dict of name to shape
        With one image.
    batch : int, optional
        Images that the file takes at once; None if an operator takes them for one, and tensors have no axis of images.
    outputs : tuple of str
    nodes : list of Node
        In order, without those that constants replace and those that no output needs.
    folded : list of Node
        In order: those of constants, whose values need not be there yet.
    constants : dict of name to ndarray
    shapes : dict of name to shape
        Of the tensors whose shape is known, with one image.
    types : dict of name to str
        As numpy names them; of 4 bits and of bfloat16 too, which constants hold in a type that numpy has.
    """

    inputs: dict[str, Shape] = field(default_factory=dict)
    batch: int | None = 1
    outputs: tuple[str, ...] = ()
    nodes: list[Node] = field(default_factory=list)
    folded: list[Node] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def operands(self, node: Node) -> list[Operand]:
        """Inputs of a node."""
        return [
            Operand(name=name, shape=self.shapes.get(name), value=self.constants.get(name))
            for name in node.inputs
        ]

    def output(self, node: Node) -> Output:
        """What is known of a node's first output."""
        return Output(shape=self.shapes.get(node.outputs[0]), type=self.types.get(node.outputs[0]))


def read_graph(graph: onnx.GraphProto, folder: Folder, version: int, folding: Folding) -> Contents:
    """Read a graph whose domains are known.

    Parameters
    ----------
    graph : GraphProto
    folder : Folder
        Where external data may lie.
    version : int
        Of ONNX's operators.
    folding : Folding
        What may be computed of constants.

    Raises
    ------
    SpinplaneError
        If names, nodes, types or shapes do not fit each other.
    """
    return _Reader(graph, folder, version, folding).contents()


class _Reader:
    def __init__(self, graph: onnx.GraphProto, folder: Folder, version: int, folding: Folding) -> None:
        self._graph, self._folder, self._version, self._folding = graph, folder, version, folding
        self._found = Contents()
        # Tensors that are constant, some of which are not computed before they are asked for.
        self._constant: set[str] = set()

    def contents(self) -> Contents:
        graph, found = self._graph, self._found
        if len(graph.node) > MOST_NODES:
            raise SpinplaneError(f"{len(graph.node)} nodes, expected {MOST_NODES} at most")
        if graph.sparse_initializer:
            raise SpinplaneError("sparse constants are not supported")
        stored = self._read_constants()
        self._read_inputs(stored)
        ordered = in_order(self._read_nodes(), {*stored, *found.inputs})
        found.outputs = tuple(value.name for value in graph.output)
        made = {output for node in ordered for output in node.outputs} | stored | found.inputs.keys()
        for name in found.outputs:
            if not name or name not in made:
                raise SpinplaneError(f"its output {quoted(name)} is made by no node")
        kept = []
        for node in ordered:
            if self._visit(node):
                found.folded.append(node)
            else:
                kept.append(node)
        found.nodes = needed_for(found.outputs, kept)
        self._take_one_image()
        return found

    def _read_constants(self) -> set[str]:
        stored: set[str] = set()
        for tensor in self._graph.initializer:
            if not tensor.name or tensor.name in stored:
                raise SpinplaneError(f"constant {quoted(tensor.name)} has no name, or comes twice")
            stored.add(tensor.name)
            self._set_tensor(tensor.name, tensor)
        return stored

    def _set_tensor(self, name: str, tensor: onnx.TensorProto) -> None:
        """Texts and numbers of rare types stay unread: no operator here takes them."""
        kind = type_name(tensor.data_type)
        if kind is not None and is_readable(tensor):
            self._set(name, read_tensor(tensor, f"constant {quoted(name)}", self._folder), kind)

    def _set(self, name: str, value: np.ndarray, kind: str) -> None:
        found = self._found
        found.constants[name], found.shapes[name], found.types[name] = value, value.shape, kind
        self._constant.add(name)

    def _read_inputs(self, stored: set[str]) -> None:
        given = [value for value in self._graph.input if value.name not in stored]
        found = self._found
        found.inputs = {value.name: input_shape(value) for value in given}
        if len(found.inputs) < len(given) or "" in found.inputs:
            raise SpinplaneError("an input has no name, or comes twice")
        found.types.update((value.name, input_type(value)) for value in given)
        found.shapes.update(found.inputs)
        found.batch = batch_of([*found.inputs.values()])

    def _read_nodes(self) -> list[Node]:
        given = self._graph.node
        for node in given:
            if not node.op_type or not any(node.output):
                raise SpinplaneError(f"node {quoted(name_of(node))} has no operator, or no output")
        names = labels((node.name, node.op_type, next(filter(None, node.output))) for node in given)
        return [
            Node(
                label=label,
                operator=operator_of(node.domain, node.op_type) or (DOMAINS[node.domain], node.op_type),
                inputs=tuple(node.input),
                outputs=tuple(node.output),
                attributes=Attributes(label, node.attribute),
            )
            for label, node in zip(names, given, strict=True)
        ]

    def _visit(self, node: Node) -> bool:
        """Find types and shapes of a node's outputs; whether they are constant, and so the node is no layer's."""
        found = self._found
        signature = check_signature(node, self._version)
        if signature is not None:
            types = output_types(node, signature, [found.types.get(name) for name in node.inputs])
            for name, kind in zip(node.outputs, types, strict=True):
                if name and kind:
                    found.types[name] = kind
        output = node.outputs[0]
        if not output:
            return False
        if node.operator == (ONNX, "Constant"):
            self._set_constant(node)
            return output in self._constant
        operands = found.operands(node)
        shape = output_shape(node, operands)
        if shape is not None:
            names = node.outputs if has_twins(node) else (output,)
            found.shapes.update((name, shape) for name in names if name)
        return self._fold(node, operands)

    def _fold(self, node: Node, operands: list[Operand]) -> bool:
        if not self._folding.is_known(node, operands) or any(node.outputs[1:]):
            return False
        of_shape = node.operator == (ONNX, "Shape")
        if not of_shape and not self._constant.issuperset(filter(None, node.inputs)):
            return False
        output, found = node.outputs[0], self._found
        if node.operator not in QUANTIZERS and all(
            o.value is not None or not o.name or of_shape for o in operands
        ):
            value = self._folding.result(node, operands, found.output(node))
            self._set(output, value, found.types.get(output, value.dtype.name))
        self._constant.add(output)
        return True

    def _set_constant(self, node: Node) -> None:
        attributes, output = node.attributes, node.outputs[0]
        if "value" in attributes:
            self._set_tensor(output, attributes.tensor("value"))
            return
        readers: dict[str, Callable[[str], object]] = {
            "value_float": lambda name: np.float32(attributes.number(name)),
            "value_int": lambda name: np.int64(attributes.integer(name)),
            "value_floats": lambda name: np.array(attributes.numbers(name), dtype=np.float32),
            "value_ints": lambda name: np.array(attributes.integers(name), dtype=np.int64),
        }
        for name, read in readers.items():
            if name in attributes:
                value = np.asarray(read(name))
                self._set(output, value, value.dtype.name)

    def _take_one_image(self) -> None:
        """Leave one image of the file's batch in all shapes, unless the first axis is none of images."""
        found, batch = self._found, self._found.batch
        if batch == 1:
            return
        for node in found.nodes:
            for name in filter(None, node.outputs):
                shape = found.shapes.get(name)
                if shape is not None and shape[:1] != (batch,):
                    found.batch = None
                    return
        for name in [*found.inputs, *(name for node in found.nodes for name in node.outputs)]:
            if name in found.shapes:
                found.shapes[name] = (1, *found.shapes[name][1:])
        found.inputs = {name: found.shapes[name] for name in found.inputs}
