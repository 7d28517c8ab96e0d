"""What a person at a terminal sees of a long run."""

import logging
import sys

from rich.console import Console
from rich.progress import Progress


def progress() -> Progress:
    """A bar for a person at a terminal, and nothing elsewhere, or where the log says more or less than warnings."""
    ordinary = logging.getLogger("spinplane").getEffectiveLevel() == logging.WARNING
    return Progress(
        console=Console(stderr=True), transient=True, disable=not (sys.stderr.isatty() and ordinary)
    )
