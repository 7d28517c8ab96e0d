"""The one error addressed to users, and values as its message shows them."""

from reprlib import Repr

_LONGEST = 60
_REPR = Repr()
_REPR.maxlevel, _REPR.maxlist, _REPR.maxtuple, _REPR.maxdict = 2, 4, 4, 3
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 2 * _LONGEST


class SpinplaneError(ValueError):
    """A request that cannot be carried out as given.

    The message is one line; it names what is wrong, the value found and the remedy. The
    ``spinplane`` command prints it and ends with exit code 2.
    """


def shown(value: object) -> str:
    """A value from a file or a user, for a message: on one line, and cut where it is long or deep."""
    # Arrays have several lines.
    text = " ".join(_REPR.repr(value).splitlines())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def one_line(error: object, most: int = 120) -> str:
    """What an error of a library says, for a message: on one line, cut, and without what cannot be printed."""
    text = " ".join(str(error).split()) or type(error).__name__
    return (text if text.isprintable() else repr(text)[1:-1])[:most]
