"""A space of designs, read from a TOML file: axes, what a design must keep to, what is sought."""

import operator
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from spinplane.device import load_technology, technology_names
from spinplane.machine import Machine, Name, SpinplaneError, clock_hz, load_machine, machine_names
from spinplane.machine.arguments import as_path, is_path, refusal
from spinplane.machine.errors import shown
from spinplane.machine.toml_files import check_keys, read_toml
from spinplane.machine.typed import exactly, number, typed

from ..models import shipped_networks
from .figures import FIGURES, Figures

#: A clock of a space beside those with a unit: the fastest at which the arrays work.
FASTEST = "fastest"
SEARCHES = ("grid", "random", "optuna")
#: Designs of a space that are tried, at most.
MOST_POINTS = 100_000
_FIELDS = tuple(field.name for field in fields(Machine) if field.name not in ("name", "description"))
_KEYS = (
    *("base", "networks", "bits", "batch", "technologies", "clocks", "search", "points", "seed"),
    *("space", "constraints", "objectives", "accuracy"),
)
_RELATIONS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}
_BOUND = re.compile(r"(<=|>=) ?([-+\d.e]{1,24})")


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """What a design must keep to.

    Parameters
    ----------
    figure : str
        Of `FIGURES`.
    relation : {"<=", ">="}
    bound : float
    """

    figure: str
    relation: Literal["<=", ">="]
    bound: float

    def holds(self, figures: Figures) -> bool:
        """Whether a design keeps to it."""
        return _RELATIONS[self.relation](getattr(figures, self.figure), self.bound)

    def excess(self, figures: Figures) -> float:
        """How far a design is beyond it: above 0 if it is."""
        beyond = getattr(figures, self.figure) - self.bound
        return beyond if self.relation == "<=" else -beyond

    def __str__(self) -> str:
        return f"{self.figure} {self.relation} {self.bound:g}"


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A figure that is sought.

    Parameters
    ----------
    figure : str
        Of `FIGURES`.
    largest : bool
        Whether the largest is best, and not the smallest.
    """

    figure: str
    largest: bool

    def cost(self, figures: Figures) -> float:
        """The figure, or its negative: the smallest is best."""
        value = float(getattr(figures, self.figure))
        return -value if self.largest else value

    def __str__(self) -> str:
        return f"{'largest' if self.largest else 'smallest'} {self.figure}"


@dataclass(frozen=True, kw_only=True)
class AccuracyRequest:
    """How accuracy is measured: the shipped digits in memories drawn from the technology.

    Parameters
    ----------
    images : int
    maps : int
        Fault maps of each design; with 0 the cells do not vary.
    """

    images: int
    maps: int


@dataclass(frozen=True, kw_only=True)
class Space:
    """A space of designs.

    Parameters
    ----------
    name : str
        Of the file, as part of other names.
    base : Machine
        What the axes do not say. What it leaves to the number of sub-arrays or columns follows those of each design.
    axes : dict of str to tuple
        Values of fields of `Machine`, as a machine file has them but for quotes.
    networks : tuple of str
        See `spinplane.open_model`.
    batches : tuple of str
        Images of a run: whole numbers from 1.
    technologies : tuple of str
    clocks : tuple of str
        See `spinplane.machine.clock_hz`, or `FASTEST`.
    constraints : tuple of Constraint
    objectives : tuple of Objective
        The first one ranks.
    search : {"grid", "random", "optuna"}
    points : int
        Designs of a random or an optimised search.
    seed : int
    accuracy : AccuracyRequest or None
    files : dict of str to Path
        Networks and technologies that are files, by their names in the space's file.
    """

    name: str
    base: Machine
    axes: dict[str, tuple[str, ...]]
    networks: tuple[str, ...]
    batches: tuple[str, ...]
    technologies: tuple[str, ...]
    clocks: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    objectives: tuple[Objective, ...]
    search: str
    points: int
    seed: int
    accuracy: AccuracyRequest | None
    files: dict[str, Path]

    @property
    def dimensions(self) -> dict[str, tuple[str, ...]]:
        """Values of everything in which designs differ: the machine's fields, its program's, and those of its runs."""
        of_programs = {"network": self.networks, "batch": self.batches}
        return {**self.axes, **of_programs, "technology": self.technologies, "clock": self.clocks}

    @property
    def asked(self) -> tuple[str, ...]:
        """Figures of objectives and constraints, each once."""
        objectives, constraints = (
            (one.figure for one in self.objectives),
            (one.figure for one in self.constraints),
        )
        return tuple(dict.fromkeys((*objectives, *constraints)))

    @property
    def size(self) -> int:
        """Designs of the whole space."""
        size = 1
        for values in self.dimensions.values():
            size *= len(values)
        return size

    def machine(self, values: Mapping[str, str]) -> Machine:
        """The base with the values of some fields.

        Raises
        ------
        SpinplaneError
            If there is no such machine.
        """
        left_out: dict[str, Any] = {key: 0 for key in _completed(self.base) if key not in self.axes}
        given: dict[str, Any] = {key: _setting(values[key]) for key in self.axes}
        return replace(self.base, **left_out, **given)


def _setting(text: str) -> int | bool | str:
    """A value of a machine's field."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdecimal() and text.isascii() else text


