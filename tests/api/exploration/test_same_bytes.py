"""A sweep of real designs leaves the same bytes: on a cluster that loses a worker, and killed and started again."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dask_processes import dask_processes
from onnx_models import BEGIN, CONV, save

import spinplane

pytestmark = pytest.mark.thorough

SPACE = """
base = "tiny"
networks = ["made.onnx"]
batch = [1, 2]
technologies = ["sot-mram", "stt-mram"]
[space]
rows = [64, 128]
columns = [64, 128]
"""
#: What has one program is one task.
TASKS = 8
COMMAND = [sys.executable, "-m", "spinplane", "sweep", "space.toml", "-o", "found", "--json", "sweep.json"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a sweep on one core."""
    folder = made(tmp_path_factory.mktemp("undisturbed"))
    subprocess.run([*COMMAND, "--jobs", "1"], cwd=folder, check=True, capture_output=True)
    return folder


def made(folder: Path) -> Path:
    save(folder / "made.onnx", [*BEGIN, CONV], {}, output="s")
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """By their names; a result has the place of its network."""
    return {
        str(path.relative_to(folder)): path.read_bytes().replace(bytes(folder), b"")
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_workers_of_which_one_is_killed(undisturbed: Path, tmp_path: Path) -> None:
    with dask_processes() as (address, workers):

        def kill(done: int, of: int) -> None:
            assert of == TASKS
            if done == 2:
                workers[0].send_signal(signal.SIGKILL)

        spinplane.sweep(made(tmp_path) / "space.toml", folder=tmp_path / "found", dask=address, advance=kill)
        workers[0].wait()
    assert files(tmp_path / "found") == files(undisturbed / "found")


def test_a_sweep_that_is_killed_and_started_again(undisturbed: Path, tmp_path: Path) -> None:
    command, kept = [*COMMAND, "--jobs", "1"], made(tmp_path) / "found" / "kept"
    first = subprocess.Popen(
        [*COMMAND, "--jobs", "2"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while first.poll() is None and not list(kept.glob("*.json")):
        time.sleep(0.001)
    first.kill()
    assert first.wait() == -signal.SIGKILL
    assert 0 < len(list(kept.glob("*.json"))) < TASKS
    assert not (tmp_path / "sweep.json").exists()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert files(tmp_path) == files(undisturbed)
