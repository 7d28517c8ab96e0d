"""Tasks for the tests of the engine: of a module, so that other processes find them."""

import os
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from spinplane.machine import SpinplaneError
from spinplane.tasks.engine import Engine


def squared(task: int) -> dict[str, float]:
    """The square, and a number that a file must give back as it was."""
    return {"square": task * task, "third": task / 3}


def squared_slowly(task: int) -> dict[str, float]:
    """The same, so that a process can be killed among many."""
    time.sleep(0.05)
    return squared(task)


def squared_by_survivors(task: tuple[int, str]) -> dict[str, float]:
    """The same; the first process that has the task 3 is killed, as one is for want of memory."""
    number, marker = task
    if number == 3 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return squared(number)


def counted(numbers: range) -> Counter[str]:
    """What a campaign has seen."""
    return Counter("even" if number % 2 == 0 else "odd" for number in numbers)


def refused(task: int) -> None:
    """A request that cannot be carried out."""
    raise SpinplaneError(f"task {task}: refused")


def refused_beside_another(task: tuple[int, str]) -> None:
    """One is refused when the other has begun, which would take minutes, and then leave a second file."""
    number, begun = task
    if number == 0:
        with tempfile.TemporaryDirectory(dir=Path(begun).parent):
            Path(begun).touch()
            time.sleep(300)
        Path(begun).with_suffix(".done").touch()
    while not Path(begun).exists():
        time.sleep(0.01)
    raise SpinplaneError(f"task {number}: refused")


def process(_: int) -> int:
    """Which process does it."""
    return os.getpid()


def jobs_of_a_pool() -> list[int | str]:
    """Processes that an engine may start in this one, and what it says if two are asked for."""
    with Engine() as engine:
        jobs = engine.jobs
    try:
        with Engine(jobs=2):
            return [jobs]
    except SpinplaneError as error:
        return [jobs, str(error)]


def threads(_: int) -> str:
    """What the libraries of a process are told."""
    return os.environ["OMP_NUM_THREADS"]
