"""An operator of a file, with what is known of its inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .attributes import Attributes

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A node of a graph.

    Parameters
    ----------
    label : str
        What messages and layers call it: its name in the file, or its operator and output.
    operator : (domain, type)
        Two domains may have one name for different operators.
    inputs, outputs : tuple of str
        Names of tensors; empty where an optional one is left out.
    attributes : Attributes
    """

    label: str
    operator: tuple[str, str]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Attributes

    @property
    def op_type(self) -> str:
        """Type of the operator, without its domain."""
        return self.operator[1]


@dataclass(frozen=True, kw_only=True, eq=False)
class Operand:
    """An input of a node: its shape, if it is known, and its value, if that is constant."""

    name: str
    shape: Shape | None
    value: np.ndarray | None


Operands = Sequence[Operand]


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is known of a node's first output: its shape and the type of its elements."""

    shape: Shape | None
    type: str | None
