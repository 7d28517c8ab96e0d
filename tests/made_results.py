"""A result of every kind whose texts are hostile: each field is filled by its type."""

from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

import spinplane
from spinplane.device import load_technology
from spinplane.device.electrical import electrical
from spinplane.machine import Electrical, Machine, load_machine
from spinplane.reproduction.evidence import NETWORKS
from spinplane.reproduction.row import Row

#: A name that a file can give to whatever it likes.
HOSTILE = "=1+1<script>alert('x')</script>\n&\"\x1b[31m" + "long " * 60
#: Values of fields, by class and name, that do not follow from their types.
_GIVEN: dict[tuple[str, str], Any] = {
    ("Configuration", "bits"): "1:4:8",
    ("EventEnergy", "group"): "array",
    ("Figure", "unit"): "J",
    ("Constraint", "figure"): "cycles",
    ("LayerRun", "outputs"): None,
    ("Objective", "figure"): "energy_uj",
    ("Point", "values"): dict.fromkeys((HOSTILE, "network", "batch", "technology", "clock"), HOSTILE),
    ("Trace", "before"): None,
    ("Trace", "pool"): "NONE",
    ("Trace", "residual"): None,
    ("Trace", "window"): 0,
}


class _Any(dict):  # type: ignore[type-arg]
    """Parameters of a layer, all of them 1."""

    def __missing__(self, key: str) -> int:
        return 1


def made_result(kind: str) -> Any:
    """A result of a kind, see `spinplane.report.results.KINDS`."""
    if kind == "PaperReport":
        ids = [f"table2.{data}.energy.bcnn-sot.{part}" for data in NETWORKS for part in ("core", "all")]
        rows = tuple(_made(Row, id=id) for id in ids)
        return _made(spinplane.PaperReport, rows=rows)
    return _made(getattr(spinplane, kind))


def _made(kind: type, **given: Any) -> Any:
    hints = get_type_hints(kind)
    for field in fields(kind):
        if field.name in given or (kind.__name__, field.name) in _GIVEN:
            given.setdefault(field.name, _GIVEN.get((kind.__name__, field.name)))
        elif field.name == "drawn" or (field.default is not MISSING and field.name == "failure"):
            continue
        else:
            given[field.name] = _value(hints[field.name])
    return kind(**given)


def _value(hint: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _value(next(one for one in inner if one is not NoneType))
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return (_value(inner[0]),) if inner[1:] == (Ellipsis,) else tuple(map(_value, inner))
    if origin is list:
        return [_value(inner[0])]
    if origin is dict:
        return _Any({HOSTILE: 1}) if inner[1] is int else {_value(inner[0]): _value(inner[1])}
    if hint is Machine:
        return load_machine("tiny")
    if hint is Electrical:
        return electrical(load_technology("sot-mram"))
    if hint is np.ndarray:
        return np.ones((1, 2, 1, 1))
    if is_dataclass(hint):
        return _made(hint)  # type: ignore[arg-type]
    plain = {str: HOSTILE, bool: True, int: 1, float: 0.5, Path: Path("no") / HOSTILE[:20]}
    return plain.get(hint, HOSTILE)
