"""One number of the paper, or one of its claims, beside ours."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from spinplane.evaluation import Interval

Verdict = Literal["holds", "fails", "cannot be judged"]
HOLDS: Verdict = "holds"
FAILS: Verdict = "fails"
UNJUDGED: Verdict = "cannot be judged"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A number or a claim of the paper, and ours.

    Parameters
    ----------
    id : str
        ``figure.of.what``, such as ``table2.svhn.energy.sot.core``.
    item : str
        What it is.
    printed : str or None
        The characters of the surviving text.
    paper : float or None
        What they mean, in `unit`; None where the text prints no number.
    ours, low, high : float or None
        In `unit`, with the bounds that its parameters leave; None where there is no figure, or no bound.
    unit : str
        ``"1"`` for a plain number.
    verdict : {"holds", "fails", "cannot be judged"} or None
        Of a claim; None of a figure, which has a ratio.
    how : str
        How ours is computed.
    why : str
        Why `paper` or `ours` is None, or why they differ, or what the verdict rests on.
    """

    derived: ClassVar[tuple[str, ...]] = ("ratio",)

    id: str
    item: str
    printed: str | None
    paper: float | None
    ours: float | None
    low: float | None
    high: float | None
    unit: str
    verdict: Verdict | None
    how: str
    why: str

    @property
    def ratio(self) -> float | None:
        """Ours ÷ the paper's; None where one is missing."""
        return self.ours / self.paper if self.ours is not None and self.paper else None


def quotient(over: Interval, under: Interval) -> Interval:
    """One interval ÷ another one, as if they had no parameter in common: its bounds are wide, its high may be open."""
    for part in (over, under):
        if part.value is None:
            return part
    if over.value is None or not under.value or over.low is None or over.high is None or not under.high:
        return Interval.without("bounds")
    return Interval(
        value=over.value / under.value,
        low=over.low / under.high,
        high=over.high / under.low if under.low else None,
    )


def text_of(ours: Interval) -> str:
    """Value and bounds as text."""
    if ours.value is None or ours.low is None or ours.high is None:
        return f"no {ours.missing}"
    return f"{ours.value:.3g} ({ours.low:.3g} to {ours.high:.3g})"


def at_least(ours: Interval, claim: float) -> Verdict:
    """Whether a claim of *at least so much* holds within the bounds of ours."""
    if ours.low is None:
        return UNJUDGED
    if ours.low >= claim:
        return HOLDS
    return FAILS if ours.high is not None and ours.high < claim else UNJUDGED


def largest(one: Interval, others: list[Interval]) -> Verdict:
    """Whether one is the largest, whatever the bounds leave open."""
    verdicts = {_larger(one, other) for other in others}
    if FAILS in verdicts:
        return FAILS
    return UNJUDGED if UNJUDGED in verdicts else HOLDS


def _larger(one: Interval, other: Interval) -> Verdict:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return UNJUDGED
    if one.low > other.high:
        return HOLDS
    return FAILS if one.high < other.low else UNJUDGED
