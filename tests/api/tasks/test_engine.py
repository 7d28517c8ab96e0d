"""The engine: the same results with any number of workers, after a kill, and with workers that are lost."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exploration_tasks import (
    jobs_of_a_pool,
    process,
    refused,
    refused_beside_another,
    squared,
    squared_by_survivors,
    threads,
)

from spinplane.machine import SpinplaneError
from spinplane.tasks.engine import Engine

TASKS = {f"task-{number}": number for number in range(12)}
EXPECTED = {key: {"square": number**2, "third": number / 3} for key, number in TASKS.items()}
TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_are_in_the_order_of_the_tasks(jobs: int) -> None:
    done: list[tuple[int, int]] = []
    with Engine(jobs=jobs) as engine:
        found = engine.map(squared, TASKS, lambda *numbers: done.append(numbers))
        # One job runs in this process, with the threads that it has.
        assert jobs == 1 or engine.share(threads, [0, 0]) == ["1", "1"]
    assert list(found.items()) == list(EXPECTED.items())
    assert done == [(number, len(TASKS)) for number in range(len(TASKS) + 1)]


def test_what_is_kept_is_not_done_again(tmp_path: Path) -> None:
    with Engine(jobs=1, kept=tmp_path) as engine:
        engine.map(squared, {"task-1": 1})
        assert (tmp_path / "task-1.json").read_text() == '{"square": 1, "third": 0.3333333333333333}'
        # A file that is damaged is no result.
        (tmp_path / "task-2.json").write_text('{"square"')
        done: list[int] = []
        found = engine.map(lambda task: done.append(task) or squared(task), TASKS)
    assert found == EXPECTED
    assert done == [number for number in range(12) if number != 1]


def test_a_killed_run_goes_on_and_has_the_same(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\nfrom exploration_tasks import squared_slowly\n"
        "from spinplane.tasks.engine import Engine\n"
        f"with Engine(jobs=1, kept=Path({str(tmp_path)!r})) as engine:\n"
        "    engine.map(squared_slowly, {f'task-{number}': number for number in range(200)})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=TESTS)
    while len(list(tmp_path.glob("task-*.json"))) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {path.name for path in tmp_path.glob("task-*.json")}
    assert len(before) < 200
    tasks = {f"task-{number}": number for number in range(200)}
    with Engine(jobs=1, kept=tmp_path) as engine:
        assert engine.map(squared, tasks) == {key: squared(number) for key, number in tasks.items()}


def test_a_single_task_starts_no_process() -> None:
    with Engine(jobs=2) as engine:
        assert [engine.shares(tasks) for tasks in (0, 1, 2)] == [False, False, True]
        assert engine.share(process, [0]) == [os.getpid()]
        assert os.getpid() not in engine.share(process, [0, 0])


def test_a_script_is_not_run_once_more(tmp_path: Path) -> None:
    """As Python would in each process that it starts anew."""
    script = tmp_path / "script.py"
    script.write_text(
        "from exploration_tasks import squared\n"
        "from spinplane.tasks.engine import Engine\n"
        "print('begun')\n"
        "with Engine(jobs=2) as engine:\n"
        "    print([found['square'] for found in engine.share(squared, [1, 2, 3])])\n"
    )
    paths = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("begun\n[1, 4, 9]\n", "")


def test_a_process_of_a_pool_uses_its_own_core() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(jobs_of_a_pool) == [
            1,
            "jobs = 2: a process of a pool starts no others; leave it out, or use 1",
        ]


def test_a_refusal_does_not_wait_for_what_still_runs(tmp_path: Path) -> None:
    tasks = [(number, str(tmp_path / "begun")) for number in range(2)]
    with pytest.raises(SpinplaneError, match="task 1: refused"), Engine(jobs=2) as engine:
        engine.share(refused_beside_another, tasks)
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]


def test_tasks_of_a_lost_process_are_done_once_more(tmp_path: Path) -> None:
    tasks = {key: (number, str(tmp_path / "killed")) for key, number in TASKS.items()}
    with Engine(jobs=2) as engine:
        assert engine.map(squared_by_survivors, tasks) == EXPECTED
    assert (tmp_path / "killed").exists()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_refusal_is_told_by_whoever_refuses(jobs: int) -> None:
    with pytest.raises(SpinplaneError, match="task 4: refused"), Engine(jobs=jobs) as engine:
        engine.map(refused, {"task": 4})


def test_no_process_is_no_engine() -> None:
    with pytest.raises(SpinplaneError, match="jobs = 0: must be at least 1"):
        Engine(jobs=0)
