"""Attributes of operators, each read as what the operator says it is."""

from collections.abc import Iterable
from math import isfinite

import numpy as np
import onnx
from onnx import AttributeProto

from spinplane.machine import SpinplaneError

from .names import quoted, shown
from .tensors import is_readable, read_tensor

#: Bounds of a whole number where an operator has no narrower ones.
_LEAST, _MOST = -(2**63), 2**63 - 1
_MOST_NUMBERS = 64
_TYPES: dict[int, str] = {
    AttributeProto.INT: "a whole number",
    AttributeProto.INTS: "whole numbers",
    AttributeProto.FLOAT: "a number",
    AttributeProto.FLOATS: "numbers",
    AttributeProto.STRING: "a text",
    AttributeProto.TENSOR: "a tensor",
}


class Attributes:
    """Attributes of one node.

    Each method gives the attribute's value, or `default` where the node has none; without a default it must have one.

    Parameters
    ----------
    node : str
        Label of the node, for messages.
    given : iterable of AttributeProto

    Raises
    ------
    SpinplaneError
        If a name is missing or comes twice; from the methods, if an attribute has another type, is missing, or is out
        of bounds.
    """

    def __init__(self, node: str, given: Iterable[onnx.AttributeProto]) -> None:
        self._node = node
        self._given: dict[str, onnx.AttributeProto] = {}
        for attribute in given:
            if not attribute.name or attribute.name in self._given:
                raise SpinplaneError(
                    f"{node}: attribute {quoted(attribute.name)} has no name, or comes twice"
                )
            self._given[attribute.name] = attribute

    def __contains__(self, name: str) -> bool:
        return name in self._given

    @property
    def names(self) -> frozenset[str]:
        """Of all of them."""
        return frozenset(self._given)

    def integer(
        self, name: str, default: int | None = None, *, least: int = _LEAST, most: int = _MOST
    ) -> int:
        """A whole number from `least` to `most`."""
        attribute = self._find(name, AttributeProto.INT, default)
        if attribute is None:
            assert default is not None
            return default
        return self._bounded(name, attribute.i, least, most)

    def flag(self, name: str, default: bool | None = None) -> bool:
        """0 or 1."""
        return bool(self.integer(name, default, least=0, most=1))

    def integers(
        self,
        name: str,
        default: Iterable[int] | None = None,
        *,
        length: int | None = None,
        least: int = _LEAST,
        most: int = _MOST,
    ) -> tuple[int, ...]:
        """Whole numbers from `least` to `most`: `length` of them, if given, and 64 at most."""
        attribute = self._find(name, AttributeProto.INTS, default)
        if attribute is None:
            assert default is not None
            return tuple(default)
        found = len(attribute.ints)
        if found > _MOST_NUMBERS or (length is not None and found != length):
            expected = f"{_MOST_NUMBERS} at most" if length is None else str(length)
            raise SpinplaneError(f"{self._node}: attribute '{name}' has {found} numbers, expected {expected}")
        return tuple(self._bounded(name, value, least, most) for value in attribute.ints)

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        attribute = self._find(name, AttributeProto.FLOAT, default)
        if attribute is None:
            assert default is not None
            return default
        if not isfinite(attribute.f):
            raise SpinplaneError(
                f"{self._node}: attribute '{name}' is {attribute.f}, expected a finite number"
            )
        return attribute.f

    def scalar(self, name: str) -> float:
        """A finite number, whether whole, real or a tensor of one element."""
        attribute = self._given.get(name)
        if attribute is None or attribute.type != AttributeProto.TENSOR:
            whole = attribute is not None and attribute.type == AttributeProto.INT
            return self.integer(name) if whole else self.number(name)
        tensor = self.tensor(name)
        found = np.zeros(0)
        if is_readable(tensor):
            found = read_tensor(tensor, f"{self._node}: attribute '{name}'", None)
        if found.size != 1 or not isfinite(found.item()):
            raise SpinplaneError(f"{self._node}: attribute '{name}' is no tensor of one finite number")
        return float(found.item())

    def text(self, name: str, default: str | None = None) -> str:
        """A text in UTF-8."""
        attribute = self._find(name, AttributeProto.STRING, default)
        if attribute is None:
            assert default is not None
            return default
        try:
            return attribute.s.decode()
        except UnicodeDecodeError:
            raise SpinplaneError(f"{self._node}: attribute '{name}' is not text in UTF-8") from None

    def tensor(self, name: str) -> onnx.TensorProto:
        """A tensor, not yet read."""
        attribute = self._find(name, AttributeProto.TENSOR, None)
        assert attribute is not None
        return attribute.t

    def numbers(self, name: str) -> tuple[float, ...]:
        """Numbers of any count."""
        attribute = self._find(name, AttributeProto.FLOATS, None)
        assert attribute is not None
        return tuple(attribute.floats)

    def _find(self, name: str, kind: int, default: object) -> onnx.AttributeProto | None:
        attribute = self._given.get(name)
        if attribute is None:
            if default is None:
                raise SpinplaneError(f"{self._node}: has no attribute '{name}'")
            return None
        if attribute.ref_attr_name or attribute.type != kind:
            raise SpinplaneError(f"{self._node}: attribute '{name}' is not {_TYPES[kind]}")
        return attribute

    def _bounded(self, name: str, value: int, least: int, most: int) -> int:
        if least <= value <= most:
            return value
        raise SpinplaneError(
            f"{self._node}: attribute '{name}' is {shown(str(value))}, expected from {least} to {most}"
        )
