"""Tasks on the workers of a Dask scheduler: nothing is assumed of their disks, and their versions are checked."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Self

from spinplane.machine import SpinplaneError

from .versions import figures_version
from .workers import Function

#: How often a task may be given up by the scheduler, which itself tries several workers.
_ATTEMPTS = 4
#: Seconds in which the scheduler must answer.
_ANSWERS = 20


class Cluster:
    """Workers of a Dask scheduler; a context, at whose end this client leaves it.

    Parameters
    ----------
    address : str
        As ``tcp://host:8786``.

    Raises
    ------
    SpinplaneError
        If the scheduler does not answer.
    """

    def __init__(self, address: str) -> None:
        from dask.distributed import Client  # an extra

        try:
            self._client = Client(address, timeout=_ANSWERS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise SpinplaneError(f"dask {address}: no scheduler answers: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def done(self, function: Function, tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Key and result of each task as it comes; those of a worker that is lost are done once more, elsewhere.

        Raises
        ------
        SpinplaneError
            What the function raises, if a worker has another version, or a task is lost again and again.
        """
        from dask.distributed import Future, KilledWorker, as_completed

        version = figures_version()
        lost: Counter[str] = Counter()

        def submit(key: str) -> Future:
            return self._client.submit(_checked, version, function, tasks[key], pure=False)

        keys = {submit(key): key for key in tasks}
        coming = as_completed(list(keys), loop=self._client.loop)
        try:
            for future in coming:
                key = keys.pop(future)
                try:
                    yield key, future.result()
                except KilledWorker:
                    lost[key] += 1
                    if lost[key] >= _ATTEMPTS:
                        raise SpinplaneError(
                            f"dask: task {key} was lost with its workers {_ATTEMPTS} times, as for want of memory"
                        ) from None
                    again = submit(key)
                    keys[again] = key
                    coming.add(again)
        finally:
            self._client.cancel(list(keys))


def _checked(version: str, function: Function, task: Any) -> Any:
    """A task's result, on a worker whose figures are those of who asks."""
    if (own := figures_version()) != version:
        raise SpinplaneError(
            f"dask: a worker's spinplane is another one ({own}, not {version}): install the same version on all workers"
        )
    return function(task)
