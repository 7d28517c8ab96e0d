"""Locks between processes: files that are held."""

import fcntl
import os
from pathlib import Path


class Lock:
    """A file, made if it is missing, and locked until `close`, or until nothing refers to this or the process ends.

    Parameters
    ----------
    path : Path
    shared : bool
        Others may share it.
    wait : bool
        Wait for those who hold it.

    Raises
    ------
    BlockingIOError
        If another holds it and `wait` is false.
    """

    def __init__(self, path: Path, *, shared: bool = False, wait: bool = True) -> None:
        self.path = path
        self._handle = -1
        how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
        while not self._is_in_place():
            self.close()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._handle, how)

    def _is_in_place(self) -> bool:
        """Whether the file is held and still has its name: who held it before may have removed it."""
        if self._handle < 0:
            return False
        try:
            return os.path.samestat(os.fstat(self._handle), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let others have it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
