"""Rows of what does not fit together in the paper: each follows from its own numbers, and from networks and cells."""

from collections.abc import Iterator
from math import ceil

import numpy as np

from spinplane.evaluation import Interval

from .definitions import counted_layers, network_works
from .evidence import BINARY, CONFIGURATIONS, CROSSBARS, NETWORKS, Evidence
from .printed import printed
from .row import FAILS, HOLDS, Row, text_of
from .storage_rows import of_side_227, stored_bits

_PJ_PER_UJ, _MM2, _MICRO = 1e6, 1e6, 1e6
#: Bits of what is not quantized.
_WIDE = 64
_DRAWN, _LENGTH, _SEED = 1000, 75, 0


def contradiction_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of energies, areas, ratios and words."""
    yield from _energy_of_an_and(evidence)
    yield from _table()
    yield from _area(evidence)
    yield from _words(evidence)
    yield from _converters(evidence)


def _energy_of_an_and(evidence: Evidence) -> Iterator[Row]:
    item, found = printed("contradiction.energy-of-an-and"), []
    for data_set in NETWORKS:
        cell = printed(f"table2.{data_set}.energy.bcnn-sot").number
        for counted in counted_layers(evidence.network(data_set))[:2]:
            energy = cell * _PJ_PER_UJ / counted.ands(BINARY)
            found.append(energy)
            yield item.row(
                Interval.exact(energy),
                f"{cell:g} µJ ÷ {counted.ands(BINARY):,} ANDs",
                of=f"{data_set}.{counted.id}",
                what=f"{data_set}, {counted.names}",
            )
    widest, counted = CONFIGURATIONS[-1], counted_layers(evidence.network("svhn"))[0]
    cell = printed("table2.svhn.energy.bcnn-sot").number
    yield item.row(
        Interval.exact(cell * _PJ_PER_UJ / counted.ands(widest)),
        f"{cell:g} µJ ÷ {counted.ands(widest):,} ANDs",
        of=f"svhn.{widest.weight}-{widest.activation}",
        what=f"svhn, {counted.names}, were the table of {widest}",
    )
    yield printed("contradiction.one-and").row(
        Interval.exact(max(found) / min(found)),
        "of the rows above at 1:1",
        why="the same AND of the same array takes the same energy in each network",
        verdict=HOLDS if max(found) < 2 * min(found) else FAILS,
    )


def _table() -> Iterator[Row]:
    def cell(data_set: str, quantity: str, design: str) -> float:
        return printed(f"table2.{data_set}.{quantity}.{design}").number

    half = cell("svhn", "energy", "cnn-rram") / cell("svhn", "energy", "bcnn-rram")
    yield printed("contradiction.svhn-half").row(
        Interval.exact(half),
        "of the table's cells",
        why="exactly a half looks like an assumption and not like a result; the other networks have other ratios",
        verdict=FAILS if half == 2 else HOLDS,
    )
    larger = cell("mnist", "area", "bcnn-rram") / cell("mnist", "area", "cnn-rram")
    yield printed("contradiction.mnist-area").row(
        Interval.exact(larger), "of the table's cells", verdict=HOLDS if larger <= 1 else FAILS
    )
    for quantity in ("energy", "area"):
        claim = printed(f"ratio.{quantity}").number
        for data_set in NETWORKS:
            ratio = cell(data_set, quantity, "bcnn-rram") / cell(data_set, quantity, "bcnn-sot")
            yield printed(f"contradiction.{quantity}-ratios").row(
                Interval.exact(ratio),
                "BCNN on RRAM ÷ BCNN on SOT-MRAM, of the table's cells",
                of=data_set,
                what=data_set,
                why=f"holds if it rounds to {claim:g}",
                verdict=HOLDS if round(ratio) == claim else FAILS,
            )


def _area(evidence: Evidence) -> Iterator[Row]:
    machine, technology = evidence.machine, evidence.technology
    cell = technology["cell.area"] * technology["process.feature_size"] ** 2 * _MM2
    array = cell * machine.rows * machine.columns
    printed_svhn = printed("table2.svhn.area.bcnn-sot").number
    yield printed("contradiction.svhn-area").row(
        Interval.exact(array),
        f"{machine.rows}×{machine.columns} cells of the technology",
        why=f"the table has {printed_svhn:g} mm² for all",
        verdict=HOLDS if array <= printed_svhn else FAILS,
    )
    weights = evidence.network("imagenet").weights
    printed_alexnet = printed("table2.imagenet.area.bcnn-sot").number
    yield printed("contradiction.alexnet-area").row(
        Interval.exact(cell * weights),
        f"{weights:,} weights of a bit each, cells alone",
        why=f"the table has {printed_alexnet:g} mm², {cell * weights / printed_alexnet:.2g} times less",
        verdict=HOLDS if cell * weights <= printed_alexnet else FAILS,
    )
    for add_on in evidence.area.add_ons:
        if add_on.plain.value is not None:
            yield printed("contradiction.add-on-area").row(
                Interval.exact(printed("area.add-on").number / 100 * add_on.plain.value * 1e12),
                f"15.4 % of our plain memory with {add_on.sensing} sensing",
                of=add_on.sensing,
                what=f"{add_on.sensing} sensing",
            )


def _words(evidence: Evidence) -> Iterator[Row]:
    svhn, columns = evidence.network("svhn"), evidence.machine.columns
    convolutions, quantized, with_first = counted_layers(svhn)
    longest = max(convolutions.layers, key=lambda shape: shape.window)
    yield printed("contradiction.one-cycle").row(
        Interval.exact(longest.window),
        f"window of {longest.layer.name} at 1:1",
        why=f"a row has {columns} columns: it takes {ceil(longest.window / columns)} of them",
        verdict=HOLDS if longest.window <= columns else FAILS,
    )
    for counted in (convolutions, quantized, with_first):
        six = len(counted.layers) == 6
        yield printed("contradiction.six-convolutions").row(
            Interval.exact(len(counted.layers)),
            counted.names,
            of=counted.id,
            what=counted.id,
            why=f"{counted.ands(BINARY):,} ANDs" + ("; six, as the paper says" if six else ""),
            verdict=HOLDS if six else FAILS,
        )
    alexnet = of_side_227(evidence.network("imagenet"))
    # Inputs stay unquantized, as wide as the ends.
    weights_alone = stored_bits(alexnet, BINARY, _WIDE) + sum(
        (_WIDE - 1) * work.inputs for work in network_works(alexnet, BINARY) if work.quantized
    )
    more = weights_alone / stored_bits(alexnet, BINARY, _WIDE)
    yield printed("contradiction.binary-weight").row(
        Interval.exact(more),
        "storage with weights of a bit and unquantized inputs ÷ storage at 1:1",
        why="with unquantized inputs there is no bit-wise AND; the storage that is printed is that of 1:1",
        verdict=FAILS if more > 1 else HOLDS,
    )
    right, drawn = _footnote()
    yield printed("contradiction.footnote").row(
        Interval.exact(right),
        f"{drawn} pairs of ±1 vectors of {_LENGTH}, seed {_SEED}; 2·popcount(xnor) − N is right in all",
        why="the sign is the other way",
        verdict=HOLDS if right == drawn else FAILS,
    )


def _converters(evidence: Evidence) -> Iterator[Row]:
    ours = evidence.cost("imagenet").core
    for design in CROSSBARS:
        crossbars = evidence.crossbars("imagenet", design)
        part = next(part for part in crossbars.parts if part.name == "ADC")
        yield printed("contradiction.adc").row(
            part.energy.scaled(_MICRO),
            crossbars.title,
            of=design,
            what=design,
            why=f"all of these crossbars take {text_of(crossbars.energy.scaled(_MICRO))} µJ, our core "
            f"{text_of(ours.scaled(_MICRO))}",
        )


def _footnote() -> tuple[int, int]:
    """How many dot products the footnote gets right, and of how many."""
    a, b = np.random.default_rng(_SEED).choice((-1, 1), (2, _DRAWN, _LENGTH))
    equal = (a == b).sum(axis=1)
    return int((_LENGTH - 2 * equal == (a * b).sum(axis=1)).sum()), _DRAWN
