"""Records of results as comma-separated values: plain numbers, one thing a row."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from math import isinf, isnan
from numbers import Number
from pathlib import Path
from typing import Any

#: Figures of one thing by their names.
Record = Mapping[str, Any]
#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(records: Sequence[Record]) -> str:
    """Records as comma-separated values of RFC 4180: a header, lines that end in CR LF, quotes where they are needed.

    Numbers have all their digits, no thousands separators and no units; what is missing, not a number or infinite is
    empty. A text that a spreadsheet would take for a formula, such as a layer named ``=1+1`` by a file, has an
    apostrophe in front.

    Parameters
    ----------
    records : sequence of mapping
        The header has the names of all of them, in the order in which they appear.
    """
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.writer(text)
    if names:
        writer.writerow(map(_cell, names))
    writer.writerows([_cell(record.get(name)) for name in names] for record in records)
    return text.getvalue()


def record_of(thing: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """The fields of a dataclass as a record; those of a dataclass in it have its name in front.

    Parameters
    ----------
    thing : dataclass
    without : iterable of str
        Fields that are left out, beside those that are lists of other things.
    """
    left_out = set(without)
    record: dict[str, Any] = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if field.name in left_out or not field.metadata.get("written", True):
            continue
        if is_dataclass(value):
            record |= {f"{field.name}_{name}": inner for name, inner in record_of(value).items()}
        elif value is None or isinstance(value, str | Number | Path):
            record[field.name] = value
        elif isinstance(value, tuple) and all(isinstance(item, str | Number) for item in value):
            record[field.name] = " ".join(map(str, value))
    return record


def _cell(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value).lower()
    if isinstance(value, Number):
        real = float(value)  # type: ignore[arg-type]
        return "" if isnan(real) or isinf(real) else value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
