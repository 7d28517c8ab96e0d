"""What a handler is, and what it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Builder, Value, Weights
from ..onnx_file.model import Model
from ..onnx_file.names import quoted
from ..onnx_file.node import Node
from .weights import whole_weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What a handler works with.

    Parameters
    ----------
    model : Model
        The file: constants and shapes.
    builder : Builder
    operators : dict of (domain, name) to Operator
        Some of which make weights of constants.
    values : dict of name to Value
        Of the tensors that are not constant, so far.
    """

    model: Model
    builder: Builder
    operators: "dict[tuple[str, str], Operator]"
    values: dict[str, Value] = field(default_factory=dict)

    def value(self, node: Node, number: int = 0) -> Value:
        """The value of an input of a node; refused if it is a constant, naming the node."""
        tensor = node.inputs[number]
        if tensor not in self.values:
            raise SpinplaneError(
                f"{node.label}: its input {quoted(tensor)} does not come from the network's input"
            )
        return self.values[tensor]

    def is_value(self, node: Node, number: int) -> bool:
        """Whether an input is there and is not constant."""
        return len(node.inputs) > number and node.inputs[number] in self.values

    def has(self, node: Node, number: int) -> bool:
        """Whether an optional input is there."""
        return len(node.inputs) > number and bool(node.inputs[number])

    def constant(self, node: Node, number: int) -> np.ndarray:
        """The array of a constant input of a node, of any type."""
        return self.model.constant(node.inputs[number], node.label)

    def reals(self, node: Node, number: int) -> np.ndarray:
        """A constant input of an operator on real numbers: floats."""
        tensor = node.inputs[number]
        value = self.model.constant(tensor, node.label)
        if value.dtype.kind != "f":
            raise SpinplaneError(
                f"{node.label}: its input {quoted(tensor)} is of type {value.dtype}, expected float32"
            )
        return value

    def weights(self, node: Node, number: int) -> Weights:
        """A constant input as integers with scales: what a quantizer makes of constants, or whole numbers.

        Raises
        ------
        SpinplaneError
            If its numbers are no integers of 8 bits, naming the node.
        """
        tensor = node.inputs[number]
        producer = self.model.producer(tensor)
        operator = self.operators.get(producer.operator) if producer else None
        if producer is None or operator is None or operator.weights is None:
            return whole_weights(self.model.constant(tensor, node.label), node.label)
        return operator.weights(self, producer)


#: Gives the values of a node's outputs: one alone, or all of them in order.
Handler = Callable[[Context, Node], Value | Sequence[Value]]
#: Gives the integers of a node all of whose inputs are constant.
WeightsReader = Callable[[Context, Node], Weights]


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator:
    """A row of the table of operators.

    Parameters
    ----------
    handler : Handler
    takes : str
        What of the operator is taken, one short sentence, for the documentation.
    refuses : tuple of str
        What is not, each with its reason.
    weights : WeightsReader, optional
        For operators that make weights of constants (Quant, DequantizeLinear, Transpose).
    """

    handler: Handler
    takes: str
    refuses: tuple[str, ...] = ()
    weights: WeightsReader | None = None
