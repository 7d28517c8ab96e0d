"""A file as nodes, constants and shapes, from Python alone.

Neither onnx's shape inference nor the clean-up of qonnx runs on a file: both rename what the user has named, and with
some files the former ends the process, or does not end. Shapes and constants of the operators that a network is made
of are a few lines each, and cost a child process neither memory nor seconds. What is native is protobuf's parser,
which sees bytes that `check_wire` has walked through.

Time and memory are bounded by the size of the file: it is read into memory and parsed once (twice its size), and what
it computes of its constants has its size again, and a mebibyte.
"""

import stat
from collections import Counter
from collections.abc import Iterable
from math import prod
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from spinplane.machine import SpinplaneError

from .attributes import Attributes
from .folding import Folding
from .names import labels, quoted, shown
from .node import Node, Operand, Shape
from .operators import (
    BIPOLAR_QUANT,
    DOMAINS,
    ONNX,
    QUANT,
    check_domains,
    check_signature,
    check_version,
    name_of,
)
from .shapes import MOST_AXES, MOST_ELEMENTS, output_shape
from .tensors import MOST_BYTES, Folder, is_readable, read_tensor
from .wire import check_wire

# What stands for the weights and is not to be folded into them.
_KEPT = (QUANT[1], BIPOLAR_QUANT[1], "QuantizeLinear", "DequantizeLinear")

MOST_NODES = 20_000


class Model:
    """The graph of a file, whose operators on constants are computed.

    Parameters
    ----------
    nodes : iterable of Node
        All others, each after those whose outputs it takes.
    inputs : dict of name to shape, or None if the file has no fixed one
    outputs : tuple of str
    constants : dict of name to ndarray
    shapes : dict of name to shape
        Of the tensors whose shape is known.
    """

    def __init__(
        self,
        *,
        nodes: Iterable[Node],
        inputs: dict[str, Shape | None],
        outputs: tuple[str, ...],
        constants: dict[str, np.ndarray],
        shapes: dict[str, Shape],
    ) -> None:
        self.inputs, self.outputs = inputs, outputs
        self._constants, self._shapes = constants, shapes
        self._producers: dict[str, Node] = {}
        self._consumers: dict[str, list[Node]] = {}
        for node in nodes:
            self._producers.update((output, node) for output in node.outputs if output)
            for tensor in dict.fromkeys(node.inputs):
                self._consumers.setdefault(tensor, []).append(node)

    def producer(self, tensor: str) -> Node | None:
        """The node whose output a tensor is."""
        return self._producers.get(tensor)

    def consumers(self, tensor: str) -> list[Node]:
        """The nodes that take a tensor."""
        return self._consumers.get(tensor, [])

    def shape(self, tensor: str, user: str) -> Shape:
        """Shape of a tensor that a node takes or gives.

        Raises
        ------
        SpinplaneError
            If it is not known, naming `user`.
        """
        shape = self._shapes.get(tensor)
        if shape is None:
            raise SpinplaneError(f"{user}: the shape of {quoted(tensor)} is not known")
        return shape

    def constant(self, tensor: str, user: str) -> np.ndarray:
        """Value of a constant that a node takes.

        Raises
        ------
        SpinplaneError
            If the tensor is not constant, naming `user`.
        """
        value = self._constants.get(tensor)
        if value is None:
            node = self._producers.get(tensor)
            reason = "" if node is None else f": it comes from {node.label}"
            raise SpinplaneError(f"{user}: its input {quoted(tensor)} is not a constant{reason}")
        return value


def read_model(path: Path) -> Model:
    """Read a model whose operators are all known by their domains, with shapes and its constants folded.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Model
        With each operator's domain `ONNX` or `QONNX`.

    Raises
    ------
    SpinplaneError
        If the file is not a model, says two things at once, is too large, or has an operator of another domain; the
        message names what.
    """
    model, size = _parse(Path(path))
    if not model.HasField("graph"):
        raise SpinplaneError("not a readable ONNX model, or cut short: it has no graph")
    version = check_version(model)
    check_domains(model)
    return _Reader(model.graph, Folder(Path(path), size), version).model()


