"""Run every campaign of `tests/campaigns` in whole, and write the table of what they saw to docs/campaigns.md.

Names as arguments run these alone. ``--jobs`` is the number of processes, one for each core by default; with ``--dask
ADDRESS`` the workers of a scheduler do the work, each started in a checkout of this commit with its tests in its path.
"""

import argparse
import os
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from rich.progress import Progress

import tests.campaigns
from spinplane.tasks.engine import Engine

PAGE = Path(__file__).parents[1] / "docs" / "campaigns.md"
HEAD = """\
# Campaigns

Cases in large numbers; `make campaign` writes this page. Random ones follow from their numbers alone, and the tests
take the first tenth of them; of the gates they take the sub-array and the output stage. A campaign ends at the first
case that is wrong, and its table would not be here.
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--dask")
    given = parser.parse_args(arguments)
    wanted = given.names
    names = sorted(module.name for module in pkgutil.iter_modules(tests.campaigns.__path__))
    unknown = set(wanted) - set(names)
    if unknown:
        sys.exit(f"campaign: {', '.join(sorted(unknown))}: must be of {', '.join(names)}")
    sections = dict(_sections())
    for name in wanted or names:
        module = import_module(f"tests.campaigns.{name}")
        start = _processor_seconds()
        seen = count(module, jobs=given.jobs, dask=given.dask)
        if hasattr(module, "check_shares"):
            module.check_shares(seen)
        minutes = (_processor_seconds() - start) / 60
        sections[module.TITLE] = _section(module.TITLE, module.CASES, seen, minutes)
        PAGE.write_text("\n".join([HEAD, *(sections[title] for title in sorted(sections))]), encoding="utf-8")


def count(module: ModuleType, *, jobs: int | None, dask: str | None = None) -> Counter:
    """Run all cases of a campaign, and count what they saw: the same with any number of workers.

    Parameters
    ----------
    module : module
        Of `tests.campaigns`.
    jobs, dask
        See `Engine`.
    """
    chunks = {
        str(first): range(first, min(first + module.CHUNK, module.CASES))
        for first in range(0, module.CASES, module.CHUNK)
    }
    with Engine(jobs=jobs, dask=dask) as engine, Progress() as progress:
        task = progress.add_task(module.__name__, total=len(chunks))
        counted = engine.map(module.run, chunks, lambda done, of: progress.update(task, completed=done))
    return sum(map(Counter, counted.values()), Counter())


def _processor_seconds() -> float:
    """Time that the cores spent on this process and on those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _sections() -> Iterator[tuple[str, str]]:
    """Sections of the page as it is, by title."""
    if PAGE.exists():
        for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
            yield section.split("\n", 1)[0], f"## {section}"


def _section(title: str, cases: int, seen: Counter, minutes: float) -> str:
    lines = [f"## {title}", "", f"{cases} cases in {minutes:.0f} minutes of processor time, none wrong.", ""]
    lines += ["| seen | number |", "|---|---:|", *(f"| {what} | {seen[what]} |" for what in sorted(seen)), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
