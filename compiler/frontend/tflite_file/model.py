"""A TFLite file as operators and tensors.

Nothing native runs on a file. The package `tflite` reads tables that `check_tables` has walked through. Time and memory
are bounded by the size of the file, which is read into memory once; constants are views of it.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tflite

from spinplane.machine import SpinplaneError

from ..onnx_file.names import labels, quoted, shown
from ..onnx_file.tensors import MOST_BYTES
from .options import Options, read_options
from .tensors import Tensor, read_tensor
from .wire import check_tables

MOST_OPERATORS, MOST_INPUTS = 20_000, 1_024
#: The only version of the format that its runtimes take.
VERSION = 3
#: What an operator's list of inputs has for one that is left out.
LEFT_OUT = -1

#: Options of the operators that have any that mean something.
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "CONCATENATION": "ConcatenationOptions",
    "RESHAPE": "ReshapeOptions",
    "SQUEEZE": "SqueezeOptions",
    "MEAN": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "LEAKY_RELU": "LeakyReluOptions",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator:
    """An operator of a graph.

    Parameters
    ----------
    label : str
        What messages and layers call it: the name of its first output.
    code : str
        As the format names it, such as ``CONV_2D``.
    version : int
    options : Options
    inputs : tuple of int
        Numbers of tensors, −1 where one is left out.
    outputs : tuple of int
    """

    label: str
    code: str
    version: int
    options: Options
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """The first graph of a file.

    Parameters
    ----------
    tensors : tuple of Tensor
    operators : tuple of Operator
        Each after those whose outputs it takes.
    inputs, outputs : tuple of int
        Numbers of tensors.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def is_tflite(path: Path) -> bool:
    """Whether a file says that it is of this format."""
    try:
        if not path.is_file():
            return False  # opening a pipe would wait for who writes into it
        with path.open("rb") as file:
            return file.read(8)[4:] == b"TFL3"
    except OSError:
        return False


def read_model(path: Path) -> Model:
    """Read a model.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SpinplaneError
        If the file is not a model, says two things at once or is too large; the message names what.
    """
    data = _read(Path(path))
    check_tables(data)
    stored = tflite.Model.GetRootAs(data)
    if stored.Version() != VERSION:
        raise SpinplaneError(f"a TFLite model of version {stored.Version()}, expected {VERSION}")
    if not stored.SubgraphsLength():
        raise SpinplaneError("not a readable TFLite model, or cut short: it has no graph")
    return _Reader(stored).model()


def _read(path: Path) -> bytes:
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise SpinplaneError("not a file")
        if state.st_size > MOST_BYTES:
            raise SpinplaneError(f"the model is larger than {MOST_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise SpinplaneError(f"cannot be read: {error.strerror or error}") from None


class _Reader:
    def __init__(self, stored: tflite.Model) -> None:
        self._graph = stored.Subgraphs(0)
        self._buffers = [_buffer(stored.Buffers(n), n) for n in range(stored.BuffersLength())]
        self._codes = [_code(stored.OperatorCodes(n), n) for n in range(stored.OperatorCodesLength())]

    def model(self) -> Model:
        graph = self._graph
        if graph.OperatorsLength() > MOST_OPERATORS:
            raise SpinplaneError(f"{graph.OperatorsLength()} operators, expected {MOST_OPERATORS} at most")
        self._tensors = [
            read_tensor(graph.Tensors(number), number, self._buffers)
            for number in range(graph.TensorsLength())
        ]
        inputs = self._some(graph.InputsAsNumpy(), "the graph's inputs")
        outputs = self._some(graph.OutputsAsNumpy(), "the graph's outputs")
        made = set(inputs)
        if not inputs or not outputs or len(made) < len(inputs):
            raise SpinplaneError("the graph has no input or no output, or an input comes twice")
        for number in inputs:
            if self._tensors[number].data is not None:
                raise SpinplaneError(f"the graph's input {self._tensors[number].label} is constant")
        operators = self._operators()
        for operator in operators:
            self._check_order(operator, made)
            made.update(operator.outputs)
        for number in outputs:
            if number not in made:
                raise SpinplaneError(f"its output {self._tensors[number].label} is made by no operator")
        return Model(tensors=tuple(self._tensors), operators=operators, inputs=inputs, outputs=outputs)

    def _operators(self) -> tuple[Operator, ...]:
        graph = self._graph
        read = []
        for number in range(graph.OperatorsLength()):
            stored, where = graph.Operators(number), f"operator {number}"
            if not 0 <= stored.OpcodeIndex() < len(self._codes):
                raise SpinplaneError(
                    f"{where}: its kind is number {stored.OpcodeIndex()} of {len(self._codes)}"
                )
            code, version = self._codes[stored.OpcodeIndex()]
            outputs = self._some(stored.OutputsAsNumpy(), f"the outputs of {where} ({code})")
            inputs = self._some(stored.InputsAsNumpy(), f"the inputs of {where} ({code})", LEFT_OUT)
            if not outputs:
                raise SpinplaneError(f"{where} ({code}) has no output")
            read.append((stored, code, version, inputs, outputs))
        names = labels(
            (self._tensors[outputs[0]].name, code, str(outputs[0])) for _, code, _, _, outputs in read
        )
        return tuple(
            Operator(
                label=label,
                code=code,
                version=version,
                options=read_options(stored, label, _OPTIONS.get(code)),
                inputs=inputs,
                outputs=outputs,
            )
            for label, (stored, code, version, inputs, outputs) in zip(names, read, strict=True)
        )

    def _check_order(self, operator: Operator, made: set[int]) -> None:
        for number in operator.inputs:
            if number != LEFT_OUT and number not in made and self._tensors[number].data is None:
                raise SpinplaneError(
                    f"{operator.label}: its input {self._tensors[number].label} is made by no operator before it"
                )
        for number in operator.outputs:
            if number in made or self._tensors[number].data is not None:
                raise SpinplaneError(
                    f"{operator.label}: its output {self._tensors[number].label} is made elsewhere too"
                )

    def _some(self, stored: np.ndarray | int, what: str, least: int = 0) -> tuple[int, ...]:
        """Numbers of tensors; 0 stands for none."""
        if isinstance(stored, int):
            return ()
        if len(stored) > MOST_INPUTS:
            raise SpinplaneError(f"{what} are {len(stored)}, expected {MOST_INPUTS} at most")
        for number in stored:
            if not least <= number < len(self._tensors):
                raise SpinplaneError(f"{what}: tensor {number} of {len(self._tensors)}")
        return tuple(int(number) for number in stored)


def _buffer(stored: tflite.Buffer, number: int) -> memoryview:
    if stored.Offset() > 1:
        raise SpinplaneError(f"buffer {number}: data behind the tables are not supported")
    data = stored.DataAsNumpy()
    return memoryview(b"") if isinstance(data, int) else memoryview(data)


def _code(stored: tflite.OperatorCode, number: int) -> tuple[str, int]:
    """Name and version of a kind of operator."""
    code = stored.BuiltinCode()
    if code == tflite.BuiltinOperator.CUSTOM:
        name = (stored.CustomCode() or b"").decode()
        return f"custom operator {quoted(name)}", stored.Version()
    try:
        return tflite.opcode2name(code), stored.Version()
    except ValueError:
        raise SpinplaneError(f"kind {number} of operator has the unknown code {shown(str(code))}") from None
