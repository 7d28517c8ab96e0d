"""Published figures of other hardware, to stand beside the machine's."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from spinplane.machine.toml_files import read_toml


@dataclass(frozen=True, kw_only=True)
class Silicon:
    """A published figure.

    Parameters
    ----------
    name, what : str
        The hardware, and what it is.
    process_nm : int
    figure : str
        What the value is of.
    value : float
    unit : str
    source : str
    """

    name: str
    what: str
    process_nm: int
    figure: str
    value: float
    unit: str
    source: str


def published_silicon() -> tuple[Silicon, ...]:
    """All figures of ``silicon.toml``."""
    table = read_toml(Path(str(files(__package__))) / "silicon.toml", "published silicon")
    return tuple(Silicon(**{**entry, "value": float(entry["value"])}) for entry in table["figures"])
