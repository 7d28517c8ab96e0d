"""Parameters of the evaluation from its TOML files."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from spinplane.machine import Parameter, SpinplaneError
from spinplane.machine.parameter import read_parameter
from spinplane.machine.toml_files import check_keys, read_toml

#: What is known of a parameter: a unit that fits, and its least and largest value in SI units.
Known = tuple[str, float, float]


def shipped_parameters(file: str, known: Mapping[str, Known]) -> dict[str, Parameter]:
    """All parameters of a file that comes with the package.

    Parameters
    ----------
    file : str
        Its name, with one table for each part of the keys before the dot.
    known : mapping of str to tuple
        What is known of each key, as ``"sram.rows"``.

    Raises
    ------
    SpinplaneError
        If a key is unknown or missing, or a value is not allowed.
    """
    return parameters_of(shipped_table(file), known)


def parameters_of(table: Mapping[str, Any], known: Mapping[str, Known]) -> dict[str, Parameter]:
    """The parameters of a table of tables, as `shipped_parameters`."""
    found = {}
    groups = {key.partition(".")[0] for key in known}
    check_keys(dict(table), sorted(groups))
    for group, entries in table.items():
        if not isinstance(entries, dict):
            raise SpinplaneError(f"{group}: must be a table")
        check_keys(
            entries, [key.partition(".")[2] for key in known if key.startswith(f"{group}.")], f"{group}."
        )
        for name, entry in entries.items():
            key = f"{group}.{name}"
            found[key] = read_parameter(key, entry, known[key])
    for key in known:
        if key not in found:
            raise SpinplaneError(f"missing key {key!r}")
    return found


def shipped_table(file: str) -> dict[str, Any]:
    """A TOML file that comes with the package."""
    return read_toml(Path(str(files(__package__))) / file, file)
