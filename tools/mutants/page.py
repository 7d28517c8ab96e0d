"""The page of the mutants that were run: how many die, and why the others live."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .plan import ROOT, Mutant, Plan
from .trees import Verdict

PAGE = ROOT / "docs" / "mutants.md"
HEAD = """\
# Mutants

`make mutants` changes one thing in a file, runs the tests, and asks whether one of them fails. Seed, files and tests
are fixed in `tests/mutants.toml`. A place is drawn among all that an operator may change, by a chance that follows from
its file and line, then one of its changes. The operators are those of cosmic-ray, without exceptions, decorators and
names; in RTL also an assignment dropped, a condition negated, and the arms of a `Mux` swapped. Tests run up to the
first that fails: of Python, those that run the function, the nearest and fastest first, for a minute of processor time;
of RTL, the unit's own bench, then those around it. The named ones are faults that somebody thought of. A mutant that
behaves as the file does counts as one that lives.
"""


def page(plan: Plan, mutants: dict[str, list[Mutant]], outcomes: dict[str, Verdict]) -> str:
    """Text of the page."""
    lines = [HEAD, "| sample | mutants | run | killed | of those run |", "|---|---:|---:|---:|---:|"]
    drawn = [mutant for name, sample in mutants.items() if name != "named" for mutant in sample]
    for name, sample in [*mutants.items(), ("all that were drawn", drawn)]:
        done = [outcomes[mutant.key] for mutant in sample if mutant.key in outcomes]
        killed = sum(bool(outcome.killed_by) for outcome in done)
        share = f"{100 * killed / len(done):.1f} %" if done else ""
        lines.append(f"| {name} | {len(sample)} | {len(done)} | {killed} | {share} |")
    done = [mutant for mutant in drawn if mutant.key in outcomes]
    lines += ["", "## By folder", "", "| folder | run | killed |", "|---|---:|---:|"]
    ran = Counter(str(Path(mutant.file).parent) for mutant in done)
    killed_in = Counter(str(Path(mutant.file).parent) for mutant in done if outcomes[mutant.key].killed_by)
    lines += [f"| {folder} | {ran[folder]} | {killed_in[folder]} |" for folder in sorted(ran)]
    lines += ["", "## Those that live", "", "| place | is | was made | why it lives |", "|---|---|---|---|"]
    met = [mutant for sample in mutants.values() for mutant in sample if mutant.key in outcomes]
    living = [mutant for mutant in met if not outcomes[mutant.key].killed_by]
    lines += [_row(plan, mutant) for mutant in sorted(living, key=lambda mutant: (mutant.file, mutant.line))]
    lines += ["", "## What killed the others", "", "| tests | mutants |", "|---|---:|"]
    lines += [f"| {name} | {number} |" for name, number in _killers(done, outcomes)]
    return "\n".join([*lines, ""])


def _row(plan: Plan, mutant: Mutant) -> str:
    reason = "?"
    for entry in plan.survivors:
        if (entry.file, entry.before, entry.after) == (mutant.file, mutant.before, mutant.after):
            reason = f"*equivalent*: {entry.reason}" if entry.equivalent else entry.reason
    return f"| {mutant.file}:{mutant.line} | {_code(mutant.before)} | {_code(mutant.after)} | {reason} |"


def _code(text: str) -> str:
    return "`` " + text.replace("|", "\\|") + " ``"


def _killers(mutants: list[Mutant], outcomes: dict[str, Verdict]) -> Iterator[tuple[str, int]]:
    """Files of tests, the most deadly first."""
    files = [outcomes[mutant.key].killed_by.partition("::")[0] for mutant in mutants]
    counted = Counter(file for file in files if file)
    return iter(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
