"""The engine on a Dask scheduler with two workers, each a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from exploration_tasks import refused, squared, squared_slowly

from spinplane.machine import SpinplaneError
from spinplane.tasks import cluster
from spinplane.tasks.engine import Engine

TASKS = {f"task-{number}": number for number in range(60)}
TESTS = Path(__file__).parents[2]
SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address=":0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(serve())
"""
WORKER = """
import asyncio, sys
from distributed import Worker

async def work():
    async with Worker(sys.argv[1], nthreads=1, host="127.0.0.1", dashboard_address=":0") as worker:
        print("ready", flush=True)
        await worker.finished()

asyncio.run(work())
"""


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A Python process that runs a text, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def dask() -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Address of a scheduler, and its workers."""
    scheduler, address = started(SCHEDULER)
    workers = [started(WORKER, address)[0] for _ in range(2)]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.communicate()


def test_a_worker_of_another_version_is_refused(
    dask: tuple[str, list[subprocess.Popen[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "figures_version", lambda: "another")
    with (
        pytest.raises(SpinplaneError, match="a worker's spinplane is another one"),
        Engine(dask=dask[0]) as engine,
    ):
        engine.map(squared, {"task": 1})


def test_a_refusal_comes_back(dask: tuple[str, list[subprocess.Popen[str]]]) -> None:
    with pytest.raises(SpinplaneError, match="task 4: refused"), Engine(dask=dask[0]) as engine:
        engine.map(refused, {"task": 4})


def test_a_killed_worker_leaves_the_same_bytes_as_one_core(
    dask: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path
) -> None:
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
