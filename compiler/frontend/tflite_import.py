"""TFLite files as integer graphs."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from spinplane.machine import SpinplaneError

from ..graph import InputCoding
from .building import Builder, CodesCarrier, ImportedNetwork, Value
from .tflite_file.model import Model, Operator, read_model
from .tflite_operators import AT_THE_END, OPERATORS
from .tflite_operators.dilations import with_dilations
from .tflite_operators.ends import levels_of
from .tflite_operators.operator import CODES, Context


def import_tflite(path: Path, *, coding: InputCoding | None = None) -> ImportedNetwork:
    """Read a file whose tensors are quantized.

    Parameters
    ----------
    path : Path
    coding : InputCoding, optional
        Of a float32 input that the file does not quantize.

    Raises
    ------
    SpinplaneError
        If the file is not readable, or has an operator that is not taken; the message names it.
    """
    model = read_model(path)
    (batch,) = model.tensors[model.inputs[0]].shape[:1] or (1,)
    model = with_dilations(of_one_image(model, batch))
    operators = [operator for operator in model.operators if not _computes_shape(model, operator)]
    for operator in operators:
        if operator.code not in OPERATORS:
            raise SpinplaneError(f"{operator.label}: {operator.code} is not supported")
    builder = Builder(path.stem, coding=coding)
    context = Context(model=model, builder=builder, batch=batch)
    given = model.inputs[0]
    context.values[given] = _input(model, builder)
    if model.tensors[given].dtype in CODES:
        builder.name(model.tensors[given].name, context.as_in_file(given))
    for operator in operators:
        value = _handled(context, operator)
        for output in operator.outputs:
            context.values[output] = value
            name = model.tensors[output].name
            if name and not _is_padded(value):
                builder.name(name, context.as_in_file(output))
    for output in model.outputs:
        if output not in context.values:
            raise SpinplaneError(f"its output {model.tensors[output].label} does not come from its input")
        builder.output(model.tensors[output].name, context.as_in_file(output))
    return builder.network()


def _computes_shape(model: Model, operator: Operator) -> bool:
    """Whether an operator gives whole numbers, which are the shape of a RESHAPE: the file declares this too."""
    types = {model.tensors[number].dtype for number in operator.outputs}
    return types <= {"int32", "int64"} and operator.code not in AT_THE_END


def _handled(context: Context, operator: Operator) -> Value:
    """What an operator gives; refusals name it."""
    try:
        return OPERATORS[operator.code].handler(context, operator)
    except SpinplaneError as error:
        message = str(error)
        raise SpinplaneError(
            message if operator.label in message else f"{operator.label}: {message}"
        ) from None


def of_one_image(model: Model, batch: int) -> Model:
    """The model with a batch of 1: the first axis of all that is not constant and has the batch's length."""
    if batch == 1:
        return model
    tensors = [
        replace(tensor, shape=(1, *tensor.shape[1:]))
        if tensor.data is None and tensor.shape[:1] == (batch,)
        else tensor
        for tensor in model.tensors
    ]
    return replace(model, tensors=tuple(tensors))


def _input(model: Model, builder: Builder) -> Value:
    tensor = model.tensors[model.inputs[0]]
    if len(model.inputs) > 1:
        raise SpinplaneError(f"{len(model.inputs)} inputs, expected one")
    is_code = tensor.dtype in CODES and tensor.quantization is not None
    if not is_code and tensor.dtype != "float32":
        raise SpinplaneError(
            f"its input {tensor.label} is {tensor.dtype}, expected float32, or quantized int8 or uint8"
        )
    if not 2 <= len(tensor.shape) <= 4:
        raise SpinplaneError(f"its input {tensor.label} has shape {tensor.shape}, expected 2 to 4 axes")
    given = builder.input(tensor.name, tensor.shape, np.dtype(tensor.dtype), channels=len(tensor.shape) - 1)
    if not is_code:
        return given
    _, zero_point = tensor.whole()
    numbers = builder.arithmetic(tensor.name, given, "subtract", np.array(zero_point))
    return builder.quantize(tensor.name, numbers, levels_of(tensor, 1.0))


def _is_padded(value: Value) -> bool:
    """Whether a value is a map with padding that is not in memory: no map is this tensor."""
    return isinstance(value.carrier, CodesCarrier) and any(value.carrier.padding)
