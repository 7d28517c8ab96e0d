"""Convert results to plain data for JSON, and back, by their types."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, lru_cache
from math import inf
from pathlib import Path
from typing import Any, get_args

import numpy as np
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from spinplane.machine import Machine
from spinplane.machine.typed import exactly, number, strict_converter


@cache
def plain_converter() -> Converter:
    """A converter of dataclasses: strict when it reads, and it writes the properties that `derived` names.

    An array is nested lists, an infinite number is null. Nothing is coerced: text that spells a number is still text.
    """
    return _new_converter()


def _new_converter() -> Converter:
    converter = strict_converter()
    converter.register_unstructure_hook_factory(is_dataclass, lambda kind: _writer(kind, converter))
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _reader(kind, converter))
    converter.register_structure_hook_factory(_is_tuple_of_any_length, lambda kind: _tuple(kind, converter))
    converter.register_unstructure_hook(np.ndarray, np.ndarray.tolist)
    converter.register_structure_hook(np.ndarray, _array)
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(exactly(str, value)))
    converter.register_unstructure_hook(float, lambda value: value if value != inf else None)
    converter.register_structure_hook(float, _float)
    return converter


@lru_cache(maxsize=8)
def result_converter(machine: Machine | None) -> Converter:
    """A converter of results: in them a machine is its name; the file describes it once.

    Parameters
    ----------
    machine : Machine, optional
        The one that a file describes.
    """

    def named(name: Any, _: type) -> Machine:
        if machine is None or name != machine.name:
            raise ValueError(f"machine {name!r} is not the one in the file")
        return machine

    converter = _new_converter()
    converter.register_unstructure_hook(Machine, lambda value: value.name)
    converter.register_structure_hook(Machine, named)
    return converter


def _unwritten(kind: type) -> dict[str, Any]:
    return {
        field.name: override(omit=True)
        for field in fields(kind)  # type: ignore[arg-type]
        if not field.metadata.get("written", True)
    }


def _writer(kind: type, converter: Converter) -> Callable[[Any], dict[str, Any]]:
    own: Any = make_dict_unstructure_fn(kind, converter, **_unwritten(kind))
    derived = getattr(kind, "derived", ())

    def write(result: Any) -> dict[str, Any]:
        # A property whose name is a word of Python has an underscore behind it: `class_`.
        return own(result) | {
            name.removesuffix("_"): converter.unstructure(getattr(result, name)) for name in derived
        }

    return write


def _reader(kind: type, converter: Converter) -> Callable[[Any, type], Any]:
    own: Any = make_dict_structure_fn(kind, converter, **_unwritten(kind))

    def read(value: Any, kind: type) -> Any:
        return own(exactly(dict, value), kind)

    return read


def _is_tuple_of_any_length(kind: Any) -> bool:
    return get_args(kind)[1:] == (Ellipsis,)


def _tuple(kind: type, converter: Converter) -> Callable[[Any, type], Any]:
    own = homogenous_tuple_structure_factory(kind, converter)
    return lambda value, kind: own(exactly(list, value), kind)


def _float(value: Any, _: type) -> float:
    return inf if value is None else number(value)


def _array(value: Any, _: type) -> np.ndarray:
    array = np.array(exactly(list, value))
    if array.dtype.kind not in "iuf":
        raise TypeError("expected an array of numbers")
    return array
