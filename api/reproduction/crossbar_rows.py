"""Rows about crossbars of resistive cells, and about what the engine saves beside them and beside a processor."""

from collections.abc import Iterator

from spinplane.evaluation import Interval

from .evidence import CROSSBARS, NETWORKS, Evidence
from .printed import Printed, printed
from .row import FAILS, HOLDS, Row, at_least, quotient

_WIDE = "models of both with their bounds as if nothing were common to them"


def crossbar_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of the claims about crossbars."""
    for data_set in NETWORKS:
        for design in CROSSBARS:
            yield from _claims(evidence, data_set, design)


def ratio_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of what is saved in energy, area and communication."""
    crossbars, cost = evidence.crossbars("imagenet", "bcnn-rram"), evidence.cost("imagenet")
    energies = (("core", cost.core), ("all", cost.energy))
    areas = (
        ("arrays", cost.area.arrays),
        ("without-banks", cost.area.without_banks),
        ("chip", cost.area.total),
    )
    for id, energy in energies:
        yield _saved(printed("ratio.energy"), crossbars.energy, energy, id)
    for id, area in areas:
        yield _saved(printed("ratio.area"), crossbars.area or Interval.without("area"), area, id)
    yield from _communication(evidence)


def _claims(evidence: Evidence, data_set: str, design: str) -> Iterator[Row]:
    crossbars, item = evidence.crossbars(data_set, design), printed("rram.converters")
    for what, share in (("energy", crossbars.energy_share), ("area", crossbars.area_share)):
        percent = (share or Interval.without("converters")).scaled(100)
        yield item.row(
            percent,
            f"DAC, ADC and buffers ÷ all of {crossbars.title}",
            of=f"{data_set}.{design}.{what}",
            what=f"{what} of {data_set}, {design}",
            verdict=at_least(percent, item.number),
        )
    splits = max(layer.splits or 0 for layer in crossbars.layers)
    yield printed("rram.splitting").row(
        Interval.exact(splits),
        f"crossbars whose sums are added for one kernel, the most of all layers; {crossbars.notes[0]}",
        of=f"{data_set}.{design}",
        what=f"{data_set}, {design}",
        verdict=HOLDS if splits > 1 else FAILS,
    )


def _saved(item: Printed, theirs: Interval, ours: Interval, id: str) -> Row:
    ratio = quotient(theirs, ours)
    value = ratio.value or 0.0
    return item.row(
        ratio,
        f"binary crossbars ÷ ours, {_WIDE}",
        of=id,
        what=f"ours {id.replace('-', ' ')}",
        why=f"at the values it is {value:.2g}, which {'reaches' if value >= item.number else 'does not reach'} it",
        verdict=at_least(ratio, item.number),
    )


def _communication(evidence: Evidence) -> Iterator[Row]:
    for data_set in NETWORKS:
        read = evidence.estimate(data_set).von_neumann
        assert read is not None
        for id, what, reduction, bits in (
            ("fetched", "each operand fetched anew", read.reduction, read.fetched_bits),
            ("reused", "each value moved once a layer", read.reduction_reused, read.reused_bits),
        ):
            yield printed("communication").row(
                Interval.exact(reduction),
                f"{bits:,} bits of operands ÷ {read.port_bits:,} bits over the banks' ports",
                of=f"{data_set}.{id}",
                what=f"{data_set}, {what}",
                why="beside a processor whose caches keep nothing"
                if id == "fetched"
                else "beside perfect caches",
                verdict=at_least(Interval.exact(reduction), 1),
            )
