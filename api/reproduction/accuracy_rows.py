"""Rows of Fig. 7: test errors of trainings that were run, complexity of the configurations, sensitivity."""

import json
from collections.abc import Iterator
from math import sqrt
from typing import Any

from spinplane.compiler.frontend.networks import PAPER_CONFIGURATIONS, BitWidths
from spinplane.evaluation import Interval

from ..models import shipped_networks
from .evidence import CONFIGURATIONS, Evidence
from .printed import printed
from .row import UNJUDGED, Row, at_least

_CONFIDENCE = 1.96


def accuracy_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of errors, of SVHN and of MNIST, and of complexity."""
    for bits in PAPER_CONFIGURATIONS:
        yield from _errors(evidence, "fig7{part}.svhn", "svhn", bits)
    for bits in CONFIGURATIONS:
        yield _complexity("inference", bits, bits.inference_complexity)
        yield _complexity("training", bits, bits.training_complexity)
    for bits in PAPER_CONFIGURATIONS:
        yield from _errors(evidence, "fig7{part}-mnist", "mnist", bits)
    yield from _sensitivity(evidence)


def shipped_card(bits: BitWidths) -> dict[str, Any] | None:
    """What is told of the shipped network of these bits, if there is one."""
    for path in shipped_networks().values():
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if str(BitWidths.parse(card["bits"])) == str(bits):
            return card
    return None


def _errors(evidence: Evidence, id: str, data_set: str, bits: BitWidths) -> Iterator[Row]:
    missing = "not run, data not available" if data_set == "svhn" else "no network of these bits is shipped"
    found = evidence.errors(data_set).get(str(bits))
    card = shipped_card(bits) if data_set == "mnist" else None
    for part in "ab":
        item = printed(id.format(part=part))
        if found:
            ours, how, why = (
                Interval.exact(100 * (found.lowest if part == "a" else found.last)),
                found.how,
                "",
            )
        elif card and part == "a":
            ours, how, why = (
                Interval.without(""),
                "",
                "of the network that is shipped only the last epoch is kept",
            )
        elif card:
            ours = Interval.exact(100 * card["test_error"])
            how = f"network as shipped: {card['network']}, {card['epochs']} epochs, {card['test_images']} images"
            why = ""
        else:
            ours, how, why = Interval.without(""), "", missing
        yield item.row(ours, how, of=str(bits).replace(":", "-"), what=str(bits), why=why)


def _complexity(kind: str, bits: BitWidths, ours: int) -> Row:
    formula = "W × I" if kind == "inference" else "W × I + W × G"
    item = printed(f"complexity.{kind}.{bits.weight}-{bits.activation}")
    return item.row(Interval.exact(ours), f"{formula}, G of {bits.gradient} bits")


def _sensitivity(evidence: Evidence) -> Iterator[Row]:
    item = printed("sensitivity")
    cards = {text: shipped_card(BitWidths.parse(text)) for text in ("1:1", "1:2", "2:2")}
    known = {text: card for text, card in cards.items() if card}
    ours = Interval.without("networks") if len(known) < len(cards) else _difference(known)
    yield item.row(
        ours,
        "MNIST, networks as shipped: what a second bit of the inputs takes off the test error, less what a second bit "
        "of the weights takes off then; 95 % interval of test sets",
        of="inputs",
        what="inputs more than weights",
        why="above 0 it holds",
        verdict=at_least(ours, 0),
    )
    yield item.row(
        Interval.without("training with other gradients"),
        "",
        of="gradients",
        what="gradients most",
        why="all trainings here have gradients of 8 bits",
        verdict=UNJUDGED,
    )


def _difference(cards: dict[str, dict[str, Any]]) -> Interval:
    """(1:1 − 1:2) − (1:2 − 2:2) in percent."""
    factors = {"1:1": 1, "1:2": -2, "2:2": 1}
    value = sum(factor * cards[text]["test_error"] for text, factor in factors.items())
    variance = sum(
        factor**2 * cards[text]["test_error"] * (1 - cards[text]["test_error"]) / cards[text]["test_images"]
        for text, factor in factors.items()
    )
    spread = _CONFIDENCE * sqrt(variance)
    return Interval(value=100 * value, low=100 * (value - spread), high=100 * (value + spread))
