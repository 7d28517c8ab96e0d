"""What a handler is, and what it is given."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tflite

from spinplane.machine import SpinplaneError

from ..building import Builder, Value
from ..tflite_file.model import LEFT_OUT, Model
from ..tflite_file.model import Operator as FileOperator
from ..tflite_file.tensors import Tensor
from .fixed_point import round_away

#: Types whose numbers flow through a network.
CODES = ("int8", "uint8")
_ACTIVATIONS = {
    tflite.ActivationFunctionType.NONE: (None, None),
    tflite.ActivationFunctionType.RELU: (0.0, None),
    tflite.ActivationFunctionType.RELU_N1_TO_1: (-1.0, 1.0),
    tflite.ActivationFunctionType.RELU6: (0.0, 6.0),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What a handler works with.

    Parameters
    ----------
    model : Model
    builder : Builder
    batch : int
        That the file declares; here it is 1.
    values : dict of int to Value
        Of the tensors that are not constant, so far. Numbers of quantized ones are codes less their zero points.
    """

    model: Model
    builder: Builder
    batch: int = 1
    values: dict[int, Value] = field(default_factory=dict)
    _in_file: dict[int, Value] = field(default_factory=dict)

    def input(self, operator: FileOperator, number: int) -> Tensor:
        """A tensor that an operator takes.

        Raises
        ------
        SpinplaneError
            If it is left out, naming the operator.
        """
        if not self.has(operator, number):
            raise SpinplaneError(f"{operator.label}: {operator.code} has no input {number + 1}")
        return self.model.tensors[operator.inputs[number]]

    def has(self, operator: FileOperator, number: int) -> bool:
        """Whether an input is given."""
        return len(operator.inputs) > number and operator.inputs[number] != LEFT_OUT

    def value(self, operator: FileOperator, number: int = 0) -> Value:
        """The value of an input; refused if it is a constant, naming the operator."""
        tensor = self.input(operator, number)
        value = self.values.get(operator.inputs[number])
        if value is None:
            raise SpinplaneError(f"{operator.label}: its input {tensor.label} is a constant")
        return value

    def is_value(self, operator: FileOperator, number: int) -> bool:
        """Whether an input is given and is not constant."""
        return self.has(operator, number) and operator.inputs[number] in self.values

    def as_in_file(self, number: int) -> Value:
        """A tensor as the file has it: codes, or real numbers; the same value each time."""
        tensor, value = self.model.tensors[number], self.values[number]
        if tensor.dtype not in CODES or value.host:
            return value
        if number not in self._in_file:
            _, zero_point = tensor.whole()
            codes = self.builder.arithmetic(tensor.name, value, "add", np.array(zero_point))
            self._in_file[number] = codes
        return self._in_file[number]

    def constant(self, operator: FileOperator, number: int) -> np.ndarray:
        """The numbers of a constant input; refused if it is none, naming the operator."""
        tensor = self.input(operator, number)
        if tensor.data is None:
            raise SpinplaneError(f"{operator.label}: its input {tensor.label} is not a constant")
        return tensor.constant()

    def integers(self, operator: FileOperator, number: int) -> tuple[int, ...]:
        """A constant input of int32 or int64 as a list."""
        tensor = self.input(operator, number)
        if tensor.dtype not in ("int32", "int64"):
            raise SpinplaneError(f"{operator.label}: its input {tensor.label} is {tensor.dtype}, not int32")
        return tuple(int(one) for one in self.constant(operator, number).ravel())

    def output(self, operator: FileOperator) -> Tensor:
        """The tensor that an operator gives."""
        return self.model.tensors[operator.outputs[0]]

    def codes(self, operator: FileOperator, tensor: Tensor) -> tuple[np.float32, int]:
        """Scale and zero point of a tensor of codes.

        Raises
        ------
        SpinplaneError
            If it is not of int8 or uint8 with one scale, naming the operator.
        """
        if tensor.dtype not in CODES or tensor.quantization is None:
            raise SpinplaneError(
                f"{operator.label}: tensor {tensor.label} is {tensor.dtype}"
                f"{'' if tensor.quantization else ' without a scale'}, expected quantized int8 or uint8"
            )
        return tensor.whole()

    def same_codes(self, operator: FileOperator, number: int = 0) -> None:
        """Check that an input and the output have one type, scale and zero point.

        Raises
        ------
        SpinplaneError
            If they have not, naming the operator.
        """
        given, made = self.input(operator, number), self.output(operator)
        if given.dtype != made.dtype or self.codes(operator, given) != self.codes(operator, made):
            raise SpinplaneError(
                f"{operator.label}: {operator.code} needs one type, scale and zero point for "
                f"{given.label} and {made.label}"
            )

    def limits(self, operator: FileOperator) -> tuple[int, int]:
        """Least and greatest code that an operator gives, with the activation that is part of it.

        Raises
        ------
        SpinplaneError
            If that is not RELU, RELU6 or RELU_N1_TO_1.
        """
        tensor = self.output(operator)
        scale, zero_point = self.codes(operator, tensor)
        kind = operator.options.integer("FusedActivationFunction", least=-128, most=127)
        if kind not in _ACTIVATIONS:
            raise SpinplaneError(f"{operator.label}: its activation has the number {kind}, expected 0 to 3")
        return clipped(tensor, scale, zero_point, *_ACTIVATIONS[kind])


def clipped(
    tensor: Tensor, scale: np.float32, zero_point: int, low: float | None, high: float | None
) -> tuple[int, int]:
    """Least and greatest code of a tensor, as real numbers narrow them."""
    least, greatest = tensor.bounds
    if low is not None:
        least = max(least, zero_point + round_away(float(np.float32(low) / scale)))
    if high is not None:
        greatest = min(greatest, zero_point + round_away(float(np.float32(high) / scale)))
    return least, greatest


#: Gives the value of an operator's output.
Handler = Callable[[Context, FileOperator], Value]


@dataclass(frozen=True, eq=False)
class Operator:
    """A row of the table of operators.

    Parameters
    ----------
    handler : Handler
    takes : str
        What of the operator is taken, one short sentence, for the documentation.
    refuses : tuple of str
        What is not, each with its reason.
    """

    handler: Handler
    takes: str
    refuses: tuple[str, ...] = ()
