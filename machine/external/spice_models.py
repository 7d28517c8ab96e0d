"""Files of transistor models for ngspice: they describe devices, and nothing in them is a command."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import SpinplaneError
from ..files import read_file

#: Lines that describe: models, subcircuits, parameters, and which of them hold.
_CARDS = frozenset(
    {".model", ".param", ".params", ".func", ".subckt", ".ends", ".option", ".options", ".temp"}
    | {".if", ".elseif", ".else", ".endif", ".endl"}
)
#: Of a file, or, with one word after it, of a section in this one.
_FILES = frozenset({".include", ".inc", ".lib"})
#: Elements by their first letter; A and N are code from elsewhere, which may run programs and read files.
_ELEMENTS = frozenset("bcdefghijklmqrstvwxz")
_WORD = re.compile(r"[^\s(=,]*")
_QUOTED = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|(\S+))(.*)""")
_MOST_BYTES, _MOST_FILES = 1 << 26, 1000


def check_models(path: Path) -> None:
    """See that a file of models, and those that it includes, hold lines that describe devices and no others.

    ngspice obeys commands in the files that it includes, those of the shell among them.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SpinplaneError
        If a file cannot be read or is larger than 64 MiB, includes more than a thousand, or has another line.
    """
    checked: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file.resolve() in checked:
            continue
        checked.add(file.resolve())
        if len(checked) > _MOST_FILES:
            raise SpinplaneError(f"transistor models {path}: includes more than {_MOST_FILES} files")
        waiting += _included(file)


def _included(path: Path) -> Iterator[Path]:
    """Files that a file includes; each of its lines is checked on the way."""
    source = f"transistor models {path}"
    text = read_file(path, source, _MOST_BYTES).decode("latin-1")
    for number, line in enumerate(re.split(r"[\n\r\f\v\0]", text), 1):
        word = _WORD.match(line.strip().lower())
        assert word is not None
        if word[0] in _FILES:
            named = _QUOTED.fullmatch(line.strip()[len(word[0]) :])
            # A section begins with its name alone; one of another file is named after it.
            if named is not None and (word[0] != ".lib" or named[4].strip()):
                yield path.parent / (named[1] or named[2] or named[3])
        elif not _describes(line.strip().lower(), word[0]):
            raise SpinplaneError(
                f"{source}: line {number}: {line.strip()[:40]!r} is no model, element or parameter"
            )


def _describes(line: str, word: str) -> bool:
    if line.startswith("*"):
        return not line.startswith("*ng_script")
    return not line or line[0] in "+$;" or word in _CARDS or line[0] in _ELEMENTS
