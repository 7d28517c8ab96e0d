"""Names that a file gives to things, as types that only harmless text has.

Names reach other programs: as parts of files, of scripts and of netlists. Any character but those allowed could end a
word or a line there and begin a command, and a leading ``-`` an option. The types are checked when a value is made, and
what writes for other programs (`spinplane.machine.external`) takes no plain text.
"""

from string import ascii_letters, digits
from typing import ClassVar, Self

from .errors import SpinplaneError

_PLAIN = frozenset(ascii_letters + digits + "-_")
#: Characters of a name, at most.
MOST_CHARACTERS = 128


class CheckedName(str):
    """A name of letters, digits, ``-``, ``_``, and what its kind has besides.

    Parameters
    ----------
    name : object
        As it was read.
    what : str
        What has the name, for the message.

    Raises
    ------
    SpinplaneError
        If it is not text, is empty, begins with ``-``, is too long, or has any other character.
    """

    __slots__ = ()
    _ALSO: ClassVar[str] = ""

    def __new__(cls, name: object, what: str = "name") -> Self:
        if not isinstance(name, str) or not name or not _PLAIN.union(cls._ALSO).issuperset(name):
            allowed = ["letters", "digits", *(f"'{character}'" for character in f"{cls._ALSO}-")]
            raise SpinplaneError(f"{what} = {name!r:.80}: must consist of {', '.join(allowed)} and '_'")
        if name.startswith("-"):
            raise SpinplaneError(f"{what} = {name!r:.80}: must not begin with '-'")
        if len(name) > MOST_CHARACTERS:
            raise SpinplaneError(f"{what} = {name[:40]!r}…: must have at most {MOST_CHARACTERS} characters")
        return super().__new__(cls, name)


class ArrayName(CheckedName):
    """A name with spaces and ``.``: an array in an archive. No program but this reads it."""

    __slots__ = ()
    _ALSO = " ."


class PinName(CheckedName):
    """A name with ``.``, ``[`` and ``]``: a pin, a bit of a bus in a library of cells."""

    __slots__ = ()
    _ALSO = ".[]"


class DottedName(PinName):
    """A name of letters, digits, ``-``, ``_`` and ``.``: a cell, a transistor."""

    __slots__ = ()
    _ALSO = "."


class Name(DottedName):
    """A name of letters, digits, ``-`` and ``_``: a machine, a module, a part of a file's name."""

    __slots__ = ()
    _ALSO = ""
