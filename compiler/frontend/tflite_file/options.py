"""Options of operators, each read as what the operator says it is."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
import tflite

from spinplane.machine import SpinplaneError

from .schema import OPTIONS, Vector
from .wire import OPTION_NAMES

_MOST_NUMBERS = 64


class Options:
    """Options of one operator, by the names that the format's schema gives to them.

    Each method gives an option's value, which is the format's default where the file leaves it out.

    Parameters
    ----------
    operator : str
        Label of the operator, for messages.
    given : mapping of str to int, float or tuple of int

    Raises
    ------
    SpinplaneError
        From the methods, if a value is out of bounds.
    """

    def __init__(self, operator: str, given: Mapping[str, int | float | tuple[int, ...]]) -> None:
        self._operator, self._given = operator, given

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def integer(self, name: str, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        value = self._given[name]
        if not isinstance(value, int) or not least <= value <= most:
            raise SpinplaneError(
                f"{self._operator}: option {name} is {value}, expected from {least} to {most}"
            )
        return value

    def flag(self, name: str) -> bool:
        """False or true."""
        return bool(self._given[name])

    def number(self, name: str) -> np.float32:
        """A finite number."""
        value = self._given[name]
        if isinstance(value, tuple) or not isfinite(value):
            raise SpinplaneError(f"{self._operator}: option {name} is {value}, expected a finite number")
        return np.float32(value)

    def integers(self, name: str) -> tuple[int, ...]:
        """Whole numbers."""
        value = self._given[name]
        assert isinstance(value, tuple)
        return value

    def values(self, *names: str) -> tuple[int | float | tuple[int, ...], ...]:
        """Some options, as they are."""
        return tuple(self._given[name] for name in names)

    def changed(self, **values: int | float | tuple[int, ...]) -> "Options":
        """The same with other values, or further ones."""
        return Options(self._operator, {**self._given, **values})


def read_options(stored: tflite.Operator, label: str, table: str | None) -> Options:
    """Options of an operator, those of the table that belongs to it.

    Parameters
    ----------
    stored : tflite.Operator
    label : str
    table : str, optional
        Name of the operator's options; None if it has none that mean anything.

    Raises
    ------
    SpinplaneError
        If the file gives it another operator's, or too long a list.
    """
    if table is None:
        return Options(label, {})
    found = stored.BuiltinOptions() if stored.BuiltinOptionsType() else None
    if found is None:
        return Options(label, {name: default for name, _, default in OPTIONS[table]})
    if OPTION_NAMES.get(stored.BuiltinOptionsType()) != table:
        raise SpinplaneError(f"{label}: its options are those of another operator")
    options = getattr(tflite, table)()
    options.Init(found.Bytes, found.Pos)
    given: dict[str, int | float | tuple[int, ...]] = {}
    for name, kind, default in OPTIONS[table]:
        if not isinstance(kind, Vector):
            given[name] = getattr(options, name)()
            continue
        length = getattr(options, f"{name}Length")()
        if length > _MOST_NUMBERS:
            raise SpinplaneError(
                f"{label}: option {name} has {length} numbers, expected {_MOST_NUMBERS} at most"
            )
        given[name] = tuple(getattr(options, name)(number) for number in range(length)) or default
    return Options(label, given)
