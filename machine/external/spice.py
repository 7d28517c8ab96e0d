"""Decks for ngspice."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..names import DottedName, Name
from .text import Text, fill, joined, number, quoted_path

GROUND, SUPPLY = fill("0"), fill("vdd")
_DECK = """\
* @title@
@lines@
.options reltol=1e-9 abstol=1e-15 vntol=1e-12 gmin=1e-15
.control
set numdgt=12
op
@shown@
.endc
.end
"""


def node(kind: Name, *numbers: int) -> Text:
    """Name of a node: what it is, and its numbers. (SPICE knows no case.)"""
    return joined([fill("@kind@", kind=kind), *(fill("_@n@", n=n) for n in numbers)])


def supply(volts: float) -> Text:
    """The supply, at the node `SUPPLY`."""
    return fill("Vdd vdd 0 DC @volts@", volts=number(volts))


def included(path: Path, what: str) -> Text:
    """A file of models; `spice_models` has checked it, for ngspice does all that it says."""
    return fill(".include @path@", path=quoted_path(path, what))


def current_source(name: Text, into: Text, amperes: float) -> Text:
    """A constant current from ground into a node."""
    return fill("I@name@ 0 @into@ DC @amperes@", name=name, into=into, amperes=number(amperes))


def voltage_source(name: Text, at: Text, volts: float) -> Text:
    """A constant voltage between a node and ground."""
    return fill("V@name@ @at@ 0 DC @volts@", name=name, at=at, volts=number(volts))


def resistor(name: Text, ends: tuple[Text, Text], ohms: float) -> Text:
    """A resistor between two nodes."""
    return fill(
        "R@name@ @first@ @second@ @ohms@", name=name, first=ends[0], second=ends[1], ohms=number(ohms)
    )


def conductor(name: Text, ends: tuple[Text, Text], current: Text) -> Text:
    """What carries a current that is an expression in the voltages."""
    return fill("B@name@ @first@ @second@ I = @I@", name=name, first=ends[0], second=ends[1], I=current)


def voltage(ends: tuple[Text, Text]) -> Text:
    """The voltage between two nodes, in an expression."""
    return fill("V(@first@,@second@)", first=ends[0], second=ends[1])


def transistor(
    name: Text,
    ends: tuple[Text, Text],
    *,
    model: DottedName,
    subcircuit: bool,
    width_m: float,
    length_m: float,
) -> Text:
    """An n-channel transistor between two nodes, its gate at the supply and its bulk at ground."""
    return fill(
        "@kind@@name@ @first@ vdd @second@ 0 @model@ W=@width@ L=@length@",
        kind=fill("X" if subcircuit else "M"),
        name=name,
        first=ends[0],
        second=ends[1],
        model=model,
        width=number(width_m, 6),
        length=number(length_m, 6),
    )


def operating_point(title: Text, lines: Iterable[Text], shown: Sequence[Text]) -> Text:
    """A deck that prints the voltages of nodes at the operating point."""
    return fill(
        _DECK,
        title=title,
        lines=joined(lines, "\n"),
        shown=joined((fill("print v(@node@)", node=node) for node in shown), "\n"),
    )
