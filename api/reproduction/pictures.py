"""Pictures of the rows: bars of ours with their bounds, and a mark where the paper prints a number."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from spinplane.device.figures import draw_sense_levels
from spinplane.machine.drawing import Drawing, Target
from spinplane.machine.pictures import COLOURS, PAGE, picture

from .evidence import Evidence
from .row import Row

#: Height in inches of a bar, and of what stands around all bars.
_BAR, _AROUND = 0.17, 0.9
_WORDS = re.compile("(?<=[,:]) ")


@dataclass(frozen=True, kw_only=True)
class Bars:
    """Rows that are drawn together.

    Parameters
    ----------
    name, title : str
    ids : tuple of str
        Beginnings of the rows' ids; rows of one beginning have one colour.
    logarithmic : bool
    """

    name: str
    title: str
    ids: tuple[str, ...]
    logarithmic: bool = False


PICTURES = (
    Bars(name="fig8a-storage", title="Storage of AlexNet", ids=("fig8a.alexnet", "storage.alexnet.227")),
    Bars(name="fig9a-ands", title="Single-bit ANDs of the SVHN network", ids=("fig9a.ands",)),
    Bars(name="fig9a-energy", title="Energy of an SVHN image by W:I", ids=("fig9a.energy",)),
    Bars(name="fig9b-energy", title="Where the energy of an SVHN image at 1:1 goes", ids=("fig9b",)),
    Bars(name="fig10b-area", title="A plain memory, and what a sub-array adds", ids=("fig10b",)),
    Bars(
        name="table2-energy",
        title="Table II: energy of an image",
        ids=tuple(f"table2.{data_set}.energy" for data_set in ("imagenet", "svhn", "mnist")),
        logarithmic=True,
    ),
    Bars(
        name="table2-area",
        title="Table II: area",
        ids=tuple(f"table2.{data_set}.area" for data_set in ("imagenet", "svhn", "mnist")),
        logarithmic=True,
    ),
)


def drawings_of(rows: Sequence[Row], evidence: Evidence) -> tuple[Drawing, ...]:
    """Pictures of levels of the bit line, storage, work, energies and areas.

    Parameters
    ----------
    rows : sequence of Row
    evidence : Evidence
        What the rows were made of.
    """
    levels = partial(draw_sense_levels, run=evidence.sensed, name=evidence.technology.name)
    return (
        Drawing(name="fig4b-levels", draw=levels),
        *(Drawing(name=bars.name, draw=partial(draw_bars, bars=bars, rows=rows)) for bars in PICTURES),
    )


def draw_bars(to: Target, bars: Bars, rows: Sequence[Row]) -> None:
    """Draw those rows of some bars that have a value.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    bars : Bars
    rows : sequence of Row
    """
    shown = list(_shown(bars, rows))
    with picture(to, PAGE, _BAR * len(shown) + _AROUND) as figure:
        axis = figure.subplots()
        places = range(len(shown))
        values = [row.ours or 0.0 for _, row in shown]
        ends = [
            [value - (row.low or value) for value, (_, row) in zip(values, shown, strict=True)],
            [(row.high or value) - value for value, (_, row) in zip(values, shown, strict=True)],
        ]
        colours = [COLOURS[number % len(COLOURS)] for number, _ in shown]
        axis.barh(
            places, values, xerr=ends, color=colours, height=0.7, error_kw={"linewidth": 0.8, "capsize": 2}
        )
        printed = [(at, row.paper) for at, (_, row) in enumerate(shown) if row.paper is not None]
        if printed:
            axis.plot(
                [value for _, value in printed],
                [at for at, _ in printed],
                linestyle="none",
                marker="D",
                markersize=4,
                color="black",
                label="printed",
            )
            figure.legend(loc="outside lower right")
        axis.set_yticks(places, _labels([row for _, row in shown]))
        axis.invert_yaxis()
        axis.set_xlabel(shown[0][1].unit if shown else "")
        figure.suptitle(bars.title)
        if bars.logarithmic:
            axis.set_xscale("log")
        axis.grid(visible=True, axis="x")
        axis.set_axisbelow(True)


def _shown(bars: Bars, rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    for number, id in enumerate(bars.ids):
        for row in rows:
            if row.id.startswith(f"{id}.") and row.ours is not None:
                yield number, row


def _labels(rows: Sequence[Row]) -> list[str]:
    """Names of rows without the words that all of them begin with."""
    parts = [_WORDS.split(row.item) for row in rows]
    same = 0
    while len({tuple(words[: same + 1]) for words in parts}) == 1 and len(rows) > 1:
        same += 1
    return [" ".join(words[same:]) for words in parts]
