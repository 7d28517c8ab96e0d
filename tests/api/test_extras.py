"""The core works without the packages of any extra, and names the extra where it needs one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spinplane.machine.external.remedies import EXTRAS
from spinplane.samples import sample_digit

# What is left is what `pip install spinplane` brings; pillow comes with matplotlib.
_BARE = f"""
import sys
blocked = {sorted({name for names in EXTRAS.values() for name in names} - {"PIL"})!r}
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from spinplane.cli import main
main(sys.argv[1:])
"""


def bare(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command in a process that has the core alone, and no programs."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-c", _BARE, *arguments],
        cwd=folder,
        env=environment | {"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def image(tmp_path: Path) -> str:
    np.save(tmp_path / "image.npy", sample_digit(3))
    return str(tmp_path / "image.npy")


@pytest.mark.parametrize(
    "command",
    ["--help", "compile digits-1-1", "estimate digits-1-1", "trace digits-1-1 --output 3,0,0 --input"],
)
def test_the_core_does_without_extras(command: str, image: str, tmp_path: Path) -> None:
    words = command.split()
    done = bare(*words, *([image] if words[-1] == "--input" else []), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "not checked" not in done.stdout


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("demo", "sim"),
        ("run digits-1-1 --input image.npy", "sim"),
        ("synth --machine tiny", "synth"),
        ("train --network digits --bits 1:4 --data . --output x", "train"),
        ("sweep optuna.toml", "explore"),
        ("sweep space.toml --dask tcp://127.0.0.1:9", "dask"),
        ("accuracy digits-1-1 --sigma-ra 0.05 --dask tcp://127.0.0.1:9", "dask"),
    ],
)
def test_others_end_with_one_line_that_names_the_extra(
    command: str, extra: str, image: str, tmp_path: Path
) -> None:
    space = 'networks = ["digits-1-1"]\n'
    (tmp_path / "space.toml").write_text(space, encoding="utf-8")
    (tmp_path / "optuna.toml").write_text(f'{space}search = "optuna"\npoints = 1', encoding="utf-8")
    done = bare(*command.split(), folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f'pip install "spinplane[{extra}]"' in done.stderr


def test_doctor_tells_what_the_core_lacks(tmp_path: Path) -> None:
    done = bare("doctor", folder=tmp_path)
    assert done.returncode == 1
    assert "'spinplane demo' cannot run here" in done.stderr
    for extra in ("sim", "synth"):
        assert f'pip install "spinplane[{extra}]"' in done.stderr
