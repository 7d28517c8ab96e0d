"""Rows of area: layers on the engine that they share, and what is added to a plain memory."""

from collections.abc import Iterator

from spinplane.evaluation import ChipArea, Interval

from .evidence import Evidence
from .printed import printed
from .row import Row, at_least

_UM2, _MM2 = 1e12, 1e6


def area_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of Fig. 10 and of the two shares that are printed."""
    yield from _layers(evidence)
    chip = evidence.area
    yield from _added(chip)
    yield from _parts(chip)


def _layers(evidence: Evidence) -> Iterator[Row]:
    item = printed("fig10a")
    for layer in evidence.cost("svhn").layers:
        if layer.area is None:
            continue
        yield item.row(
            layer.area.of_rows.scaled(_MM2),
            f"{layer.area.rows} of {evidence.machine.rows} rows hold its input lines and its kernels: that part of all "
            "arrays",
            of=f"{layer.layer}.rows",
            what=f"{layer.layer}, rows",
            why="all layers share one engine, so a layer has no area of its own",
        )
        yield item.row(
            layer.area.of_cycles.scaled(_MM2),
            "its part of the cycles, of the whole chip",
            of=f"{layer.layer}.cycles",
            what=f"{layer.layer}, cycles",
            why="the other way to share what all layers use",
        )


def _added(chip: ChipArea) -> Iterator[Row]:
    for add_on in chip.add_ons:
        yield printed("area.add-on").row(
            Interval.of(add_on.share).scaled(100),
            f"logic of a sub-array without a plain decoder ÷ array and that decoder, {chip.logic.library}",
            of=add_on.sensing,
            what=f"{add_on.sensing} sensing",
            why="which cells, accumulator and controller the paper counts is not said",
        )
    if chip.added:
        share = Interval.exact(100 * chip.added.share)
        item = printed("area.decoder-and-sum")
        yield item.row(
            share,
            f"two-line decoder and sum ÷ all logic that is added, {chip.logic.library}",
            why="bit-counter, controller and write path take the rest",
            verdict=at_least(share, item.number),
        )


def _parts(chip: ChipArea) -> Iterator[Row]:
    item, plain = printed("fig10b"), chip.added.plain_decoder_um2 if chip.added else 0.0
    for block in chip.logic.blocks:
        if block.sub_array is None or block.sub_array.area_um2 is None:
            continue
        area = block.sub_array.area_um2 - (plain if block.name == "decoder" else 0.0)
        yield item.row(
            Interval.exact(area),
            f"cells of {chip.logic.library}" + (", less a plain decoder" if block.name == "decoder" else ""),
            of=block.name.replace(",", "").replace(" ", "-"),
            what=block.name,
        )
    for add_on in chip.add_ons:
        yield item.row(
            Interval.of(add_on.plain).scaled(_UM2),
            "model of the array, and one decoder",
            of=f"plain-memory.{add_on.sensing}",
            what=f"plain memory beside it, {add_on.sensing} sensing",
        )
