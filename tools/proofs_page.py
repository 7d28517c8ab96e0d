"""Write docs/proofs.md: what is proven of the hardware, at which widths, how, and how long it took."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from formal.catalogue import PROOFS  # noqa: E402

PAGE = ROOT / "docs" / "proofs.md"
_HEAD = """# Proofs

What `make formal` proves of the hardware. Flip-flops are free before a reset of one cycle: no initial value is used.
*Whole* is a proof of a unit without state; *induction (k)* holds in all cycles, from k cycles to the next one;
*bounded (k)* holds in the first k cycles after a reset and says nothing of later ones. Each property is
about something that is reached, and a fault in the unit's text, a mutant, breaks it: within some cycles after a reset,
or, where none was found in them, in the step from some cycles to the next alone (*induction only*), which is weaker.
*Any state* asks of all states of the flip-flops, before and in a reset too. A machine's width is named
where it is larger than what is proven; seconds are those of a core. `python -m tools.proofs_page` runs the proofs and
writes this page.

| unit | property | proven for | machine | how | mutant fails in | seconds |
|---|---|---|---|---|---|---|
"""


def page(measured: Mapping[str, tuple[str, str]]) -> str:
    """Text of the page.

    Parameters
    ----------
    measured : dict of str to tuple of str
        In what its mutant fails and the seconds that it took, of each proof by name.
    """
    rows = [
        f"| {proof.unit.__name__} | {proof.says} | {proof.width} | {proof.machine} | {proof.method} "
        f"| {' | '.join(measured[name])} |\n"
        for name, proof in PROOFS.items()
    ]
    return _HEAD + "".join(rows)


def measured_of(text: str) -> dict[str, tuple[str, str]]:
    """What a page tells of mutants and seconds, by the proofs' names."""
    rows = text.partition("|---|---|---|---|---|---|---|\n")[2].splitlines()
    found = {}
    for name, row in zip(PROOFS, rows, strict=True):
        mutant, seconds = (cell.strip() for cell in row.split("|")[-3:-1])
        found[name] = (mutant, seconds)
    return found


def _core_seconds() -> float:
    """Seconds that this process and the solvers behind it have been at work."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def main() -> None:
    """Run all proofs and write the page."""
    measured = {}
    for name, proof in PROOFS.items():
        begun = _core_seconds()
        if not proof.holds():
            raise SystemExit(f"{name} is not proven")
        seconds = f"{_core_seconds() - begun:.1f}"
        measured[name] = (proof.mutant_fails_in(), seconds)
    PAGE.write_text(page(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
