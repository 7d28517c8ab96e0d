"""What does tasks: this process, other processes, other machines."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

#: From a task to plain data; of a module, so that another process finds it.
Function = Callable[[Any], Any]


class Workers(Protocol):
    """Does tasks elsewhere."""

    def done(self, function: Function, tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """Key and result of each task as it comes, in any order."""


def here(function: Function, tasks: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Key and result of each task, done in this process, one after the other."""
    for key, task in tasks.items():
        yield key, function(task)
