"""Everything that has a name: networks, machines, technologies, other hardware, data sets."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from spinplane.compiler.frontend.networks import load_network, network_names
from spinplane.device.technology import load_technology, technology_names
from spinplane.machine import MAX_BITS, SpinplaneError, load_machine, machine_names
from spinplane.machine.choices import one_of
from spinplane.machine.reporting.records import Record, record_of
from spinplane.training.data import dataset_descriptions

from ..models import shipped_networks
from ..report.report import Report
from ..samples import SAMPLES
from .estimate_baselines import BASELINES

#: What can be listed.
LISTED = ("networks", "machines", "technologies", "baselines", "data-sets")


@dataclass(frozen=True, kw_only=True)
class ListedNetwork:
    """A network that has a name.

    Parameters
    ----------
    name : str
        As commands take it; W and I stand for bits.
    bits : str
        Of weights and inputs, W:I.
    input : (channels, height, width)
    classes : int
    shipped : bool
        Whether its weights come with the package; they are seeded or to be trained otherwise.
    description : str
    """

    name: str
    bits: str
    input: tuple[int, ...]
    classes: int
    shipped: bool
    description: str


@dataclass(frozen=True, kw_only=True)
class ListedMachine:
    """A machine that has a name; `spinplane.load_machine` tells its other sizes."""

    name: str
    sub_arrays: int
    rows: int
    columns: int
    description: str


@dataclass(frozen=True, kw_only=True)
class ListedTechnology:
    """A memory technology that has a name, and the structure of its bit cell."""

    name: str
    structure: str
    description: str


@dataclass(frozen=True, kw_only=True)
class ListedBaseline:
    """Other hardware that `estimate` takes in place of a technology."""

    name: str
    description: str


@dataclass(frozen=True, kw_only=True)
class ListedDataSet:
    """A data set, the commands that take it, and the files that they need."""

    name: str
    commands: tuple[str, ...]
    description: str


@dataclass(frozen=True, kw_only=True, repr=False)
class Catalogue(Report):
    """What has a name; kinds that were not asked for are empty.

    Parameters
    ----------
    networks : tuple of ListedNetwork
    machines : tuple of ListedMachine
    technologies : tuple of ListedTechnology
    baselines : tuple of ListedBaseline
    data_sets : tuple of ListedDataSet
    """

    networks: tuple[ListedNetwork, ...] = ()
    machines: tuple[ListedMachine, ...] = ()
    technologies: tuple[ListedTechnology, ...] = ()
    baselines: tuple[ListedBaseline, ...] = ()
    data_sets: tuple[ListedDataSet, ...] = ()

    @property
    def heading(self) -> str:
        """What is listed."""
        listed = [kind.replace("-", " ") for kind in LISTED if getattr(self, kind.replace("-", "_"))]
        return f"Names of {', '.join(listed) or 'nothing'}"

    def records(self) -> tuple[Record, ...]:
        """A record for each name."""
        kinds = ((kind, getattr(self, kind.replace("-", "_"))) for kind in LISTED)
        return tuple({"kind": kind} | record_of(one) for kind, listed in kinds for one in listed)

    def tables(self) -> tuple[Table, ...]:
        """A table for each kind."""
        tables: dict[str, tuple[Sequence[str], Sequence[tuple[Any, ...]]]] = {
            "networks: for MODEL": (
                ("name", "W:I", "input", "classes"),
                [(one, one.bits, "×".join(map(str, one.input)), str(one.classes)) for one in self.networks],
            ),
            "machines: for --machine": (
                ("name", "sub-arrays", "rows×columns"),
                [(one, str(one.sub_arrays), f"{one.rows}×{one.columns}") for one in self.machines],
            ),
            "technologies: for --technology": (
                ("name", "cell"),
                [(one, one.structure) for one in self.technologies],
            ),
            "baselines: for --technology of estimate": (("name",), [(one,) for one in self.baselines]),
            "data sets": (("name", "for"), [(one, ", ".join(one.commands)) for one in self.data_sets]),
        }
        return tuple(_table(title, headings, rows) for title, (headings, rows) in tables.items() if rows)

    def notes(self) -> tuple[str, ...]:
        """How names with bits are meant, and what else may stand for a name."""
        bits = f"W and I are bits from 1 to {MAX_BITS}: svhn:1:4, with seeded weights"
        files = "a file stands for any name: ONNX, QONNX, TFLite for a network, TOML for a machine or a technology"
        return (*((bits,) if any(not one.shipped for one in self.networks) else ()), files)


def catalogue(kind: str | None = None) -> Catalogue:
    """List everything that has a name.

    Parameters
    ----------
    kind : {"networks", "machines", "technologies", "baselines", "data-sets"}, optional
        Only these.

    Raises
    ------
    SpinplaneError
        If there is no such kind.
    """
    if kind is not None and kind not in LISTED:
        raise SpinplaneError(f"kind {str(kind)!r} is not {one_of(str(kind), LISTED)}")

    def asked(one: str) -> bool:
        return kind in (None, one)

    return Catalogue(
        networks=tuple(_networks()) if asked("networks") else (),
        machines=tuple(_machines()) if asked("machines") else (),
        technologies=tuple(_technologies()) if asked("technologies") else (),
        baselines=tuple(_baselines()) if asked("baselines") else (),
        data_sets=tuple(_data_sets()) if asked("data-sets") else (),
    )


def _networks() -> list[ListedNetwork]:
    found = []
    for name, path in shipped_networks().items():
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        network = load_network(card["network"])
        w, i, _ = card["bits"].split(":")
        found.append(
            ListedNetwork(
                name=name,
                bits=f"{w}:{i}",
                input=(network.channels, network.side, network.side),
                classes=network.classes,
                shipped=True,
                description=f"{card['network']} trained on {card['dataset']}: {card['test_error']:.2%} of "
                f"{card['test_images']:,} test images wrong",
            )
        )
    for name in network_names():
        network = load_network(name)
        found.append(
            ListedNetwork(
                name=f"{name}:W:I" if network.activation == "clip" else name,
                bits="W:I",
                input=(network.channels, network.side, network.side),
                classes=network.classes,
                shipped=False,
                description=network.source
                if network.activation == "clip"
                else f"{network.source}; for `train` alone",
            )
        )
    return found


def _machines() -> list[ListedMachine]:
    return [
        ListedMachine(
            name=machine.name,
            sub_arrays=machine.sub_arrays,
            rows=machine.rows,
            columns=machine.columns,
            description=machine.description,
        )
        for machine in map(load_machine, machine_names())
    ]


def _technologies() -> list[ListedTechnology]:
    return [
        ListedTechnology(
            name=technology.name, structure=technology.structure, description=technology.description
        )
        for technology in map(load_technology, technology_names())
    ]


def _baselines() -> list[ListedBaseline]:
    return [ListedBaseline(name=name, description=text) for name, text in BASELINES.items()]


def _data_sets() -> list[ListedDataSet]:
    own = ListedDataSet(
        name=SAMPLES,
        commands=("accuracy", "demo"),
        description="the first 200 test images of MNIST, which come with the package; taken without --data",
    )
    others = [
        ListedDataSet(name=name, commands=("train",), description=text)
        for name, text in dataset_descriptions().items()
    ]
    return [own, *others]


def _table(title: str, headings: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    table.add_column("description")
    for one, *cells in rows:
        table.add_row(one.name, *cells, one.description)
    return table
