"""Plain data from a pickle: dictionaries, lists, numbers, text and arrays of bytes. Nothing is unpickled.

The instructions are read one by one, and only those that make such data are followed. Nothing is called: an array is
recognized by the names with which numpy writes it.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from spinplane.machine.errors import shown

#: Instructions of a file; a batch of CIFAR-10 has some 60 000.
_MOST_INSTRUCTIONS = 1 << 20
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_RECONSTRUCT, _NDARRAY, _DTYPE, _ENCODE = "_reconstruct", "ndarray", "dtype", "encode"
_ALLOWED = {
    **dict.fromkeys(((module, "_reconstruct") for module in _NUMPY), _RECONSTRUCT),
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _DTYPE,
    ("_codecs", "encode"): _ENCODE,
}
_MARK = object()


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _Type:
    name: str


@dataclass
class _Array:
    values: np.ndarray | None = None


def read_plain_pickle(content: bytes) -> Any:
    """The value that a pickle describes, if it consists of plain data.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    object
        Text of Python 2 is bytes; an array is an ndarray of uint8.

    Raises
    ------
    ValueError
        If it is damaged, or describes anything else.
    """
    reader = _Reader()
    try:
        for number, (instruction, argument, _) in enumerate(pickletools.genops(content)):
            if number == _MOST_INSTRUCTIONS:
                raise ValueError(f"it has more than {_MOST_INSTRUCTIONS} instructions")
            if instruction.name == "STOP":
                return reader.array_or_value(reader.stack.pop())
            reader.follow(instruction.name, argument)
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"damaged pickle: {type(error).__name__} {error}") from None
    raise ValueError("damaged pickle: it has no end")


class _Reader:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        push, keep = self.stack.append, self._keep
        self._ways: dict[str, Callable[[Any], None]] = {
            **dict.fromkeys(("PROTO", "FRAME"), lambda _: None),
            **dict.fromkeys(("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1"), push),
            **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "UNICODE"), push),
            **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), push),
            **dict.fromkeys(
                ("BINSTRING", "SHORT_BINSTRING", "STRING"), lambda text: push(text.encode("latin-1"))
            ),
            "NONE": lambda _: push(None),
            "NEWTRUE": lambda _: push(True),
            "NEWFALSE": lambda _: push(False),
            "MARK": lambda _: push(_MARK),
            "EMPTY_DICT": lambda _: push({}),
            "EMPTY_LIST": lambda _: push([]),
            "EMPTY_TUPLE": lambda _: push(()),
            "TUPLE1": lambda _: push(tuple(self._pop(1))),
            "TUPLE2": lambda _: push(tuple(self._pop(2))),
            "TUPLE3": lambda _: push(tuple(self._pop(3))),
            "TUPLE": lambda _: push(tuple(self._pop_to_mark())),
            "APPEND": lambda _: self._append(self._pop(1)),
            "APPENDS": lambda _: self._append(self._pop_to_mark()),
            "SETITEM": lambda _: self._set(self._pop(2)),
            "SETITEMS": lambda _: self._set(self._pop_to_mark()),
            **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), keep),
            "MEMOIZE": lambda _: keep(len(self.memo)),
            **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda place: push(self.memo[place])),
            "GLOBAL": lambda names: self._name(*names.split(" ")),
            "STACK_GLOBAL": lambda _: self._name(*self._pop(2)),
            "REDUCE": lambda _: push(self._made(*self._pop(2))),
            "BUILD": lambda _: self._fill(*self._pop(1)),
        }

    def follow(self, instruction: str, argument: Any) -> None:
        if instruction not in self._ways:
            raise ValueError(f"damaged pickle: instruction {instruction}")
        self._ways[instruction](argument)

    def array_or_value(self, value: Any) -> Any:
        """The value, with the arrays of its first floor."""
        if isinstance(value, dict):
            return {key: one.values if isinstance(one, _Array) else one for key, one in value.items()}
        return value

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("nothing is there")
        taken = self.stack[-count:]
        del self.stack[-count:]
        if any(value is _MARK for value in taken):
            raise IndexError("a mark")
        return taken

    def _pop_to_mark(self) -> list[Any]:
        taken = []
        while (value := self.stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def _keep(self, place: int) -> None:
        self.memo[place] = self.stack[-1]

    def _append(self, values: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError("not a list")
        self.stack[-1].extend(values)

    def _set(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], dict):
            raise TypeError("not a dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, bytes | str):
                raise TypeError("a key that is not text")
            self.stack[-1][key] = value

    def _name(self, module: str, name: str) -> None:
        if (module, name) not in _ALLOWED:
            raise ValueError(f"{shown(f'{module}.{name}')} is not allowed")
        self.stack.append(_Named(_ALLOWED[module, name]))

    def _made(self, maker: _Named, arguments: tuple[Any, ...]) -> Any:
        """What stands for the result of a call, by the name of what would be called."""
        if maker.name == _RECONSTRUCT:
            return _Array()
        if maker.name == _DTYPE:
            kind = arguments[0]
            return _Type(kind.decode() if isinstance(kind, bytes) else str(kind))
        if maker.name == _ENCODE:
            text, coding = arguments
            if coding != "latin1":
                raise ValueError("damaged pickle: text in another coding")
            return text.encode(coding)
        raise TypeError(f"{maker.name} is not called")

    def _fill(self, state: Any) -> None:
        """Give an array its values; the byte order of a type does not matter for bytes."""
        target = self.stack[-1]
        if isinstance(target, _Array):
            _, shape, kind, fortran, content = state
            if kind.name not in ("u1", "|u1", "uint8"):
                raise ValueError(f"an array of {kind.name!r:.20}, not of bytes")
            if not all(type(side) is int and side >= 0 for side in shape) or prod(shape) != len(content):
                raise ValueError("an array of another size than its shape")
            target.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")
        elif not isinstance(target, _Type):
            raise TypeError("nothing that has a state")
