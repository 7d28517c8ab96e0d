"""What is made once and kept: compiled models, Verilog, results of synthesis.

An *entry* is a folder ``<root>/<kind>/<name>``, whose name holds a digest of all that it follows from. It is made
beside its place under a lock and moved there when it is whole, so that parallel and killed processes leave nothing
broken. Beside it lies ``.<name>.lock`` with the checksums of its files, and ``.<name>.used``, which its users hold
and whose time is that of its last use.

What is kept is run: a compiled model is a program. Before an entry is used its owner, its modes and its checksums are
checked; one that is damaged is made anew.
"""

import hashlib
import json
import logging
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SpinplaneError
from ..files import older_than, write_file, write_whole
from ..names import Name
from .cache_folder import default_build_root, not_ours, usable_folder
from .locks import Lock

#: Size that the entries may have together, if no other was chosen.
DEFAULT_LIMIT_MB = 4096
_BYTES_PER_MB = 1_000_000
_LIMIT_FILE = "limit"
_LOGS, _LOGS_KEPT_SECONDS = "logs", 7 * 86400
_KINDS = tuple(map(Name, ("models", "libraries", "verilog", "synthesis")))
MODELS, LIBRARIES, VERILOG, SYNTHESIS = _KINDS

_log = logging.getLogger("spinplane")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry in use: as long as this object lives it is not removed to make room.

    Parameters
    ----------
    folder : Path
    cached : bool
        Whether it was there already.
    """

    folder: Path
    cached: bool
    _held: Lock = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class EntrySize:
    """Kind, name, bytes and last use (seconds since the epoch) of an entry."""

    kind: Name
    name: Name
    bytes: int
    used: float


class Cache:
    """The entries below a folder.

    Parameters
    ----------
    root : Path, optional
        `default_build_root` if not given. Where nothing can be kept in it, a temporary folder takes its place, and a
        line of the log says so.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = usable_folder((root or default_build_root()).resolve())

    def entry(self, kind: Name, name: Name, make: Callable[[Path], None]) -> Entry:
        """An entry, made unless it is there and whole.

        Parameters
        ----------
        kind, name : Name
        make : callable
            Is given an empty folder, and leaves files in it. What it raises is raised here, and nothing stays behind.
        """
        folder = self.root / kind / name
        folder.parent.mkdir(exist_ok=True, mode=0o700)
        if fault := not_ours(folder.parent.lstat()):
            raise SpinplaneError(f"cache folder {folder.parent} {fault}")
        held = Lock(folder.with_name(f".{name}.used"), shared=True)
        os.utime(held.path)
        if not _fault(folder):
            _log.info("kept: %s", folder)
            return Entry(folder=folder, cached=True, _held=held)
        with Lock(folder.with_name(f".{name}.lock")) as lock:
            fault = _fault(folder)
            if fault:
                if os.path.lexists(folder):
                    _log.warning("cache: %s %s: it is made anew", folder, fault)
                start = time.monotonic()
                with _growing(folder) as growing:
                    make(growing)
                    for path in growing.iterdir():
                        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o022)
                    write_file(lock.path, json.dumps(_checksums(growing)).encode())
                    _discard(folder)
                    growing.rename(folder)
                _log.info("made in %.1f s: %s", time.monotonic() - start, folder)
        if fault:
            self.shrink()
        return Entry(folder=folder, cached=not fault, _held=held)

    def text(self, kind: Name, name: Name, make: Callable[[], str]) -> str:
        """An entry that is one text."""
        entry = self.entry(kind, name, lambda folder: write_file(folder / "text", make().encode()))
        return (entry.folder / "text").read_text(encoding="utf-8")

    def entries(self) -> list[EntrySize]:
        """All entries, the one that was used last at the end."""
        found = []
        for kind in _KINDS:
            for lock in (self.root / kind).glob(".*.lock"):
                name = Name(lock.name[1:].removesuffix(".lock"), "cache entry")
                folder = lock.parent / name
                used = lock.with_name(f".{name}.used")
                try:
                    size = sum(path.lstat().st_size for path in folder.iterdir())
                    last = used.stat().st_mtime
                except OSError:
                    continue  # another process has just removed it
                found.append(EntrySize(kind=kind, name=name, bytes=size, used=last))
        return sorted(found, key=lambda entry: entry.used)

    @property
    def limit_mb(self) -> int:
        """Size that all entries may have together, in MB (10^6 bytes)."""
        try:
            return int((self.root / _LIMIT_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return DEFAULT_LIMIT_MB

    def set_limit(self, megabytes: int) -> None:
        """Choose another limit, and remove what is above it.

        Raises
        ------
        SpinplaneError
            If it is not a whole number from 0.
        """
        if type(megabytes) is not int or megabytes < 0:
            raise SpinplaneError(f"limit = {megabytes!r}: must be a whole number of MB from 0")
        write_whole(self.root / _LIMIT_FILE, f"{megabytes}\n".encode())
        self.shrink()

    def shrink(self) -> int:
        """Remove entries that were used longest ago, and are not in use, down to the limit; how many."""
        return self._remove_above(self.limit_mb * _BYTES_PER_MB)

    def clear(self) -> int:
        """Remove all entries that are not in use, and all logs; how many entries."""
        shutil.rmtree(self.root / _LOGS, ignore_errors=True)
        shutil.rmtree(self.root / "runs", ignore_errors=True)
        return self._remove_above(0)

    def _remove_above(self, most: int) -> int:
        entries = self.entries()
        size, removed = sum(entry.bytes for entry in entries), 0
        for entry in entries:
            if size <= most:
                break
            if self._remove(entry):
                size, removed = size - entry.bytes, removed + 1
        return removed

    def _remove(self, entry: EntrySize) -> bool:
        """Remove an entry unless it is in use."""
        folder = self.root / entry.kind / entry.name
        used, lock = (folder.with_name(f".{entry.name}.{what}") for what in ("used", "lock"))
        try:
            with Lock(used, wait=False), Lock(lock, wait=False):
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink()
                used.unlink()
        except BlockingIOError:
            return False
        return True

    def keep_log(self, log: Path, what: Name) -> Path:
        """Copy the log of what has failed to where it stays for a week; its new place."""
        folder = self.root / _LOGS
        folder.mkdir(exist_ok=True, mode=0o700)
        for old in older_than(_LOGS_KEPT_SECONDS, folder):
            old.unlink(missing_ok=True)
        kept = folder / f"{what}-{secrets.token_hex(4)}-{log.name}"
        write_whole(kept, log.read_bytes())
        return kept


@contextmanager
def _growing(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, removed if it is still there at the end."""
    growing = folder.with_name(f".{folder.name}")
    _discard(growing)
    growing.mkdir(mode=0o700)
    try:
        yield growing
    finally:
        shutil.rmtree(growing, ignore_errors=True)


def _discard(path: Path) -> None:
    """Remove what lies at a path: a folder, or whatever has taken its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of an entry."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def _fault(folder: Path) -> str:
    """Why an entry cannot be used; empty if it can."""
    try:
        lock = folder.with_name(f".{folder.name}.lock")
        found = {path: path.lstat() for path in (folder, lock, *folder.iterdir())}
        if fault := next(filter(None, map(not_ours, found.values())), ""):
            return fault
        if not all(stat.S_ISREG(status.st_mode) for path, status in found.items() if path != folder):
            return "is damaged"
        if json.loads(lock.read_text(encoding="utf-8")) != _checksums(folder):
            return "is damaged"
    except (OSError, ValueError):
        return "is damaged"
    return ""
