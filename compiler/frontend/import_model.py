"""Models from files as integer graphs."""

from pathlib import Path

import numpy as np

from spinplane.machine import SpinplaneError

from ..graph import InputCoding
from .building import Builder, ImportedNetwork, Value
from .onnx_file.model import Model, read_model
from .onnx_file.names import quoted, shown
from .onnx_operators import OPERATORS
from .onnx_operators.operator import Context
from .tflite_file.model import is_tflite
from .tflite_import import import_tflite


def import_model(
    path: Path, *, coding: InputCoding | None = None, name: str | None = None
) -> ImportedNetwork:
    """Read a model.

    Parameters
    ----------
    path : Path
        An ONNX or a TFLite file, whatever its name is.
    coding : InputCoding, optional
        Of an input that the file does not quantize.
    name : str, optional
        Of the graph, and of the model in messages; by default they name the file.

    Raises
    ------
    SpinplaneError
        If the file is not a model, or has an operator or a number that an integer graph cannot express, naming it.
    """
    path = Path(path)
    try:
        if is_tflite(path):
            return import_tflite(path, coding=coding)
        return _import_onnx(read_model(path), name or path.stem, coding)
    except SpinplaneError as error:
        raise SpinplaneError(f"model {name or path}: {error}") from None


def _import_onnx(model: Model, name: str, coding: InputCoding | None) -> ImportedNetwork:
    if len(model.inputs) != 1:
        raise SpinplaneError(f"{len(model.inputs)} inputs: expected one")
    ((tensor, shape),) = model.inputs.items()
    if not shape:
        raise SpinplaneError(f"input {quoted(tensor)} is one number")
    builder = Builder(name, coding=coding)
    context = Context(model=model, builder=builder, operators=OPERATORS)
    context.values[tensor] = builder.input(
        tensor, shape, _dtype(model, tensor), batched=model.batch is not None
    )
    builder.name(tensor, context.values[tensor])
    for node in model.nodes:
        if not any(given in context.values for given in node.inputs):
            continue  # of constants: read with the layer that takes it
        operator = OPERATORS.get(node.operator)
        if operator is None:
            raise SpinplaneError(f"{node.label}: operator {shown(node.op_type)} is not supported")
        if not node.outputs[0]:
            raise SpinplaneError(f"{node.label}: its first output has no name")
        made = operator.handler(context, node)
        values = [made] if isinstance(made, Value) else list(made)
        for output, value in zip(node.outputs, values, strict=False):
            context.values[output] = value
            builder.name(output, value)
    for output in model.outputs:
        if output not in context.values:
            raise SpinplaneError(f"its output {quoted(output)} does not come from its input")
        builder.output(output, context.values[output])
    return builder.network()


def _dtype(model: Model, tensor: str) -> np.dtype:
    """The type of the input's numbers; codes of 4 bits come in bytes, other real numbers in float32."""
    kind = model.type(tensor) or "float32"
    if kind in ("int8", "uint8"):
        return np.dtype(kind)
    return np.dtype({"int4": "int8", "uint4": "uint8"}.get(kind, "float32"))
