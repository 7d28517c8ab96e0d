"""A mutation as functions that differ: code that is put into a program that runs, instead of importing it anew.

That is the same only for functions that have not run yet, and only if nothing else of the module differs: no default,
no decorator, no constant. `Change.fits` says so.
"""

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType

#: File, qualified name and first line of a function.
Place = tuple[str, str, int]


def place_of(code: CodeType) -> Place:
    """Where code is from."""
    return os.path.realpath(code.co_filename), code.co_qualname, code.co_firstlineno


@dataclass(frozen=True)
class Change:
    """Functions of a file by their places, and the code that they get.

    Parameters
    ----------
    file : str
        Real path.
    functions : dict of (str, str, int) to CodeType, or None
        None if more than functions differ.
    """

    file: str
    functions: dict[Place, CodeType] | None

    @classmethod
    def of(cls, path: Path, sound: str, mutated: str) -> "Change":
        """What differs between two texts of a file."""
        file = os.path.realpath(path)
        pair = (compile(text, file, "exec") for text in (sound, mutated))
        try:
            return cls(file, dict(_differing(*pair)))
        except _OtherShapeError:
            return cls(file, None)

    def fits(self, ran: Iterable[Place]) -> bool:
        """Whether it can be made in this process, where the functions of `ran` did run."""
        if self.functions is None or not self.functions.keys().isdisjoint(ran):
            return False
        return not self._is_imported() or self.functions.keys() == {place for place, _ in self._found()}

    def make(self) -> None:
        """Give the functions their other code."""
        assert self.functions is not None
        for place, function in self._found():
            new, old = self.functions[place], function.__code__
            function.__code__ = new.replace(co_filename=old.co_filename)

    def _found(self) -> list[tuple[Place, FunctionType]]:
        wanted = self.functions or {}
        names = {name for _, name, _ in wanted}
        functions = [
            thing
            for thing in gc.get_objects()
            if type(thing) is FunctionType and thing.__code__.co_qualname in names
        ]
        places = [(place_of(function.__code__), function) for function in functions]
        return [(place, function) for place, function in places if place in wanted]

    def _is_imported(self) -> bool:
        files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
        return any(file is not None and os.path.realpath(file) == self.file for file in files)


class _OtherShapeError(Exception):
    """More than functions differ."""


def _differing(sound: CodeType, mutated: CodeType) -> Iterator[tuple[Place, CodeType]]:
    """Outermost functions that differ, of two modules or bodies of classes."""
    if _shape(sound) != _shape(mutated):
        raise _OtherShapeError
    for old, new in zip(_inner(sound), _inner(mutated), strict=True):
        if not old.co_flags & CO_OPTIMIZED:
            yield from _differing(old, new)
        elif _deep(old) != _deep(new):
            if old.co_freevars != new.co_freevars or old.co_firstlineno != new.co_firstlineno:
                raise _OtherShapeError
            yield place_of(old), new


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _shape(code: CodeType) -> tuple[object, ...]:
    """What makes code but for the code in it."""
    return (
        code.co_code,
        code.co_exceptiontable,
        code.co_flags,
        code.co_names,
        code.co_varnames,
        code.co_cellvars,
        code.co_freevars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount),
        [None if isinstance(constant, CodeType) else repr(constant) for constant in code.co_consts],
    )


def _deep(code: CodeType) -> list[object]:
    return [_shape(code), [_deep(inner) for inner in _inner(code)]]
