"""Run every campaign of `tests/campaigns` in whole, and write the table of what they saw to docs/campaigns.md.

Names as arguments run these alone. As many processes work as the command may use cores (`taskset` gives it fewer).
"""

import os
import pkgutil
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from rich.progress import track

import tests.campaigns

PAGE = Path(__file__).parents[1] / "docs" / "campaigns.md"
HEAD = """\
# Campaigns

Cases in large numbers; `make campaign` writes this page. Random ones follow from their numbers alone, and the tests
take the first tenth of them; of the gates they take the sub-array and the output stage. A campaign ends at the first
case that is wrong, and its table would not be here.
"""


def main(wanted: list[str]) -> None:
    names = sorted(module.name for module in pkgutil.iter_modules(tests.campaigns.__path__))
    unknown = set(wanted) - set(names)
    if unknown:
        sys.exit(f"campaign: {', '.join(sorted(unknown))}: must be of {', '.join(names)}")
    sections = dict(_sections())
    for name in wanted or names:
        module = import_module(f"tests.campaigns.{name}")
        chunks = [
            range(first, min(first + module.CHUNK, module.CASES))
            for first in range(0, module.CASES, module.CHUNK)
        ]
        start = _processor_seconds()
        seen: Counter = Counter()
        with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as workers:
            for counted in track(workers.map(module.run, chunks), description=name, total=len(chunks)):
                seen += counted
        if hasattr(module, "check_shares"):
            module.check_shares(seen)
        minutes = (_processor_seconds() - start) / 60
        sections[module.TITLE] = _section(module.TITLE, module.CASES, seen, minutes)
        PAGE.write_text("\n".join([HEAD, *(sections[title] for title in sorted(sections))]), encoding="utf-8")


def _processor_seconds() -> float:
    """Time that the cores spent on processes that have ended, those that these started included."""
    times = os.times()
    return times.children_user + times.children_system


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
