"""Outputs of a network, and what is left to the host behind them."""

from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import StepFunction
from .access import as_codes, line_of, refuse_regions, without_padding
from .copies import copying
from .drafts import Drafts
from .pairs import as_sums
from .quantizing import pooled_layer
from .value import CodesCarrier, PairCarrier, SumsCarrier, Value


def left_to_host(label: str, x: Value, operator: str) -> Value:
    """`Builder.host`."""
    return x if x.host else replace(x, host=f"{operator} ({label})" if operator not in label else label)


def is_same(one: Value, other: Value) -> bool:
    """Whether two values are one, but for what is left to the host."""
    return one.carrier is other.carrier and one.real is other.real and one.layout is other.layout


def output_maps(drafts: Drafts, name: str, x: Value) -> tuple[tuple[int, ...], Value, str]:
    """The maps of an output, the value that they are, and the first operator that is left to the host."""
    left, x = x.host, replace(x, host="") if x.host else x
    if x.real is not None and x.real.stages and x.before is not None:
        made = _by_table(drafts, name, x)
        left, x = (left, made) if made is not None else x.before
    x = replace(x, host="")
    label = f"output {name!r}"
    if isinstance(x.carrier, PairCarrier):
        x = as_sums(drafts, label, x)
    refuse_regions(label, x)
    if isinstance(x.carrier, SumsCarrier):
        layer = pooled_layer(x.carrier, x.real, None)
        number = drafts.add(layer, None, layer.i, x.layout.sides)
        return (number,), x, left
    x = without_padding(drafts, label, as_codes(drafts, label, x))
    assert isinstance(x.carrier, CodesCarrier)
    maps = x.carrier.maps
    if min(maps) < 0:
        line = line_of(drafts, label, x)
        layer = copying("copy of the input", line.maps, x.channels, line.operand)
        layer = replace(layer, steps=StepFunction.one_by_one(line.levels, line.levels, x.channels))
        maps = (drafts.add(layer, line.levels, line.operand, x.layout.sides),)
    if x.real is None or len({*maps}) < len(maps):
        raise SpinplaneError(f"{label}: a map twice in one output")
    assert np.size(maps)
    return maps, x, left


def _by_table(drafts: Drafts, name: str, x: Value) -> Value | None:
    """Codes behind a function as other codes; None of sums, and of numbers that are no multiples of one step."""
    if not isinstance(x.carrier, CodesCarrier):
        return None
    try:
        line_of(drafts, f"output {name!r}", x)
    except SpinplaneError:
        return None
    return drafts.on_line(x)
