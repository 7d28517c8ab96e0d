"""Files that appear whole or not at all."""

import errno
import fcntl
import gzip
import logging
import os
import secrets
import shutil
import stat
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path

from .errors import SpinplaneError

#: How the names of folders begin that hold what is not yet whole.
_SCRATCH = ".spinplane-new-"
_written: ContextVar[dict[Path, int] | None] = ContextVar("files that were written", default=None)

_log = logging.getLogger("spinplane")


@contextmanager
def noting_files() -> Iterator[dict[Path, int]]:
    """Note what is written for the user: each file, or a folder with the number of its files."""
    noted: dict[Path, int] = {}
    before = _written.set(noted)
    try:
        yield noted
    finally:
        _written.reset(before)


def note_written(path: Path, files: int = 1) -> None:
    """Note a file that is whole now, or a folder with so many."""
    if (noted := _written.get()) is not None:
        noted[path] = files


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole, or leave it as it was.

    A link is followed; a device or a pipe, which cannot be replaced, is written to.

    Parameters
    ----------
    path : Path
        Missing folders on the way to it are made.
    content : bytes

    Raises
    ------
    OSError
        If it cannot be written, with the file's name.
    """
    if path.exists() and not path.is_file():
        write_file(path, content)
        return
    target = path.resolve()
    with making_folders(target.parent), naming(path), scratch_folder(target.parent) as scratch:
        new = scratch / target.name
        write_file(new, content)
        new.chmod(0o644)
        os.replace(new, target)
    note_written(path)


def write_file(path: Path, content: bytes) -> None:
    """Write a file in a folder that goes with the process; as `write_whole`, it names the file that it cannot write."""
    with naming(path):
        path.write_bytes(content)


@contextmanager
def making_folders(folder: Path) -> Iterator[None]:
    """Make a folder and those on the way to it; if what follows fails, those that it made go again."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    failed = True
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
        failed = False
    finally:
        if failed:
            with suppress(OSError):
                for one in made:
                    one.rmdir()


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A folder for what is not yet whole, in the folder of what it becomes; it goes at the end.

    A process that was killed leaves its folder behind. The next one that works in the same place removes it: each holds
    a lock on its own, which ends with the process. What is given is a folder inside, so that it can be a parent, too.

    Parameters
    ----------
    parent : Path

    Raises
    ------
    OSError
        If it cannot be made.
    """
    folder = parent / f"{_SCRATCH}{secrets.token_hex(8)}"
    with ExitStack() as lock:
        try:
            with _locked(parent):
                for left in parent.glob(f"{_SCRATCH}*"):
                    with suppress(OSError), _locked(left, wait=False):
                        shutil.rmtree(left, ignore_errors=True)
                folder.mkdir(mode=0o700)
                lock.enter_context(_locked(folder))
            inside = folder / "new"
            inside.mkdir()
            yield inside
        finally:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:  # where an interrupt has ended the first attempt
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder as `scratch_folder` makes it, among the system's temporary ones: in one that is this user's alone.

    Raises
    ------
    SpinplaneError
        If the folder of this user's name is somebody else's.
    OSError
        If it cannot be made.
    """
    own = Path(tempfile.gettempdir()) / f"spinplane-{os.geteuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SpinplaneError(
            f"{own}: must be a folder that only this user can open; TMPDIR can name another place"
        )
    with scratch_folder(own) as folder:
        yield folder


@contextmanager
def _locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a folder's lock, where the file system has locks of folders; without waiting, a held one is an OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if not wait or error.errno not in (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):
                raise
        yield
    finally:
        os.close(handle)


def older_than(seconds: float, folder: Path) -> Iterator[Path]:
    """What lies in a folder and was last changed so long ago; another process may remove it in the meantime."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > seconds:
                yield path


def read_file(path: Path, source: str, most_bytes: int) -> bytes:
    """The content of a file.

    Parameters
    ----------
    path : Path
    source : str
        The file as messages name it.
    most_bytes : int

    Raises
    ------
    SpinplaneError
        If it is not a file, cannot be read, or is larger.
    """
    try:
        # A pipe would be waited for, and a device never ends.
        if path.exists() and not path.is_file():
            raise SpinplaneError(f"{source}: cannot be read: not a file")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, SpinplaneError):
            raise
        reason = error.strerror if isinstance(error, OSError) else None
        raise SpinplaneError(f"{source}: cannot be read: {reason or error}") from None
    if len(content) > most_bytes:
        raise SpinplaneError(f"{source}: larger than {most_bytes} bytes")
    _log.info("read %s: %d bytes", path, len(content))
    return content


def read_unpacked(path: Path, source: str, most_bytes: int) -> bytes:
    """The content of a file that may be gzipped; as `read_file`, also where it unpacks to more bytes or is damaged."""
    content = read_file(path, source, most_bytes)
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.GzipFile(fileobj=BytesIO(content)) as packed:
            unpacked = packed.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SpinplaneError(f"{source}: cannot be read: {error}") from None
    if len(unpacked) > most_bytes:
        raise SpinplaneError(f"{source}: larger than {most_bytes} bytes")
    return unpacked


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error name the file that is written: that of a full disk names none, others the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
