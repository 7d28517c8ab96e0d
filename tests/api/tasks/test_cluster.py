"""The engine on a Dask scheduler with two workers, each a process of its own."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from dask_processes import Dask, dask_processes
from exploration_tasks import refused, squared, squared_slowly

from spinplane.machine import SpinplaneError
from spinplane.tasks import cluster
from spinplane.tasks.engine import Engine

TASKS = {f"task-{number}": number for number in range(60)}


@pytest.fixture(scope="module")
def dask() -> Iterator[Dask]:
    with dask_processes() as started:
        yield started


def test_a_worker_of_another_version_is_refused(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "figures_version", lambda: "another")
    with (
        pytest.raises(SpinplaneError, match="a worker's spinplane is another one"),
        Engine(dask=dask[0]) as engine,
    ):
        engine.map(squared, {"task": 1})


def test_a_refusal_comes_back(dask: Dask) -> None:
    with pytest.raises(SpinplaneError, match="task 4: refused"), Engine(dask=dask[0]) as engine:
        engine.map(refused, {"task": 4})


def test_a_killed_worker_leaves_the_same_bytes_as_one_core(dask: Dask, tmp_path: Path) -> None:
    address, workers = dask

    def kill(done: int, of: int) -> None:
        if done == of // 4:
            workers[0].send_signal(signal.SIGKILL)

    with Engine(dask=address, kept=tmp_path / "cluster") as engine:
        found = engine.map(squared_slowly, TASKS, kill)
    workers[0].wait()
    with Engine(kept=tmp_path / "core") as engine:
        assert engine.map(squared, TASKS) == found
    on_cluster, on_core = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("cluster", "core")
    )
    assert on_cluster == on_core


def test_no_scheduler_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_ANSWERS", 0.2)
    with (
        pytest.raises(SpinplaneError, match="no scheduler answers"),
        Engine(dask="tcp://127.0.0.1:9"),
    ):
        raise AssertionError
