"""Maps a pure function over many tasks, here or on other machines, and keeps each result as it comes.

A *task* is what the function is given, under a key that says all that its result follows from. A result is plain data,
as JSON holds it. Kept results are files of their own, each written whole: who is killed and starts again goes on with
what is missing, and gets the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from spinplane.machine import SpinplaneError
from spinplane.machine.external.remedies import need
from spinplane.machine.files import note_written, noting_files, write_whole

from .cores import Cores, usable_cores
from .workers import Function, Workers, here


class Engine:
    """Where tasks are done, and where their results are kept; a context, at whose end the workers go.

    Parameters
    ----------
    jobs : int, optional
        Processes of one thread each, by default one for each core that this one may use. A single task is done in this
        process, and so are all if there is one job.
    dask : str, optional
        Address of a Dask scheduler, whose workers do the tasks instead.
    kept : Path, optional
        Folder of results, one file each, ``KEY.json``.

    Raises
    ------
    SpinplaneError
        If `jobs` is below 1, Dask is asked for and not installed, or its scheduler cannot be reached.
    """

    def __init__(self, *, jobs: int | None = None, dask: str | None = None, kept: Path | None = None) -> None:
        self.jobs = usable_cores() if jobs is None else jobs
        if self.jobs < 1:
            raise SpinplaneError(f"jobs = {jobs}: must be at least 1")
        if dask is not None:
            need("distributed")
        self._dask, self._kept = dask, kept
        self._workers: Workers | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if self._dask is not None:
            from .cluster import Cluster

            self._workers = self._open.enter_context(Cluster(self._dask))
        elif self.jobs > 1:
            self._workers = self._open.enter_context(Cores(self.jobs))
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)

    def map(
        self,
        function: Function,
        tasks: Mapping[str, Any],
        advance: Callable[[int, int], None] = lambda done, of: None,
    ) -> dict[str, Any]:
        """Results of all tasks, by their keys, in the order of the tasks.

        Parameters
        ----------
        function : callable
            Of a module, from a task to plain data.
        tasks : mapping of str to object
            By key: letters, digits and ``-``.
        advance : callable
            Is given the number of tasks that are done, and of all.

        Raises
        ------
        SpinplaneError
            What the function raises, or if workers are lost again and again.
        """
        found = {key: result for key in tasks if (result := self._read(key)) is not None}
        advance(len(found), len(tasks))
        missing = {key: task for key, task in tasks.items() if key not in found}
        with noting_files():  # those that are kept are named together
            for key, result in self._done(function, missing):
                # As a file would give it back, so that a resumed run has the same.
                text = json.dumps(result, allow_nan=False)
                if self._kept:
                    write_whole(self._file(key), text.encode())
                found[key] = json.loads(text)
                advance(len(found), len(tasks))
        if self._kept and found:
            note_written(self._kept, sum(1 for _ in self._kept.glob("*.json")))
        return {key: found[key] for key in tasks}

    def share(
        self,
        function: Function,
        tasks: Sequence[Any],
        advance: Callable[[int, int], None] = lambda done, of: None,
    ) -> list[Any]:
        """Results of tasks that have no keys, in their order; see `map`."""
        return list(
            self.map(function, {str(number): task for number, task in enumerate(tasks)}, advance).values()
        )

    def shares(self, tasks: int) -> bool:
        """Whether so many tasks are done by other processes."""
        return tasks > 0 and (self._dask is not None or min(tasks, self.jobs) > 1)

    def _done(self, function: Function, tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        return (
            self._workers.done(function, tasks)
            if self._workers and self.shares(len(tasks))
            else here(function, tasks)
        )

    def _file(self, key: str) -> Path:
        assert self._kept is not None
        return self._kept / f"{key}.json"

    def _read(self, key: str) -> Any:
        """A kept result; None if there is none, or none that can be read."""
        if self._kept is None:
            return None
        try:
            return json.loads(self._file(key).read_bytes())
        except (OSError, ValueError):
            return None
