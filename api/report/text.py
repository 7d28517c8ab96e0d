"""Tables as text."""

from rich.console import Console, RenderableType

_WIDTH = 120


def table_text(table: RenderableType, width: int = _WIDTH) -> str:
    """A rich table as plain text of so many columns, the same on every terminal, its texts as they are."""
    console = Console(width=width, color_system=None, markup=False, emoji=False, force_jupyter=False)
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
