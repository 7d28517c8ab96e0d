"""Everything that has a name is listed, and every name of the list is taken."""

from pathlib import Path

import pytest

import spinplane
from spinplane.cli import main
from spinplane.commands.catalogue import LISTED
from spinplane.commands.estimate_baselines import BASELINES
from spinplane.compiler.frontend.networks import network_names
from spinplane.device import load_technology, technology_names
from spinplane.machine import SpinplaneError, load_machine, machine_names
from spinplane.models import shipped_networks
from spinplane.training.data import dataset_names

ALL = spinplane.catalogue()


def test_every_name_is_there_with_a_description() -> None:
    assert [one.name.removesuffix(":W:I") for one in ALL.networks] == [*shipped_networks(), *network_names()]
    assert [one.name for one in ALL.machines] == machine_names()
    assert [one.name for one in ALL.technologies] == technology_names()
    assert [one.name for one in ALL.baselines] == list(BASELINES)
    assert [one.name for one in ALL.data_sets[1:]] == dataset_names()
    for kind in LISTED:
        for one in getattr(ALL, kind.replace("-", "_")):
            assert one.description, one.name
            assert one.description.isprintable(), one.name


def test_what_is_said_of_them_is_so() -> None:
    for machine in ALL.machines:
        loaded = load_machine(machine.name)
        assert (machine.sub_arrays, machine.rows, machine.columns) == (
            loaded.sub_arrays,
            loaded.rows,
            loaded.columns,
        )
    for technology in ALL.technologies:
        assert technology.structure == load_technology(technology.name).structure
    for network in ALL.networks:
        if network.name.startswith("alexnet") or not (network.shipped or ":" in network.name):
            continue  # large, or for training alone
        graph = spinplane.open_model(network.name.replace("W:I", "1:1"), check=False)
        assert graph.input_shape == network.input
        assert graph.outputs[0].shape[1] == network.classes


def test_a_network_that_only_trains_has_no_form_with_bits() -> None:
    (alone,) = (one for one in ALL.networks if not one.shipped and ":" not in one.name)
    assert alone.name == "svhn-dorefa"
    with pytest.raises(SpinplaneError, match="not monotone"):
        spinplane.open_model("svhn-dorefa:1:1")


@pytest.mark.parametrize("kind", LISTED)
def test_one_kind_alone(kind: str) -> None:
    of_kind = spinplane.catalogue(kind)
    for other in LISTED:
        of_all = getattr(ALL, other.replace("-", "_"))
        assert getattr(of_kind, other.replace("-", "_")) == (of_all if other == kind else ())
    assert len(of_kind.tables()) == 1
    assert of_kind.heading == f"Names of {kind.replace('-', ' ')}"


def test_a_kind_that_is_none_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(SpinplaneError, match=r"^kind 'machnes' is not one of .*; did you mean 'machines'\?$"):
        spinplane.catalogue("machnes")


def test_the_command_shows_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "machines", "--json", str(tmp_path / "machines.json")])
    shown = capsys.readouterr().out
    assert all(name in shown for name in machine_names())
    assert spinplane.read_result(tmp_path / "machines.json") == spinplane.catalogue("machines")
    main(["list"])
    shown = capsys.readouterr().out
    assert all(
        one.name in shown for one in (*ALL.networks, *ALL.technologies, *ALL.baselines, *ALL.data_sets)
    )
