"""How the sums of a layer become codes in a program, and how near its steps come to rounding the other way."""

from dataclasses import dataclass

import numpy as np
from rich.table import Table

from spinplane.compiler.codegen.passes import accumulator_bits
from spinplane.compiler.compiled_program import PlacedStage
from spinplane.compiler.mapping.parts import Part
from spinplane.compiler.meaning.near_ties import near_ties

from .compiled_layer import CompiledLayer


@dataclass(frozen=True, kw_only=True)
class LayerCodes:
    """A layer's way from sums to codes.

    Parameters
    ----------
    layer : str
    rounding : str
        Of products, by name; two of them where own codes are added to others, nothing where sums are only searched.
    native, line, searched, table : int
        Channels that are multiplied as their operator defines it, multiplied along a line through all steps, searched
        in a list of thresholds, and looked up in a table besides.
    threshold_words : int
        Words of the threshold bank.
    interval : int
        Cycles of an outer beat.
    margin : float or None
        Least distance of a sum's exact value to a step, in codes of the output; None if no step is one of real numbers.
    near_ties : int
        Sums of all channels at which float32 may come to another code than exact arithmetic.
    accumulator_bits_needed, accumulator_bits : int
        Width of an accumulator for the largest count, and that of the machine.
    """

    layer: str
    rounding: str
    native: int
    line: int
    searched: int
    table: int
    threshold_words: int
    interval: int
    margin: float | None
    near_ties: int
    accumulator_bits_needed: int
    accumulator_bits: int


def layer_codes(compiled: CompiledLayer) -> LayerCodes:
    """What is told of a layer's codes, and of the widest accumulators of the stages that compute it."""
    stage, machine = _coding_stage(compiled), compiled.machine
    first_pass, steps = stage.passes[0], stage.steps
    kernels = range(len(compiled.layer.weights))
    channels = [*map(compiled.kernel_of_sums, kernels)] if stage is compiled.sums else kernels
    roundings = [first_pass.own_rounding] if first_pass.own_code else []
    if first_pass.multiplies and not steps.raw:
        roundings.append(first_pass.rounding)
    ties = near_ties(compiled.layer)
    margin = float(ties.margin.min())
    lanes = machine.results_per_cycle
    return LayerCodes(
        layer=compiled.layer.name,
        rounding=", ".join(rounding.name.lower() for rounding in roundings),
        **steps.methods(channels),
        threshold_words=sum(
            stage.steps.with_gaps(lanes).list_places(lanes).words
            for stage in (*compiled.copies, *compiled.stages)
        ),
        interval=first_pass.interval,
        margin=margin if np.isfinite(margin) else None,
        near_ties=int(ties.count.sum()),
        accumulator_bits_needed=max(
            accumulator_bits(stage.allocation.placement) for stage in compiled.stages
        ),
        accumulator_bits=machine.accumulator_bits,
    )


def _coding_stage(compiled: CompiledLayer) -> PlacedStage:
    """The stage that makes the layer's codes: the last one, unless that only takes kernels out of widened groups."""
    last = compiled.stages[-1]
    takes_out = last.stage.part is Part.NARROWING and last.stage.adds is None
    return compiled.sums if takes_out else last


def codes_table(codes: tuple[LayerCodes, ...]) -> Table:
    """Rounding, methods by channel, margins and widths of all layers."""
    table = Table(
        title="from sums to codes",
        caption="channels by method; margin: of the nearest sum to a step, in codes; near-ties: sums; accumulator: "
        "bits needed of those there",
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("layer")
    headings = ("rounding", "native", "line", "searched", "table", "threshold words", "interval")
    for heading in (*headings, "margin", "near-ties", "accumulator"):
        table.add_column(heading, justify="right")
    for one in codes:
        table.add_row(
            one.layer,
            one.rounding,
            *(str(number) for number in (one.native, one.line, one.searched, one.table)),
            str(one.threshold_words),
            str(one.interval),
            "" if one.margin is None else f"{one.margin:.1e}",
            f"{one.near_ties:,}",
            f"{one.accumulator_bits_needed} of {one.accumulator_bits}",
        )
    return table
