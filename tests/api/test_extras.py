"""The core works without the packages of any extra, and names the extra where it needs one."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from spinplane.machine.external.remedies import EXTRAS
from spinplane.samples import sample_digit

# What is left is what `pip install spinplane` brings; pillow comes with matplotlib.
_BARE = f"""
import contextlib, io, json, sys
blocked = {sorted({name for names in EXTRAS.values() for name in names} - {"PIL"})!r}
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from spinplane.cli import main
outcomes = {{}}
for command in sys.argv[1:]:
    status, output, errors = 0, io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            main(command.split())
        except SystemExit as ended:
            status = ended.code or 0
    outcomes[command] = {{"status": status, "output": output.getvalue(), "errors": errors.getvalue()}}
print(json.dumps(outcomes))
"""
_OF_THE_CORE = (
    "--help",
    "compile digits-1-1",
    "estimate digits-1-1",
    "trace digits-1-1 --output 3,0,0 --input image.npy",
)
_OF_EXTRAS = {
    "demo": "sim",
    "run digits-1-1 --input image.npy": "sim",
    "synth --machine tiny": "synth",
    "train --network digits --bits 1:4 --data . --output x": "train",
    "sweep optuna.toml": "explore",
    "sweep space.toml --dask tcp://127.0.0.1:9": "dask",
    "accuracy digits-1-1 --sigma-ra 0.05 --dask tcp://127.0.0.1:9": "dask",
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    status: int
    output: str
    errors: str


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Commands one after the other in a process that has the core alone, and no programs."""
    folder = tmp_path_factory.mktemp("bare")
    np.save(folder / "image.npy", sample_digit(3))
    space = 'networks = ["digits-1-1"]\n'
    (folder / "space.toml").write_text(space, encoding="utf-8")
    (folder / "optuna.toml").write_text(f'{space}search = "optuna"\npoints = 1', encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-c", _BARE, *_OF_THE_CORE, *_OF_EXTRAS, "doctor"],
        cwd=folder,
        env=environment | {"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return {command: Outcome(**told) for command, told in json.loads(done.stdout).items()}


@pytest.mark.parametrize("command", _OF_THE_CORE)
def test_the_core_does_without_extras(command: str, outcomes: dict[str, Outcome]) -> None:
    done = outcomes[command]
    assert (done.status, done.errors) == (0, "")
    assert "not checked" not in done.output


@pytest.mark.parametrize("command", _OF_EXTRAS)
def test_others_end_with_one_line_that_names_the_extra(command: str, outcomes: dict[str, Outcome]) -> None:
    done = outcomes[command]
    assert done.status == 2
    assert done.errors.count("\n") == 1
    assert f'pip install "spinplane[{_OF_EXTRAS[command]}]"' in done.errors


def test_doctor_tells_what_the_core_lacks(outcomes: dict[str, Outcome]) -> None:
    done = outcomes["doctor"]
    assert done.status == 1
    assert "'spinplane demo' cannot run here" in done.errors
    for extra in ("sim", "synth"):
        assert f'pip install "spinplane[{extra}]"' in done.errors
