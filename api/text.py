"""Tables as text, results as JSON."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from spinplane.machine.files import write_whole

_WIDTH = 120


def table_text(table: RenderableType) -> str:
    """A rich table as plain text, the same on every terminal."""
    console = Console(width=_WIDTH, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` as JSON, see `write_whole`."""
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
