"""A memory technology as data: parameters with their sources, the bit cell and the drives of its lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from spinplane.machine import Name, SpinplaneError
from spinplane.machine.arguments import as_path, is_path, refusal
from spinplane.machine.choices import nearest, one_of
from spinplane.machine.errors import shown
from spinplane.machine.parameter import Parameter, is_line, read_parameter
from spinplane.machine.toml_files import check_keys, read_toml

from .parameters import BY_RESISTANCE, BY_TORQUE, LISTS, MESH, OPTIONAL, known_keys

#: What a line can be tied to; ``write`` is the write voltage, ``read`` a source of the read current.
DRIVES = ("0", "vdd", "+write", "-write", "read", "float")
OPERATIONS = ("write_0", "write_1", "read")
#: What shares a line. A mesh is always grounded.
WAYS = ("row", "column", "mesh")
_SENSING: dict[str, tuple[str | int, ...]] = {"quantity": ("voltage", "current"), "amplifiers": (1, 2)}
_KINDS = ("transistor", "half_heavy_metal", "mtj")
_TEXTS = ("name", "description", "structure", "torque", "resistance", "easy_axis", "polarisation")
_ALLOWED = {
    "torque": tuple(BY_TORQUE),
    "resistance": tuple(BY_RESISTANCE),
    "easy_axis": ("x", "y", "z"),
    "polarisation": ("x", "y", "z"),
}


@dataclass(frozen=True, kw_only=True)
class Element:
    """One element of the bit cell.

    Parameters
    ----------
    name : str
    kind : {"transistor", "half_heavy_metal", "mtj"}
    between : tuple of str
        Lines or inner nodes at its two ends; of the junction, the free layer's side is the second.
    gate : str
        Line that switches a transistor on; empty for others.
    resistance : str
        Parameter with the resistance of a transistor that is on; empty for others.
    """

    name: str
    kind: str
    between: tuple[str, str]
    gate: str = ""
    resistance: str = ""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """How the lines are driven in one operation.

    Parameters
    ----------
    selected : mapping of str to str
        Drive of each line of the cells that take part.
    other_rows : mapping of str to str
        Drive of the row lines of the other rows.
    idle_columns : mapping of str to str
        Drive of the column lines of columns that do not take part.
    conducts : tuple of str
        Elements through which current is meant to flow, and no others.
    """

    selected: Mapping[str, str]
    other_rows: Mapping[str, str]
    idle_columns: Mapping[str, str]
    conducts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sensing:
    """How a bit line is sensed.

    Parameters
    ----------
    quantity : {"voltage", "current"}
        Compared with a reference: the voltage at which the cells take the read current, or the current that they take
        at a voltage to which the bit line is clamped.
    amplifiers : {1, 2}
        Sense amplifiers of a bit line. One has the three references of read, AND and OR, of which one is enabled. Of
        two, the second one has that of OR, and both decide at once: XOR = OR ∧ ¬AND in one access.
    """

    quantity: str
    amplifiers: int


@dataclass(frozen=True, kw_only=True)
class Technology:
    """A memory technology.

    ``technology["mtj.length"]`` is a parameter in SI units.

    Parameters
    ----------
    name : Name
        Letters, digits, ``-`` and ``_``.
    description : str
    structure : str
        Of the bit cell, as ``"2T1R"``.
    torque : {"spin_hall", "spin_transfer"}
        What writes.
    resistance : {"negf", "direct"}
        Model of the junction's resistance.
    easy_axis : {"x", "y", "z"}
        x along the length of the junction, y along its width, z out of the plane.
    polarisation : {"x", "y", "z"}
        Of the spins that write: of the pinned layer, or in the plane across the current in the heavy metal.
    sensing : Sensing
    parameters : mapping of str to Parameter
    lines : mapping of str to {"row", "column", "mesh"}
        Lines of the array, and whether a row, a column or the whole array shares one.
    elements : tuple of Element
    operations : mapping of str to Operation
        ``write_0``, ``write_1`` and ``read``, which holds for AND and OR too.

    Raises
    ------
    SpinplaneError
        If the name has other characters, or the spins that write are not polarised along the easy axis.
    """

    name: Name
    description: str
    structure: str
    torque: str
    resistance: str
    easy_axis: str
    polarisation: str
    sensing: Sensing
    parameters: Mapping[str, Parameter]
    lines: Mapping[str, str]
    elements: tuple[Element, ...]
    operations: Mapping[str, Operation]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", Name(self.name))
        if self.torque == "spin_hall" and self.polarisation == "z":
            raise SpinplaneError(
                "polarisation = 'z': the spin Hall effect polarises in the plane: must be one of x, y"
            )
        if self.polarisation != self.easy_axis:
            raise SpinplaneError(
                f"polarisation = {self.polarisation!r}, easy_axis = {self.easy_axis!r}: such a cell is switched across "
                "its easy axis and needs a field; the model covers spins along the easy axis alone"
            )

    def __getitem__(self, key: str) -> float:
        value = self.parameters[key].si
        if isinstance(value, tuple):
            raise TypeError(f"{key} is a list")
        return value

    def numbers(self, key: str) -> tuple[float, ...]:
        """A parameter that is a list, in SI units."""
        value = self.parameters[key].si
        if not isinstance(value, tuple):
            raise TypeError(f"{key} is not a list")
        return value

    def with_values(self, values: Mapping[str, float]) -> "Technology":
        """The same technology with other values, in the units of its own; marked as assumed.

        Parameters
        ----------
        values : mapping of str to float

        Raises
        ------
        SpinplaneError
            For an unknown key or a value out of range.
        """
        known = known_keys(self.torque, self.resistance) | OPTIONAL
        changed = dict(self.parameters)
        for key, value in values.items():
            if key not in changed:
                raise SpinplaneError(f"unknown parameter {key!r}: must be {one_of(key, changed)}")
            entry = {
                "value": value,
                "unit": changed[key].unit,
                "mark": "assumed",
                "source": "given by the user",
            }
            changed[key] = read_parameter(key, entry, known[key], LISTS.get(key))
        return replace(self, parameters=changed)

    def element(self, kind: str) -> Element:
        """The first element of a kind."""
        return next(element for element in self.elements if element.kind == kind)


def technology_names() -> list[str]:
    """Names of the technologies that come with the package."""
    return sorted(f.name[:-5] for f in files(__package__).iterdir() if f.name.endswith(".toml"))


def load_technology(technology: "str | Path | Technology", *, besides: Sequence[str] = ()) -> Technology:
    """Read a technology by name or from a TOML file.

    Parameters
    ----------
    technology : str, Path or Technology
        One of `technology_names`, the path of a TOML file, or a technology as it is. A file with ``base = NAME`` says
        how it differs from one of `technology_names`.
    besides : sequence of str
        Names that the caller takes as well, for the message.

    Raises
    ------
    SpinplaneError
        If there is no such technology or file, the file is not TOML, a key is unknown or missing, a value is not
        allowed, or `technology` is of another type.
    """
    if isinstance(technology, Technology):
        return technology
    if not is_path(technology):
        raise refusal("technology", technology, "a name, the path of a TOML file or a Technology")
    source = f"technology file {technology}"
    if str(technology) in technology_names():
        path = _shipped(str(technology))
    else:
        path = as_path("technology", technology)
        if not path.is_file():
            known = one_of(str(technology), [*technology_names(), *besides])
            raise SpinplaneError(f"technology {str(technology)!r} is neither a file nor {known}")
    table = read_toml(path, source)
    try:
        return _from_table(_on_its_base(table, source) if "base" in table else table)
    except SpinplaneError as error:
        raise SpinplaneError(f"{source}: {error}") from None


def _shipped(name: str) -> Path:
    return Path(str(files(__package__))) / f"{name}.toml"


def _on_its_base(table: dict[str, Any], source: str) -> dict[str, Any]:
    """What a file says, and what its base says of all else.

    A parameter and a choice of sensing replace that of the base one by one, lines, elements and operations all at once.
    Parameters of the base that the kind of this technology does not have are left out.
    """
    name = table["base"]
    # A base has none of its own, so that one look suffices to know where a figure is from.
    if name not in technology_names() or "base" in (base := read_toml(_shipped(name), source)):
        alone = [one for one in technology_names() if "base" not in read_toml(_shipped(one), source)]
        raise SpinplaneError(f"base = {shown(name)}: must be {one_of(str(name), alone)}")
    own = {key: value for key, value in table.items() if key != "base"}
    merged = base | own
    known = known_keys(_text(merged, "torque"), _text(merged, "resistance")) | OPTIONAL
    for group in set(base) - {"lines", "elements", "operations", *_TEXTS}:
        entries = {key: entry for key, entry in base[group].items() if f"{group}.{key}" in known}
        if group == "sensing":
            entries = base[group]
        if entries or group in own:
            merged[group] = entries | _table(own, group)
        else:
            del merged[group]
    return merged


def _from_table(table: dict[str, Any]) -> Technology:
    texts: dict[str, Any] = {key: _text(table, key) for key in _TEXTS}
    known = known_keys(texts["torque"], texts["resistance"])
    groups = {key.split(".")[0] for key in known | OPTIONAL}
    check_keys(table, [*_TEXTS, "sensing", "lines", "elements", "operations", *sorted(groups)])
    parameters = {}
    for group in sorted(groups):
        entries = _table(table, group)
        names = sorted(key for key in known | OPTIONAL if key.startswith(f"{group}."))
        check_keys(entries, [name.removeprefix(f"{group}.") for name in names], f"{group}.")
        for name, entry in entries.items():
            key = f"{group}.{name}"
            parameters[key] = read_parameter(key, entry, (known | OPTIONAL)[key], LISTS.get(key))
    for key in known:
        if key not in parameters:
            raise SpinplaneError(f"missing key {key!r}")
    lines = _lines(table)
    for key in MESH:
        if (key in parameters) != ("mesh" in lines.values()):
            raise SpinplaneError(
                f"missing key {key!r}: a line is a mesh"
                if key not in parameters
                else f"{key}: no line is a mesh"
            )
    elements = _elements(table, lines, parameters)
    return Technology(
        **texts,
        sensing=_sensing(table),
        parameters={key: parameters[key] for key in [*known, *OPTIONAL] if key in parameters},
        lines=lines,
        elements=elements,
        operations=_operations(table, lines, elements),
    )


def _text(table: dict[str, Any], key: str) -> str:
    if key not in table:
        raise SpinplaneError(f"missing key {key!r}")
    value = table[key]
    if not is_line(value):
        raise SpinplaneError(f"{key} = {shown(value)}: must be text on one line")
    if key in _ALLOWED and value not in _ALLOWED[key]:
        raise SpinplaneError(f"{key} = {shown(value)}: must be one of {', '.join(_ALLOWED[key])}")
    return value


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise SpinplaneError(f"{key} = {shown(value)}: must be a table")
    return value


def _sensing(table: dict[str, Any]) -> Sensing:
    entries = _table(table, "sensing")
    check_keys(entries, list(_SENSING), "sensing.")
    for key, allowed in _SENSING.items():
        if key not in entries:
            raise SpinplaneError(f"missing key 'sensing.{key}'")
        if (type(entries[key]), entries[key]) not in [(type(one), one) for one in allowed]:
            raise SpinplaneError(
                f"sensing.{key} = {shown(entries[key])}: must be one of {', '.join(map(str, allowed))}"
            )
    return Sensing(**entries)


def _lines(table: dict[str, Any]) -> dict[str, str]:
    lines = _table(table, "lines")
    for name, way in lines.items():
        Name(name, "lines: name")
        if way not in WAYS:
            raise SpinplaneError(f"lines.{name} = {shown(way)}: must be one of {', '.join(WAYS)}")
    return lines


def _elements(
    table: dict[str, Any], lines: dict[str, str], parameters: Mapping[str, Parameter]
) -> tuple[Element, ...]:
    entries = table.get("elements", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SpinplaneError(f"elements = {shown(entries)}: must be tables [[elements]]")
    elements = []
    for entry in entries:
        keys = {"name", "kind", "between"} | ({"gate", "resistance"} if "gate" in entry else set())
        name, ends = entry.get("name"), entry.get("between")
        if set(entry) != keys or not isinstance(ends, list) or len(ends) != 2:
            raise SpinplaneError(
                f"element {shown(name)}: must have name, kind, between = [one end, other end], and for a transistor "
                "gate and resistance"
            )
        for key in sorted(keys - {"between"}):
            if not is_line(entry[key]):
                raise SpinplaneError(
                    f"element {shown(name)}: {key} = {shown(entry[key])}: must be text on one line"
                )
        for end in ends:
            Name(end, f"element {shown(name)}: end")
        if entry["kind"] not in _KINDS or (entry["kind"] == "transistor") != ("gate" in entry):
            raise SpinplaneError(
                f"element {shown(name)}: kind = {shown(entry['kind'])}: must be one of {', '.join(_KINDS)}"
            )
        gates = [line for line, way in lines.items() if way != "mesh"]
        if "gate" in entry and entry["gate"] not in gates:
            raise SpinplaneError(
                f"element {shown(name)}: gate = {shown(entry['gate'])}: must be one of {', '.join(gates)}"
            )
        if "gate" in entry and entry["resistance"] not in parameters:
            meant = nearest(str(entry["resistance"]), parameters)
            raise SpinplaneError(
                f"element {shown(name)}: resistance = {shown(entry['resistance'])} is not a parameter"
                + (f"; did you mean {meant!r}?" if meant else "")
            )
        elements.append(Element(**entry | {"between": (ends[0], ends[1])}))
    if [element.kind for element in elements].count("mtj") != 1:
        raise SpinplaneError("elements: a bit cell has one element of kind 'mtj'")
    return tuple(elements)


def _operations(
    table: dict[str, Any], lines: dict[str, str], elements: tuple[Element, ...]
) -> dict[str, Operation]:
    entries = _table(table, "operations")
    if set(entries) != set(OPERATIONS):
        raise SpinplaneError(f"operations: {', '.join(entries)}: must be exactly {', '.join(OPERATIONS)}")
    wanted = {
        "selected": set(lines),
        "other_rows": {line for line, way in lines.items() if way == "row"},
        "idle_columns": {line for line, way in lines.items() if way == "column"},
    }
    operations = {}
    for name in entries:
        entry = _table(entries, name)
        if set(entry) != {*wanted, "conducts"}:
            raise SpinplaneError(f"operations.{name}: must have exactly {', '.join(wanted)}, conducts")
        for key, keys in wanted.items():
            if set(_table(entry, key)) != keys:
                raise SpinplaneError(f"operations.{name}.{key}: must have exactly {', '.join(sorted(keys))}")
            for line, drive in entry[key].items():
                allowed = ("0",) if lines[line] == "mesh" else DRIVES
                if drive not in allowed:
                    raise SpinplaneError(
                        f"operations.{name}.{key}.{line} = {shown(drive)}: must be one of {', '.join(allowed)}"
                    )
        names = [element.name for element in elements]
        if not isinstance(entry["conducts"], list):
            raise SpinplaneError(f"operations.{name}.conducts = {shown(entry['conducts'])}: must be a list")
        for element in entry["conducts"]:
            if element not in names:
                raise SpinplaneError(
                    f"operations.{name}.conducts: {shown(element)} is not one of {', '.join(names)}"
                )
        operations[name] = Operation(**entry | {"conducts": tuple(entry["conducts"])})
    return operations
