"""Plain data from files as typed objects: nothing is coerced, and the first fault is told in one line."""

from collections.abc import Callable
from math import isfinite
from typing import Any, TypeVar

from cattrs import BaseValidationError, Converter, transform_error

from .errors import SpinplaneError, one_line, shown
from .names import CheckedName

_NAMES = {bool: "true or false", int: "a whole number", str: "text", list: "a list", dict: "an object"}
_T = TypeVar("_T")


def strict_converter(**options: Any) -> Converter:
    """A converter that takes text for text and a whole number for a whole number, and nothing else.

    Parameters
    ----------
    **options
        Of `cattrs.Converter`.
    """
    converter = Converter(**options)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, lambda value, kind: exactly(kind, value))
    converter.register_structure_hook(CheckedName, lambda value, kind: kind(exactly(str, value)))
    converter.register_structure_hook(float, lambda value, _: number(value))
    return converter


def exactly(kind: type, value: Any) -> Any:
    """The value, if it is of exactly this type: Python takes True for a whole number, a file does not."""
    if type(value) is not kind:
        raise TypeError(f"expected {_NAMES[kind]}, not {shown(value)}")
    return value


def number(value: Any) -> float:
    """A finite number."""
    if type(value) not in (int, float) or not isfinite(value):
        raise TypeError(f"expected a number, not {shown(value)}")
    return float(value)


def typed(source: str, read: Callable[[], _T]) -> _T:
    """What `read` makes of a file's content.

    Parameters
    ----------
    source : str
        What begins the message.
    read : callable
        Uses a converter.

    Raises
    ------
    SpinplaneError
        For the first fault that it finds.
    """
    try:
        return read()
    except (BaseValidationError, SpinplaneError, TypeError, ValueError, KeyError, OverflowError) as error:
        fault, at, place = transform_error(error, "", _said)[0].rpartition(" @ ")
        raise SpinplaneError(f"{source}: {one_line(fault)}{at}{one_line(place, 80)}") from None


def _said(error: BaseException, _: type | None) -> str:
    return f"missing: {error}" if isinstance(error, KeyError) else str(error)
