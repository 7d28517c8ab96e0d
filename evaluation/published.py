"""Figures of others beside the energies of events: never their source."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from spinplane.machine.parameter import UNITS
from spinplane.machine.toml_files import read_toml

from .energy_report import EventEnergy, Published


def with_published(event: EventEnergy) -> EventEnergy:
    """An event with what others publish for the like of it."""
    table = read_toml(Path(str(files(__package__))) / "published-energies.toml", "published energies")
    found = tuple(
        Published(
            value=value,
            ratio=None if event.energy.value is None else event.energy.value / value,
            source=entry["source"],
            reason=entry["reason"],
        )
        for entry in table["figures"]
        if entry["event"] == event.name
        for value in (entry["value"] * UNITS[entry["unit"]][1],)
    )
    return replace(event, published=found)
