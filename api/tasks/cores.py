"""Tasks on the cores of this machine: processes of one thread each."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

from spinplane.machine import SpinplaneError

from .workers import Function

#: Of libraries of linear algebra, which would start as many threads in each process as there are cores.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
#: How often processes may be lost before the tasks are given up.
_ATTEMPTS = 4
#: Tasks that wait in front of each process.
_AHEAD = 2


def usable_cores() -> int:
    """Cores that this process may use; in a process of a pool, which may start no others, its own alone."""
    if multiprocessing.current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Cores:
    """Processes of one thread each; a context, at whose end they go.

    They are started anew and not forked: a fork would have the threads' locks, and none of the threads. The script that
    is at work is not run once more in them.

    Parameters
    ----------
    jobs : int

    Raises
    ------
    SpinplaneError
        In a pool's process, which may start no others.
    """

    def __init__(self, jobs: int) -> None:
        if multiprocessing.current_process().daemon:
            raise SpinplaneError(
                f"jobs = {jobs}: a process of a pool starts no others; leave it out, or use 1"
            )
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[int | None] = set()
        self._former: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        self._former = {name: os.environ.get(name) for name in _THREADS}
        # Libraries read it when they are loaded, before anything of ours runs in a new process.
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Who has interrupted or failed does not wait for what still runs.
        if kind is not None and self._pool is not None:
            for process in multiprocessing.active_children():
                if process.pid not in self._others:
                    process.terminate()
        self._close()
        for name, value in self._former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def done(self, function: Function, tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Key and result of each task as it comes; those of a process that is lost are done once more.

        Raises
        ------
        SpinplaneError
            What the function raises, or if processes are lost again and again.
        """
        missing = dict(tasks)
        for _ in range(_ATTEMPTS):
            try:
                for key, result in self._attempt(function, missing):
                    yield key, result
                    del missing[key]
                return
            except BrokenProcessPool:
                self._close()
        raise SpinplaneError(
            f"jobs = {self._jobs}: processes were lost {_ATTEMPTS} times, as for want of memory: try fewer"
        )

    def _attempt(self, function: Function, tasks: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """The same, with as many tasks handed out as keep all processes busy."""
        if self._pool is None:
            self._others = {process.pid for process in multiprocessing.active_children()}
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._jobs, mp_context=context, initializer=_begin)
        waiting = iter(list(tasks.items()))
        running: dict[Future[Any], str] = {}
        while True:
            with _interrupts_later(), _without_script():
                for key, task in waiting:
                    running[self._pool.submit(_do, function, task)] = key
                    if len(running) >= _AHEAD * self._jobs:
                        break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Put interrupts off, here and in processes that start, where a system can: Python tells them at length then."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _without_script() -> Iterator[None]:
    """Hide the script at work from processes that start: they need modules alone, and Python would run it again."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _begin() -> None:
    """Begin a process: the user's interrupt is for its parent, who ends it, and without whom it has nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _do(function: Function, task: Any) -> Any:
    """Do a task; who is told to end in its middle leaves nothing behind, and does no other."""
    try:
        signal.signal(signal.SIGTERM, _stop)
        return function(task)
    except SystemExit:
        os._exit(1)


def _stop(*_: object) -> None:
    """End what runs, and with it the programs that it has started."""
    raise SystemExit


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
