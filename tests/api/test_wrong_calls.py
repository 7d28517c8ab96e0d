"""Wrong calls: one line that names the thing and the mend, exit code 2, and nothing is written."""

import shlex
from pathlib import Path

import pytest
from wrong_calls import CALLS, SURROUNDINGS, fill

from spinplane.cli import app, main


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("wrong")
    fill(path)
    return path


@pytest.fixture
def refused(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Makes a call in the folder and gives its one line."""
    monkeypatch.chdir(folder)

    def call(command: str) -> str:
        before = sorted(folder.rglob("*"))
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command))
        out, told = capsys.readouterr()
        assert (ended.value.code, out) == (2, "")
        assert told.startswith("spinplane: ")
        assert told.count("\n") == 1
        assert sorted(folder.rglob("*")) == before
        return str(told)

    return call


@pytest.mark.parametrize(
    ("command", "thing", "mend"),
    [
        # What is told of trainings comes with PyTorch.
        pytest.param(*call, id=call[0], marks=pytest.mark.training if "train --" in call[0] else ())
        for call in CALLS
    ],
)
def test_a_wrong_call_is_answered_in_one_line(command, thing, mend, refused):
    line = refused(command)
    assert thing in line
    assert mend in line


@pytest.mark.parametrize(("command", "variable", "value", "thing", "mend"), SURROUNDINGS)
def test_wrong_surroundings_are_answered_in_one_line(
    command, variable, value, thing, mend, refused, monkeypatch
):
    monkeypatch.setenv(variable, value)
    line = refused(command)
    assert thing in line
    assert mend in line


def test_every_command_is_called_wrongly():
    commands = {name for name in app if not name.startswith("-")}
    assert {command.split()[0] for command, *_ in CALLS} >= commands
    assert len(CALLS) > 100