def _completed(machine: Machine) -> list[str]:
    """Fields that have the value which they get when they are left out."""
    keys = ("row_buses", "results_per_cycle", "bus_bits", "multipliers")
    left_out: list[dict[str, Any]] = [{key: 0} for key in keys]
    return [key for key, fields in zip(keys, left_out, strict=True) if replace(machine, **fields) == machine]


def as_space(space: Space | str | Path) -> Space:
    """A space as it is given, or from its file.

    Raises
    ------
    SpinplaneError
        If it is neither, and as `read_space`.
    """
    if isinstance(space, Space):
        return space
    if not is_path(space):
        raise refusal("space", space, "a Space, or the path of its file")
    return read_space(as_path("space", space))


def read_space(path: Path) -> Space:
    """Read a space from a TOML file.

    Parameters
    ----------
    path : Path
        Other files that it names are beside it.

    Raises
    ------
    SpinplaneError
        If it cannot be read, a key is unknown or missing, or a value is not allowed.
    """
    source = f"space {path}"
    table = read_toml(path, source)
    try:
        check_keys(table, _KEYS)
        name = Name(re.sub(r"[^\w-]", "-", path.stem, flags=re.ASCII) or "space")
        return typed(source, lambda: _space(table, path.parent, str(name)))
    except SpinplaneError as error:
        text = str(error)
        raise SpinplaneError(text if text.startswith(source) else f"{source}: {text}") from None


def _space(table: dict[str, Any], folder: Path, name: str) -> Space:
    search = exactly(str, table.get("search", "grid"))
    if search not in SEARCHES:
        raise SpinplaneError(f"search = {shown(search)}: must be one of {', '.join(SEARCHES)}")
    axes = _table(table, "space")
    check_keys(axes, _FIELDS, "space.")
    base = _text(table, "base", "paper")
    networks, technologies = _networks(table), _texts(table, "technologies", ["sot-mram"])
    space = Space(
        name=name,
        base=load_machine(_files(folder, (base,), machine_names()).get(base, base)),
        axes={key: _axis(f"space.{key}", value) for key, value in axes.items()},
        networks=networks,
        batches=_batches(table),
        technologies=technologies,
        clocks=_texts(table, "clocks", [FASTEST]),
        constraints=_constraints(_table(table, "constraints")),
        objectives=_objectives(_table(table, "objectives")),
        search=search,
        points=_whole(table, "points", 0, MOST_POINTS, 0 if search == "grid" else None),
        seed=_whole(table, "seed", 0, 2**32 - 1, 0),
        accuracy=_accuracy(table),
        files=_files(folder, networks, shipped_networks()) | _files(folder, technologies, technology_names()),
    )
    _check(space)
    return space


def _check(space: Space) -> None:
    """Refuse what no design of the space could be asked for."""
    for technology in space.technologies:
        load_technology(space.files.get(technology, technology))
    for clock in space.clocks:
        if clock != FASTEST:
            clock_hz(clock)
    if space.search == "grid":
        if space.points:
            raise SpinplaneError(
                'points: a grid has all of its designs; must be left out, or search = "random"'
            )
        if space.size > MOST_POINTS:
            raise SpinplaneError(
                f'a grid of {space.size:,} designs: must be at most {MOST_POINTS:,}, or search = "random"'
            )
    elif not 1 <= space.points <= space.size:
        raise SpinplaneError(
            f"points = {space.points}: must be from 1 to the {space.size:,} designs of the space"
        )
    if space.search == "optuna" and len(space.networks) > 1:
        raise SpinplaneError(
            'search = "optuna": figures of several networks do not compare: name one network'
        )
    if "accuracy" in space.asked and space.accuracy is None:
        raise SpinplaneError("accuracy is asked for: a table [accuracy] must tell images and maps")


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    return exactly(dict, table.get(key, {}))


def _text(table: dict[str, Any], key: str, usual: str) -> str:
    return str(exactly(str, table.get(key, usual)))


def _texts(table: dict[str, Any], key: str, usual: list[str]) -> tuple[str, ...]:
    found = [str(exactly(str, one)) for one in exactly(list, table.get(key, usual))]
    return _different(key, found)


