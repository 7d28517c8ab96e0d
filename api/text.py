"""Tables as text, files that appear whole."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

_WIDTH = 120


def table_text(table: RenderableType) -> str:
    """A rich table as plain text, the same on every terminal, its texts as they are."""
    console = Console(width=_WIDTH, color_system=None, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there with all of its content, or as it was before.

    A link is followed; a device or a pipe, which cannot be replaced, is written to.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, see `write_whole`."""
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
