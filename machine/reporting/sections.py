"""Parts of a page: figures that stand above everything else, and sections."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..drawing import Drawing

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class MainFigure:
    """A figure that a reader wants first.

    Parameters
    ----------
    name, value : str
    bounds : str
        What stands below it, smaller.
    """

    name: str
    value: str
    bounds: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page.

    Parameters
    ----------
    title : str
        Empty for the only one of a page.
    warnings : tuple of str
    tables : tuple of Table
    notes : tuple of str
        Lines below the tables.
    pictures : tuple of Drawing
    details : tuple of (str, Table)
        Too long for most readers: folded behind a line until they are asked for.
    """

    title: str = ""
    warnings: tuple[str, ...] = ()
    tables: "tuple[Table, ...]" = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Drawing, ...] = ()
    details: "tuple[tuple[str, Table], ...]" = ()