def _parse(path: Path) -> tuple[onnx.ModelProto, int]:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise SpinplaneError("not a file")
        if state.st_size > MOST_BYTES:
            raise SpinplaneError(f"the model is larger than {MOST_BYTES >> 20} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise SpinplaneError(f"cannot be read: {error.strerror or error}") from None
    check_wire(data)
    try:
        return onnx.ModelProto.FromString(data), len(data)
    except DecodeError as error:
        raise SpinplaneError(f"not a readable ONNX model, or cut short: {shown(str(error))}") from None


class _Reader:
    def __init__(self, graph: onnx.GraphProto, folder: Folder, version: int) -> None:
        self._graph, self._folder, self._version = graph, folder, version
        self._constants: dict[str, np.ndarray] = {}
        self._shapes: dict[str, Shape] = {}

    def model(self) -> Model:
        graph = self._graph
        if len(graph.node) > MOST_NODES:
            raise SpinplaneError(f"{len(graph.node)} nodes, expected {MOST_NODES} at most")
        if graph.sparse_initializer:
            raise SpinplaneError("sparse constants are not supported")
        stored = self._read_constants()
        given = [value for value in graph.input if value.name not in stored]
        inputs = {value.name: _fixed_shape(value) for value in given}
        if len(inputs) < len(given) or "" in inputs:
            raise SpinplaneError("an input has no name, or comes twice")
        self._shapes.update((name, shape) for name, shape in inputs.items() if shape is not None)
        nodes = self._in_order({*stored, *inputs})
        outputs = tuple(value.name for value in graph.output)
        made = {output for node in nodes for output in node.outputs}
        for name in outputs:
            if not name or name not in made | stored | inputs.keys():
                raise SpinplaneError(f"its output {quoted(name)} is made by no node")
        folding = Folding(self._folder.size)
        kept = [node for node in nodes if not self._fold(node, folding)]
        return Model(
            nodes=kept, inputs=inputs, outputs=outputs, constants=self._constants, shapes=self._shapes
        )

    def _read_constants(self) -> set[str]:
        stored: set[str] = set()
        for tensor in self._graph.initializer:
            if not tensor.name or tensor.name in stored:
                raise SpinplaneError(f"constant {quoted(tensor.name)} has no name, or comes twice")
            stored.add(tensor.name)
            self._set(tensor.name, tensor)
        return stored

    def _set(self, name: str, tensor: onnx.TensorProto) -> None:
        """Texts and numbers of rare types stay unread: no operator here takes them."""
        if is_readable(tensor):
            value = read_tensor(tensor, f"constant {quoted(name)}", self._folder)
            self._constants[name], self._shapes[name] = value, value.shape

    def _in_order(self, given: set[str]) -> list[Node]:
        """Nodes with each one after those that make its inputs."""
        nodes = self._read_nodes()
        producers: dict[str, int] = {}
        for number, node in enumerate(nodes):
            for output in filter(None, node.outputs):
                if output in producers or output in given:
                    raise SpinplaneError(f"{node.label}: its output {quoted(output)} is made elsewhere too")
                producers[output] = number
        needed: list[set[int]] = []
        for node in nodes:
            for tensor in filter(None, node.inputs):
                if tensor not in producers and tensor not in given:
                    raise SpinplaneError(f"{node.label}: its input {quoted(tensor)} is made by no node")
            needed.append({producers[tensor] for tensor in node.inputs if tensor in producers})
        users: list[list[int]] = [[] for _ in nodes]
        for number, sources in enumerate(needed):
            for source in sources:
                users[source].append(number)
        waiting = Counter({number: len(sources) for number, sources in enumerate(needed)})
        order = [number for number in range(len(nodes)) if not waiting[number]]
        for number in order:
            for user in users[number]:
                waiting[user] -= 1
                if not waiting[user]:
                    order.append(user)
        if len(order) < len(nodes):
            first = next(number for number in range(len(nodes)) if waiting[number])
            raise SpinplaneError(
                f"{nodes[first].label}: it takes what it makes itself, or a node before it does"
            )
        return [nodes[number] for number in order]

    def _read_nodes(self) -> list[Node]:
        given = self._graph.node
        for node in given:
            if not node.op_type or not any(node.output):
                raise SpinplaneError(f"node {quoted(name_of(node))} has no operator, or no output")
        names = labels((node.name, node.op_type, next(filter(None, node.output))) for node in given)
        return [
            Node(
                label=label,
                operator=(DOMAINS[node.domain], node.op_type),
                inputs=tuple(node.input),
                outputs=tuple(node.output),
                attributes=Attributes(label, node.attribute),
            )
            for label, node in zip(names, given, strict=True)
        ]

    def _fold(self, node: Node, folding: Folding) -> bool:
        """Find the shape of a node's output, and its value if that is constant: then the node is needed no more."""
        check_signature(node, self._version)
        output = node.outputs[0]
        if not output:
            return False
        if node.operator == (ONNX, "Constant"):
            self._set_constant(node)
            return output in self._constants
        inputs = [
            Operand(name=name, shape=self._shapes.get(name), value=self._constants.get(name))
            for name in node.inputs
        ]
        shape = output_shape(node, inputs)
        value = None if node.op_type in _KEPT else folding.result(node, inputs, shape)
        if value is not None:
            self._constants[output], shape = value, value.shape
        if shape is not None:
            self._shapes[output] = shape
        return value is not None

    def _set_constant(self, node: Node) -> None:
        attributes, output = node.attributes, node.outputs[0]
        if "value" in attributes:
            self._set(output, attributes.tensor("value"))
            return
        readers = {
            "value_float": lambda name: np.float32(attributes.number(name)),
            "value_int": lambda name: np.int64(attributes.integer(name)),
            "value_floats": lambda name: np.array(attributes.numbers(name), dtype=np.float32),
            "value_ints": lambda name: np.array(attributes.integers(name), dtype=np.int64),
        }
        for name, read in readers.items():
            if name in attributes:
                value = np.asarray(read(name))
                self._constants[output], self._shapes[output] = value, value.shape


def _fixed_shape(value: onnx.ValueInfoProto) -> Shape | None:
    """Shape of an input, if all of its sides are given."""
    sides = value.type.tensor_type.shape.dim
    if not value.type.tensor_type.HasField("shape") or any(side.dim_value < 1 for side in sides):
        return None
    shape = tuple(side.dim_value for side in sides)
    if len(shape) > MOST_AXES or prod(shape) > MOST_ELEMENTS:
        raise SpinplaneError(
            f"input {quoted(value.name)}: {len(shape)} axes, or more than {MOST_ELEMENTS} elements"
        )
    return shape
