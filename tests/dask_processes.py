"""A Dask scheduler with two workers, each a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address=":0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(serve())
"""
_WORKER = """
import asyncio, sys
from distributed import Worker

async def work():
    async with Worker(sys.argv[1], nthreads=1, host="127.0.0.1", dashboard_address=":0") as worker:
        print("ready", flush=True)
        await worker.finished()

asyncio.run(work())
"""

#: Address of the scheduler, and its workers.
Dask = tuple[str, list[subprocess.Popen[str]]]


@contextmanager
def dask_processes() -> Iterator[Dask]:
    """All of them, ready; they are killed at the end."""
    scheduler, address = _started(_SCHEDULER)
    started = [scheduler]
    try:
        started += [_started(_WORKER, address)[0] for _ in range(2)]
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.communicate()


def _started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A Python process that runs a text, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()