def _different(key: str, values: list[str]) -> tuple[str, ...]:
    if not values:
        raise SpinplaneError(f"{key} = []: must have at least one value")
    if len(set(values)) < len(values):
        raise SpinplaneError(f"{key} = {shown(values)}: a value is there twice")
    return tuple(values)


def _whole(table: dict[str, Any], key: str, low: int, high: int, usual: int | None) -> int:
    if key not in table and usual is None:
        raise SpinplaneError(f"missing key {key!r}: how many designs are tried")
    value = table.get(key, usual)
    if type(value) is not int or not low <= value <= high:
        raise SpinplaneError(f"{key} = {shown(value)}: must be a whole number from {low} to {high}")
    return value


def _axis(key: str, value: Any) -> tuple[str, ...]:
    """A single value, a list of them, or a range."""
    if isinstance(value, dict):
        return tuple(map(str, _range(key, value)))
    values = value if isinstance(value, list) else [value]
    for one in values:
        if type(one) not in (int, str, bool):
            raise SpinplaneError(f"{key}: {shown(one)}: must be a whole number, text, true or false")
    return _different(key, [str(one).lower() if type(one) is bool else str(one) for one in values])


def _range(key: str, table: dict[str, Any]) -> list[int]:
    """From a number to another one, by a step or a factor."""
    check_keys(table, ("from", "to", "step", "factor"), f"{key}.")
    if not {"from", "to"} <= set(table) or ("step" in table) == ("factor" in table):
        raise SpinplaneError(f"{key} = {shown(table)}: must have from, to, and either step or factor")
    low, high, by = (
        exactly(int, table[one]) for one in ("from", "to", "step" if "step" in table else "factor")
    )
    if low < 1 or high < low or by < (1 if "step" in table else 2):
        raise SpinplaneError(
            f"{key} = {shown(table)}: must go up from 1 or more, by 1 or more, a factor of 2 or more"
        )
    found = []
    while low <= high:
        found.append(low)
        if len(found) > MOST_POINTS:
            raise SpinplaneError(f"{key} = {shown(table)}: more than {MOST_POINTS:,} values")
        low = low + by if "step" in table else low * by
    return found


def _networks(table: dict[str, Any]) -> tuple[str, ...]:
    if "networks" not in table:
        raise SpinplaneError("missing key 'networks'")
    names = _texts(table, "networks", [])
    if "bits" in table:
        return tuple(f"{name}:{bits}" for name in names for bits in _texts(table, "bits", []))
    return names


def _batches(table: dict[str, Any]) -> tuple[str, ...]:
    found = _axis("batch", table.get("batch", 1))
    for one in found:
        if not (one.isascii() and one.isdecimal() and int(one)):
            raise SpinplaneError(f"batch: {shown(one)}: must be a whole number from 1")
    return found


def _files(folder: Path, names: Iterable[str], known: Container[str]) -> dict[str, Path]:
    """Those of the names that the package does not know, and that are files beside the space's."""
    return {
        name: (folder / name).resolve() for name in names if name not in known and (folder / name).is_file()
    }


def _constraints(table: dict[str, Any]) -> tuple[Constraint, ...]:
    check_keys(table, FIGURES, "constraints.")
    found = []
    for figure, text in table.items():
        for part in exactly(str, text).split(","):
            bound = _BOUND.fullmatch(part.strip())
            try:
                value = float(bound[2]) if bound else None
            except ValueError:
                value = None
            if bound is None or value is None or not isfinite(value):
                raise SpinplaneError(
                    f'constraints.{figure} = {shown(text)}: must be as "<= 5" or ">= 0.9, <= 1"'
                )
            relation: Literal["<=", ">="] = "<=" if bound[1] == "<=" else ">="
            found.append(Constraint(figure=figure, relation=relation, bound=number(value)))
    return tuple(found)


def _objectives(table: dict[str, Any]) -> tuple[Objective, ...]:
    check_keys(table, ("smallest", "largest"), "objectives.")
    found = []
    for way, figures in table.items():
        for figure in exactly(list, figures):
            if figure not in FIGURES:
                raise SpinplaneError(
                    f"objectives.{way}: {shown(figure)}: must be one of {', '.join(FIGURES)}"
                )
            found.append(Objective(figure=figure, largest=way == "largest"))
    if len({one.figure for one in found}) < len(found):
        raise SpinplaneError("objectives: a figure is there twice")
    usual = (Objective(figure="energy_uj", largest=False), Objective(figure="area_mm2", largest=False))
    return tuple(found) or usual


def _accuracy(table: dict[str, Any]) -> AccuracyRequest | None:
    if "accuracy" not in table:
        return None
    own = _table(table, "accuracy")
    check_keys(own, ("images", "maps"), "accuracy.")
    return AccuracyRequest(
        images=_whole(own, "images", 1, 100_000, 100), maps=_whole(own, "maps", 0, 1000, 0)
    )
