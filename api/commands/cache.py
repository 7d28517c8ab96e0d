"""The cache: where it lies, what it holds, and how large it may become."""

from dataclasses import dataclass
from pathlib import Path

from spinplane.machine.external.cache import Cache
from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Shown


@dataclass(frozen=True, kw_only=True, repr=False)
class CacheReport(Shown):
    """What the cache holds.

    Parameters
    ----------
    folder : Path
    kinds : dict of str to int
        Number of entries of each kind: models, libraries, verilog, synthesis.
    megabytes : float
        Size of all entries, in 10^6 bytes.
    limit_mb : int
        Size above which those used longest ago are removed.
    removed : int
        Entries that were removed.
    """

    folder: Path
    kinds: dict[str, int]
    megabytes: float
    limit_mb: int
    removed: int

    @property
    def heading(self) -> str:
        """Where it lies."""
        return f"cache {self.folder}"

    @property
    def main_figure(self) -> str:
        """Its size."""
        return f"{self.megabytes:.1f} MB of {self.limit_mb} MB"

    def records(self) -> tuple[Record, ...]:
        """A record for each kind of entry."""
        return tuple({"kind": kind, "entries": number} for kind, number in self.kinds.items())

    def __str__(self) -> str:
        held = ", ".join(f"{number} {kind}" for kind, number in self.kinds.items()) or "nothing"
        lines = [f"cache    {self.folder}", f"holds    {held}: {self.megabytes:.1f} MB of {self.limit_mb} MB"]
        return "\n".join([*lines, *([f"removed  {self.removed}"] if self.removed else [])])


def tidy_cache(*, clear: bool = False, limit_mb: int | None = None) -> CacheReport:
    """Say what the cache holds, after emptying it or choosing its size.

    Parameters
    ----------
    clear : bool
        Remove all that no process uses now.
    limit_mb : int, optional
        Size that it may have from now on, in MB.

    Raises
    ------
    SpinplaneError
        If the limit is negative.
    """
    cache = Cache()
    before = len(cache.entries())
    if limit_mb is not None:
        cache.set_limit(limit_mb)
    if clear:
        cache.clear()
    entries = cache.entries()
    kinds: dict[str, int] = {}
    for entry in sorted(entries, key=lambda entry: entry.kind):
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    return CacheReport(
        folder=cache.root,
        kinds=kinds,
        megabytes=sum(entry.bytes for entry in entries) / 1e6,
        limit_mb=cache.limit_mb,
        removed=max(0, before - len(entries)),
    )
