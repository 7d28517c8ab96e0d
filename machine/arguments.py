"""What callers may give for a path, and the one line that refuses a value of another type."""

import os
from pathlib import Path

from .errors import SpinplaneError, shown


def refusal(argument: str, value: object, takes: str) -> SpinplaneError:
    """The error of an argument of a wrong type.

    Parameters
    ----------
    argument : str
        Its name.
    value : object
    takes : str
        What it may be.
    """
    return SpinplaneError(f"{argument} = {shown(value)}: must be {takes}")


def is_path(value: object) -> bool:
    """Whether a value names a file or a folder: as text, or as a `Path` and its like."""
    return isinstance(value, str) or (isinstance(value, os.PathLike) and isinstance(os.fspath(value), str))


def as_path(argument: str, value: str | Path) -> Path:
    """A path from text or a `Path`.

    Parameters
    ----------
    argument : str
        What the message names.
    value : str or Path

    Raises
    ------
    SpinplaneError
        If it is neither, or no file can have that name.
    """
    if not is_path(value) or "\0" in str(value):
        raise refusal(argument, value, "a path: text or a Path")
    return Path(value)


def as_optional_path(argument: str, value: str | Path | None) -> Path | None:
    """As `as_path`, and None for None."""
    return None if value is None else as_path(argument, value)
