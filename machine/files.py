"""Files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
        with _naming(path):
            path.write_bytes(content)
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _naming(path):
        handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(name, 0o644)
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error name the file that was asked for: a full disk names none, the rest the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from None
