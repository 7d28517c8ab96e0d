"""Run the mutants of `tests/mutants.toml` that have not been run, and write docs/mutants.md from all results.

Results are kept in `build/mutants` as they come: a run that was stopped goes on where it was. As many processes work as
the command may use cores (`taskset` gives it fewer).
"""

import argparse
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue

from rich.progress import track

from .footprints import FILE_VARIABLE, TESTS, TREE_VARIABLE, Footprints
from .page import PAGE, page
from .plan import ROOT, Mutant, Plan
from .processes import run_tests
from .trees import Tree, Verdict

HOME = ROOT / "build" / "mutants"
RESULTS, FOOTPRINTS = HOME / "results.jsonl", HOME / "footprints.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--sample", action="append", help="run the mutants of this sample alone")
    parser.add_argument("--again", action="store_true", help="run those that live, and no others, once more")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page")
    parser.add_argument(
        "--footprints", action="store_true", help="see which tests run which function; anew when tests move"
    )
    options = parser.parse_args()
    if options.footprints:
        record_footprints()
        return
    plan = Plan()
    mutants = {"named": plan.named(), **{sample: plan.drawn(sample) for sample in plan.samples}}
    outcomes = read_results(RESULTS)
    if not options.page:
        # A part of the run is a part of every sample.
        waiting = [
            (at / len(mutants[sample]), mutant)
            for sample in options.sample or mutants
            for at, mutant in enumerate(mutants[sample])
            if is_waiting(outcomes.get(mutant.key), again=options.again)
        ]
        waiting.sort(key=lambda item: item[0])
        run(
            [mutant for _, mutant in waiting],
            plan,
            lambda mutant, outcome: keep(RESULTS, outcomes, mutant, outcome),
        )
        drawn = {mutant.key for sample in mutants.values() for mutant in sample}
        confirm({outcome.killed_by for key, outcome in outcomes.items() if key in drawn})
    PAGE.write_text(page(plan, mutants, outcomes), encoding="utf-8")


def is_waiting(outcome: Verdict | None, *, again: bool) -> bool:
    """Whether a mutant is to be run: those that have not been, or those that lived."""
    return outcome is None if not again else outcome is not None and not outcome.killed_by


def confirm(killers: set[str]) -> None:
    """Prove that the tests that killed mutants pass in a tree without any.

    Raises
    ------
    RuntimeError
        If one fails there too, so that it tells nothing of its mutants.
    """
    listed = sorted(name for name in killers if "::" in name)
    failed = Tree(HOME / "tree-0").failing(listed, seconds=3600) if listed else None
    if failed is not None:
        raise RuntimeError(f"{failed[0]} fails without a mutant: {failed[1]}")


def run(mutants: list[Mutant], plan: Plan, keep: Callable[[Mutant, Verdict], None]) -> None:
    """Test mutants, each in one of as many trees as there are cores."""
    cores = len(os.sched_getaffinity(0))
    footprints = Footprints(FOOTPRINTS)
    trees: SimpleQueue[Tree] = SimpleQueue()
    for number in range(min(cores, len(mutants))):
        trees.put(Tree(HOME / f"tree-{number}"))

    def judge(mutant: Mutant) -> None:
        sound = (ROOT / mutant.file).read_text(encoding="utf-8")
        of_rtl = mutant.file.startswith("hdl/")
        chosen = [] if of_rtl else footprints.tests(mutant.file, sound, mutant.line)
        tree = trees.get()
        try:
            keep(mutant, tree.judge(mutant, plan.stages(mutant.file), chosen))
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(cores) as workers:
        for _ in track(workers.map(judge, mutants), description="mutants", total=len(mutants)):
            pass


def record_footprints() -> None:
    """Run the tests of `TESTS` once, in a tree of their own, and keep which functions each runs."""
    HOME.mkdir(parents=True, exist_ok=True)
    tree = Tree(HOME / "tree-footprints")
    names = {FILE_VARIABLE: str(FOOTPRINTS), TREE_VARIABLE: os.path.realpath(tree.folder)}
    status, output = run_tests(tree.folder, TESTS, None, names, seconds=3600)
    if status:
        raise RuntimeError(f"tests fail as they are: {output[-4_000:]}")


def read_results(path: Path) -> dict[str, Verdict]:
    """Outcomes by the keys of their mutants; the last one of each counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = [json.loads(line) for line in lines]
    return {entry.pop("key"): Verdict(**entry) for entry in entries}


def keep(path: Path, outcomes: dict[str, Verdict], mutant: Mutant, outcome: Verdict) -> None:
    """Add an outcome to those that are known."""
    outcomes[mutant.key] = outcome
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as results:
        results.write(json.dumps({"key": mutant.key, **asdict(outcome)}) + "\n")


if __name__ == "__main__":
    main()
