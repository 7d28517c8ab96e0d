"""Damaged files of every kind are refused in one line, within seconds and a gibibyte, or mean something and pass."""

from importlib import import_module

import pytest

from tests.campaigns import damaged_files as campaign
from tests.damaged.harness import Kind
from tests.damaged.kinds import KINDS


@pytest.mark.parametrize("name", KINDS)
def test_the_files_that_are_damaged_are_taken(name, tmp_path):
    module, attribute = KINDS[name]
    kind: Kind = getattr(import_module(f"tests.damaged.{module}"), attribute)
    for seed in range(0, 50, 3):
        path = tmp_path / kind.name
        path.write_bytes(kind.whole(seed, tmp_path))
        assert kind.read(path) == ("whole", "")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.thorough) if name in ("Liberty", "ONNX") else name
        for name in KINDS
    ],
)
def test_damaged_files_are_refused_in_one_line(name):
    first = list(KINDS).index(name) * campaign.FILES
    seen = campaign.run(range(first, first + campaign.CHUNK))
    print(dict(seen))
    campaign.check_shares(seen)
