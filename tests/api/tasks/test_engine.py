"""The engine: the same results with any number of workers, after a kill, and with workers that are lost."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exploration_tasks import refused, squared, squared_by_survivors, threads

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
        assert jobs == 1 or engine.map(threads, {"a": 0}) == {"a": "1"}
    assert list(found.items()) == list(EXPECTED.items())
    assert done == [(number, len(TASKS)) for number in range(len(TASKS) + 1)]


def test_what_is_kept_is_not_done_again(tmp_path: Path) -> None:
    with Engine(kept=tmp_path) as engine:
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
        f"with Engine(kept=Path({str(tmp_path)!r})) as engine:\n"
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
    with Engine(kept=tmp_path) as engine:
        assert engine.map(squared, tasks) == {key: squared(number) for key, number in tasks.items()}


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
