"""What the surviving text of the paper prints."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from spinplane.evaluation import Interval
from spinplane.machine import SpinplaneError
from spinplane.machine.toml_files import check_keys, read_toml
from spinplane.machine.typed import typed

from ..report.codec import plain_converter
from .row import Row, Verdict


@dataclass(frozen=True, kw_only=True)
class Printed:
    """An item of the paper.

    Parameters
    ----------
    id : str
    item : str
        What it is.
    unit : str
    printed : str, optional
        The characters of the surviving text.
    value : float, optional
        What they mean, in `unit`.
    why : str
        Why there is no value; or what is to be said of it.
    """

    id: str
    item: str
    unit: str
    printed: str | None = None
    value: float | None = None
    why: str = ""

    @property
    def number(self) -> float:
        """Its value.

        Raises
        ------
        ValueError
            If the text prints none.
        """
        if self.value is None:
            raise ValueError(f"{self.id}: no number is printed")
        return self.value

    def row(
        self,
        ours: Interval,
        how: str,
        *,
        of: str = "",
        what: str = "",
        why: str = "",
        verdict: Verdict | None = None,
    ) -> Row:
        """A row of it.

        Parameters
        ----------
        ours : Interval
            In the item's unit.
        how : str
        of : str
            Behind the item's id, where it has several rows.
        what : str
            Behind its name then.
        why : str
            In place of the item's own, or behind it.
        verdict : {"holds", "fails", "cannot be judged"}, optional
        """
        missing = f"no {ours.missing}" if ours.value is None and ours.missing else ""
        open_ends = not ours.low == ours.value == ours.high
        return Row(
            id=f"{self.id}.{of}" if of else self.id,
            item=f"{self.item}, {what}" if what else self.item,
            printed=self.printed,
            paper=self.value,
            ours=ours.value,
            low=ours.low if open_ends else None,
            high=ours.high if open_ends else None,
            unit=self.unit,
            verdict=verdict,
            how=how,
            why="; ".join(part for part in (self.why, why, missing) if part),
        )


@dataclass(frozen=True, kw_only=True)
class Section:
    """A figure, a table or a group of claims.

    Parameters
    ----------
    title : str
    items : tuple of Printed
    """

    title: str
    items: tuple[Printed, ...]


@cache
def printed_sections() -> tuple[Section, ...]:
    """All that the paper has, in the order of its rows.

    Raises
    ------
    SpinplaneError
        If an item is there twice, or a key is unknown.
    """
    file = Path(str(files(__package__))) / "printed.toml"
    table = read_toml(file, file.name)
    check_keys(table, ["sections"])
    sections = typed(
        file.name, lambda: tuple(plain_converter().structure(one, Section) for one in table["sections"])
    )
    ids = [item.id for section in sections for item in section.items]
    for one in ids:
        if ids.count(one) > 1:
            raise SpinplaneError(f"{file.name}: {one!r} is there twice")
    return sections


def printed(id: str) -> Printed:
    """An item by its id."""
    return next(item for section in printed_sections() for item in section.items if item.id == id)
