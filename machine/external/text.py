"""Text that another program reads as commands, made of templates, checked names and numbers alone."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import SpinplaneError
from ..names import PinName

_PLACE = re.compile(r"@(\w+)@")


class Text(str):
    """Text of a script, a netlist, generated Verilog. The functions of this file make it."""

    __slots__ = ()

    def __new__(cls, *_: object) -> "Text":
        raise TypeError("Text is made by fill and its like, not from plain text")


def _text(value: str) -> Text:
    return str.__new__(Text, value)


def fill(template: str, **words: Text | PinName | int) -> Text:
    """A template with words in its places ``@word@``.

    Parameters
    ----------
    template : str
        A constant of the program: no text that was read.
    **words : Text, PinName or int
        A name is taken as it is: the template says where it stands.

    Raises
    ------
    TypeError
        If a word is of another type, plain text above all.
    """
    for key, word in words.items():
        if not isinstance(word, Text | PinName) and type(word) is not int:
            raise TypeError(f"{key} = {word!r:.80}: must be a Text, a name or a whole number")
    return _text(_PLACE.sub(lambda place: str(words[place[1]]), template))


def joined(parts: Iterable[Text], between: str = "") -> Text:
    """Several texts in one.

    Raises
    ------
    TypeError
        If one of them is plain text.
    """
    parts = list(parts)
    if not all(isinstance(part, Text) for part in parts):
        raise TypeError("all parts must be Text")
    return _text(between.join(parts))


def number(value: float, digits: int = 12) -> Text:
    """A finite number in decimal digits.

    Raises
    ------
    SpinplaneError
        If it is infinite or not a number.
    """
    if not math.isfinite(value):
        raise SpinplaneError(f"{value}: must be a finite number")
    return _text(f"{float(value):.{digits}g}")


def quoted_path(path: Path, what: str) -> Text:
    """The whole path of a file in double quotes, for a program in which no character but these ends it.

    Raises
    ------
    SpinplaneError
        If it has quotes, line breaks or other characters that cannot be printed.
    """
    text = str(path.resolve())
    if not text.isprintable() or '"' in text:
        raise SpinplaneError(f"{what} {text!r}: must be a path without quotes and line breaks")
    return _text(f'"{text}"')


def inline(text: str, end: Text) -> Text:
    """Text of this package's own making, up to a line `end` that it must not have: a file within a script.

    Raises
    ------
    ValueError
        If it has the line.
    """
    if end in text.splitlines():
        raise ValueError(f"has the line {end!r} that ends it")
    return _text(f"{text}\n{end}")


def matching(text: str, allowed: re.Pattern[str]) -> Text:
    """Text all of which a pattern allows.

    Raises
    ------
    SpinplaneError
        If the pattern does not match the whole of it.
    """
    if allowed.fullmatch(text) is None:
        raise SpinplaneError(f"{text!r:.80}: must match {allowed.pattern}")
    return _text(text)
