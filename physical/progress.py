"""What a person at a terminal sees of a long run."""

from rich.console import Console
from rich.progress import Progress


def progress() -> Progress:
    """A bar for a person at a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
