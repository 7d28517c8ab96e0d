"""Tables from TOML files: small, of bounded depth, and of numbers that every reader can take."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .choices import listed, nearest
from .errors import SpinplaneError, one_line, shown
from .files import read_file

_MOST_BYTES = 1 << 20
_MOST_DEPTH = 8


def read_toml(path: Path, source: str) -> dict[str, Any]:
    """The table of a TOML file.

    Parameters
    ----------
    path : Path
    source : str
        The file as messages name it.

    Raises
    ------
    SpinplaneError
        If it cannot be read, has more than a mebibyte, is not TOML, is nested more than 8 deep, or holds a whole number
        of more than 64 bits.
    """
    content = read_file(path, source, _MOST_BYTES)
    try:
        # Some editors mark the beginning of a file.
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SpinplaneError(f"{source}: cannot be read: {error}") from None
    except RecursionError:
        raise SpinplaneError(f"{source}: not TOML: nested too deep") from None
    except ValueError as error:
        raise SpinplaneError(f"{source}: not TOML: {one_line(error)}") from None
    _check(table, source, _MOST_DEPTH)
    return table


def _check(value: Any, source: str, depth: int) -> None:
    if isinstance(value, dict | list):
        if not depth:
            raise SpinplaneError(f"{source}: nested more than {_MOST_DEPTH} deep")
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, source, depth - 1)
    # TOML says so, but tomllib takes longer ones, of which a few cannot even be printed.
    elif type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise SpinplaneError(f"{source}: a whole number has more than 64 bits")


def check_keys(table: dict[str, Any], known: Iterable[str], where: str = "") -> None:
    """Refuse keys that nobody reads.

    Parameters
    ----------
    table : dict
    known : iterable of str
    where : str
        In front of the key in the message, as ``"free_layer."``.

    Raises
    ------
    SpinplaneError
        Naming the key, and the one that it is most like or all that there are.
    """
    known = list(known)
    for key in table:
        if key not in known:
            alike = nearest(key, known)
            allowed = listed(where + name for name in known)
            mend = f"did you mean {where + alike!r}?" if alike else f"must be one of {allowed}"
            raise SpinplaneError(f"unknown key {shown(where + key)}: {mend}")
