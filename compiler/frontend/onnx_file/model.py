"""A file as nodes, constants and shapes, from Python alone.

Neither onnx's shape inference nor the clean-up of qonnx runs on a file: both rename what the user has named, and with
some files the former ends the process, or does not end. Shapes and constants of the operators that a network is made
of are a few lines each, and cost a child process neither memory nor seconds. What is native is protobuf's parser,
which sees bytes that `check_wire` has walked through.

Time and memory are bounded by the size of the file: it is read into memory and parsed once (twice its size), and what
it computes of its constants has its size again, and a mebibyte; where numbers stand as codes, eight times its size.
"""

import stat
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from spinplane.machine import SpinplaneError

from .folding import Folding
from .names import quoted, shown
from .node import Node, Shape
from .operators import check_domains, check_version
from .reading import Contents, read_graph
from .tensors import MOST_BYTES, Folder
from .wire import check_wire

#: Bytes of numbers that codes of a file may become, in its size.
_NUMBERS_OF_CODES = 8


class Model:
    """The graph of a file, whose operators on constants are computed.

    Parameters
    ----------
    contents : Contents
    folding : Folding
        What may yet be computed.
    version : int
        Of ONNX's operators.

    Attributes
    ----------
    nodes : tuple of Node
        Those of no constant that an output needs, each after those whose outputs it takes.
    inputs : dict of name to shape
        With one image.
    batch : int, optional
        Images that the file takes at once; 1 if it takes any number. None if its tensors have no axis of images.
    outputs : tuple of str
    """

    def __init__(self, contents: Contents, folding: Folding, version: int) -> None:
        self.version = version
        self.nodes = tuple(contents.nodes)
        self.inputs, self.outputs, self.batch = contents.inputs, contents.outputs, contents.batch
        self._contents, self._folding = contents, folding
        self._folded = {
            output: number for number, node in enumerate(contents.folded) for output in node.outputs
        }
        self._producers = {
            output: node for node in (*contents.folded, *self.nodes) for output in node.outputs if output
        }
        self._consumers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for tensor in dict.fromkeys(node.inputs):
                self._consumers.setdefault(tensor, []).append(node)

    def producer(self, tensor: str) -> Node | None:
        """The node whose output a tensor is, also if that is constant."""
        return self._producers.get(tensor)

    def consumers(self, tensor: str) -> list[Node]:
        """The nodes that take a tensor, without those of constants."""
        return self._consumers.get(tensor, [])

    def shape(self, tensor: str, user: str) -> Shape:
        """Shape of a tensor that a node takes or gives, with one image.

        Raises
        ------
        SpinplaneError
            If it is not known, naming `user`.
        """
        shape = self._contents.shapes.get(tensor)
        if shape is None:
            raise SpinplaneError(f"{user}: the shape of {quoted(tensor)} is not known")
        return shape

    def type(self, tensor: str) -> str | None:
        """Type of a tensor's elements as numpy names it, `int4`, `uint4` and `bfloat16` too; None if not known."""
        return self._contents.types.get(tensor)

    def is_constant(self, tensor: str) -> bool:
        """Whether a tensor depends on no input."""
        return tensor in self._contents.constants or tensor in self._folded

    def constant(self, tensor: str, user: str) -> np.ndarray:
        """Value of a constant that a node takes.

        Numbers of quantizers are those that float32 gives; `producer` leads to their codes.

        Raises
        ------
        SpinplaneError
            If the tensor is not constant, naming `user`.
        """
        if tensor in self._folded:
            self._compute(tensor)
        value = self._contents.constants.get(tensor)
        if value is None:
            node = self._producers.get(tensor)
            reason = "" if node is None else f": it comes from {node.label}"
            raise SpinplaneError(f"{user}: its input {quoted(tensor)} is not a constant{reason}")
        return value

    def _compute(self, tensor: str) -> None:
        """Compute a constant, after those that it is computed of."""
        contents, folded = self._contents, self._contents.folded
        wanted, waiting = set[int](), [tensor]
        while waiting:
            name = waiting.pop()
            if name in self._folded and name not in contents.constants and self._folded[name] not in wanted:
                wanted.add(self._folded[name])
                waiting += folded[self._folded[name]].inputs
        for number in sorted(wanted):
            node = folded[number]
            value = self._folding.result(node, contents.operands(node), contents.output(node))
            contents.constants[node.outputs[0]] = value
            contents.shapes.setdefault(node.outputs[0], value.shape)


def read_model(path: Path) -> Model:
    """Read a model whose operators are all known by their domains, with shapes, types and constants.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Model
        With each operator's domain one of those that `domains` names.

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
    folder = Folder(Path(path), size)
    folding = Folding(lambda: folder.size)
    contents = read_graph(model.graph, folder, version, folding)
    folding.allow(_NUMBERS_OF_CODES)
    return Model(contents, folding, version)


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
