"""All rows, in the order of the paper."""

from collections.abc import Callable, Iterator

from .accuracy_rows import accuracy_rows
from .area_rows import area_rows
from .contradiction_rows import contradiction_rows
from .crossbar_rows import crossbar_rows, ratio_rows
from .device_rows import device_rows
from .energy_rows import energy_rows
from .evidence import Evidence
from .row import Row
from .storage_rows import storage_rows
from .table_rows import table_rows

_PARTS: tuple[Callable[[Evidence], Iterator[Row]], ...] = (
    device_rows,
    accuracy_rows,
    storage_rows,
    energy_rows,
    crossbar_rows,
    area_rows,
    table_rows,
    ratio_rows,
    contradiction_rows,
)


def all_rows(evidence: Evidence) -> Iterator[Row]:
    """The rows of all figures, tables and claims."""
    for part in _PARTS:
        yield from part(evidence)
