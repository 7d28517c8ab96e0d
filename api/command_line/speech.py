"""How much a command says besides its result, and where: steps, progress, files, warnings."""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

_log = logging.getLogger("spinplane")


@contextmanager
def speaking(*, quiet: bool, verbose: bool) -> Iterator[None]:
    """Write the log of the package to stderr: its warnings; nothing if quiet; if verbose also what is read and built.

    The level of the log tells all parts of the command how much they may say.
    """
    handler = logging.StreamHandler()
    if verbose:
        handler.setFormatter(_Timed())
    level = _log.level
    _log.addHandler(handler)
    _log.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        _log.setLevel(level)
        _log.removeHandler(handler)


class _Timed(logging.Formatter):
    """Lines with the seconds since the command began."""

    def __init__(self) -> None:
        super().__init__()
        self._start = time.time()

    def format(self, record: logging.LogRecord) -> str:
        """A line of the log."""
        return f"{record.created - self._start:7.2f} s  {super().format(record)}"


def is_quiet() -> bool:
    """Whether the result and everything besides errors is left out."""
    return not _log.isEnabledFor(logging.WARNING)


def _is_verbose() -> bool:
    return _log.isEnabledFor(logging.INFO)


def _moves() -> bool:
    """Whether a line on stderr may be written over: on a terminal that can do it, whatever FORCE_COLOR says."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    return terminal and not is_quiet() and not _is_verbose()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Tell on a terminal what is being done."""
    if _moves():
        with Console(stderr=True).status(what):
            yield
    else:
        _log.info(what)
        yield


@contextmanager
def telling(first: str = "starting") -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Tell the current step, from the first one on, and its progress.

    On one moving line in a terminal, else each further step on a line of its own.
    """
    moves = _moves()
    with Progress(console=Console(stderr=True), transient=True, disable=not moves) as progress:
        task = progress.add_task(first, total=None)

        def tell(line: str) -> None:
            progress.update(task, description=escape(line))
            _log.info(line)
            if not (moves or is_quiet() or _is_verbose()):
                print(f"- {line}", file=sys.stderr)

        yield tell, lambda done, of: progress.update(task, completed=done, total=of)


def name_files(files: Mapping[Path, int], told: str) -> None:
    """Name the files that were written, on stderr, unless the text of the result does."""
    if is_quiet():
        return
    for path, number in files.items():
        if number > 1:
            print(f"wrote {path}: {number} files", file=sys.stderr)
        elif not re.search(rf"(?<![\w/.-]){re.escape(str(path))}(?![\w/-])", told):
            print(f"wrote {path}", file=sys.stderr)
