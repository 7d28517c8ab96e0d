"""Commands that help to type: all names, and what completes them in a shell."""

from typing import Literal

import spinplane

from .answer import Answer
from .options import FILE, FileOptions


def list(
    kind: Literal["networks", "machines", "technologies", "baselines", "data-sets"] | None = None,
    *,
    files: FileOptions = FILE,
) -> Answer:
    """List everything that has a name: networks, machines, technologies, other hardware, data sets.

    Parameters
    ----------
    kind
        Only these.
    """
    return Answer(result=spinplane.catalogue(kind), files=files)


def completion(shell: Literal["bash", "zsh", "fish"]) -> None:
    """Print a script that completes commands and options in a shell.

    Parameters
    ----------
    shell
        Which one.
    """
    from spinplane.cli import app

    print(app.generate_completion(prog_name="spinplane", shell=shell))
