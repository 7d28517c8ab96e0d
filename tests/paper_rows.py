"""Rows of the paper, of small machines and networks, with a made-up netlist in place of a synthesis."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from unittest.mock import patch

from made_up_area import area_of

import spinplane
from spinplane.device import Technology
from spinplane.machine import Machine, load_machine
from spinplane.physical import AreaReport
from spinplane.reproduction.paper_report import PaperReport

#: Holds `digits` and `lenet`, and is exported in a second.
LOW = replace(
    load_machine("tiny"), name="low", rows=256, kernel_words=32768, image_words=16384, descriptors=128
)
DIGITS: Mapping[str, str] = {"imagenet": "digits", "svhn": "digits", "mnist": "digits"}


def made_up_netlist(machine: Machine, **_options: object) -> AreaReport:
    """Cells of a machine as no synthesis has found them, more of a larger one."""
    cells = {
        "accelerator": Counter({"engine": 1, "bank": 2, "INVX1": 7}),
        "engine": Counter({"sub_array": machine.sub_arrays, "NAND2X1": 2}),
        "sub_array": Counter(
            {
                "row_decoder": 1,
                "multi_line_row_decoder": 1,
                "sum": 1,
                "sot_mram_array": 1,
                "AND2X1": machine.columns,
            }
        ),
        "row_decoder": Counter({"NOR2X1": machine.rows}),
        "multi_line_row_decoder": Counter({"NOR2X1": 2 * machine.rows}),
        "sum": Counter({"FAX1": machine.accumulator_bits}),
    }
    return area_of(machine, cells)


@contextmanager
def in_short() -> Iterator[None]:
    """Netlists are made up, and few cells are drawn."""
    with (
        patch("spinplane.reproduction.evidence.synthesize", made_up_netlist),
        patch("spinplane.reproduction.evidence.TRIALS", 5000),
    ):
        yield


@cache
def base() -> PaperReport:
    """The rows that others are compared with."""
    return small_paper()


def small_paper(
    *,
    machine: Machine = LOW,
    technology: Technology | str = "sot-mram",
    networks: Mapping[str, str] = DIGITS,
    **options: object,
) -> PaperReport:
    """The rows of a small machine."""
    with in_short():
        return spinplane.paper(machine=machine, technology=technology, networks=networks, **options)  # type: ignore[arg-type]
