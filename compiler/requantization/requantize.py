"""From a layer's meaning to the output stage's parameters, which reproduce every step of every channel exactly.

A channel's sum becomes a code by a multiplication, natively as an operator defines it or along a line through all
steps, or by a search through a list of thresholds. Products are proven on both sides of every step that is reached.
"""

from typing import Any

import numpy as np

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.output_stage import MOST_SEARCH_READS, search_reads
from spinplane.machine.passes import Pass

from ..codes import InputCode
from ..graph import CodeAddition, Layer, StepFunction
from .added_codes import added_codes, own_codes
from .methods import all_numbers, multiplied, multiplied_natively, searched
from .native_scales import exact_steps
from .parameters import Requantization
from .staircases import code_steps, stored_codes
from .values import Addend, Value, pool_of, value_of


def requantization(
    layer: Layer, output: InputCode | None, addend: Addend | None, machine: Machine, *, sparing: bool = False
) -> Requantization:
    """How the pooled sums of a layer, and its residual, become the codes of its output map.

    Parameters
    ----------
    layer : Layer
        `spinplane.compiler.mapping.layer_splitting` splits those that are too much for one stage.
    output : InputCode, optional
        Codes of the output map; None where the layer gives its sums.
    addend : Addend, optional
        The map that its residual, or its addition of codes, takes.
    machine : Machine
        Its multipliers decide which way is the fastest.
    sparing : bool
        Whether as few words of thresholds are taken as can be, rather than as few cycles.

    Raises
    ------
    SpinplaneError
        If a sum does not fit, a level is not a code, or thresholds are too many or too large; the message names the
        layer.
    """
    value = value_of(layer, addend)
    if layer.steps is None or output is None:
        return _raw(layer, value)
    if layer.addition and layer.addition.source is not None:
        own = own_codes(layer, value)
        assert own is not None
        assert addend is not None
        return added_codes(layer, own, output, addend)
    steps = layer.steps
    if isinstance(steps, StepFunction):
        return _by_steps(layer, _added(layer, steps), output, value, addend, machine, sparing=sparing)
    exact = exact_steps(layer, steps, value.low, value.high)
    added = _added(layer, exact)
    multiplies = _interval(machine, output, addend, multiplies=True)
    if layer.residual or (
        not sparing and _search_interval(machine, output, addend, added.count) < multiplies
    ):
        return _by_steps(layer, added, output, value, addend, machine, sparing=sparing)
    levels = _behind(layer, steps.levels)
    return multiplied_natively(layer, steps, value, exact, stored_codes(layer.name, levels, output))


def _raw(layer: Layer, value: Value) -> Requantization:
    """Values as they are; only a residual needs products."""
    pool, least = pool_of(layer)
    channels = len(value.low)
    ones = np.ones(channels, dtype=np.int64)
    numbers = {
        "least": least,
        "multiplier": value.sum_scale,
        "residual_multiplier": value.code_scale,
        "offset": value.constant,
    }
    return Requantization(
        channels=all_numbers(channels, numbers),
        bias=0 * ones,
        windows=value.windows,
        thresholds=np.zeros((channels, 0), dtype=np.int64),
        tables=np.zeros((channels, 0), dtype=np.uint8),
        fields={
            "pool": pool,
            "raw": True,
            **({"multiplies": True, "residual": True} if layer.residual else {}),
        },
    )


def _by_steps(
    layer: Layer,
    steps: StepFunction,
    output: InputCode,
    value: Value,
    addend: Addend | None,
    machine: Machine,
    *,
    sparing: bool,
) -> Requantization:
    """The fastest way through exact steps, or the one with the fewest words of thresholds."""
    in_codes = code_steps(layer, steps, output, value.low, value.high)
    most = int(in_codes.stairs.inside.sum(axis=1).max())
    if most >= 5**MOST_SEARCH_READS:
        raise SpinplaneError(
            f"layer {layer.name}: {most} steps: a search has at most {5**MOST_SEARCH_READS - 1}"
        )
    searching = _search_interval(machine, output, addend, most)
    if not sparing and searching < _interval(machine, output, addend, multiplies=True):
        return searched(layer, in_codes, value)
    found = multiplied(layer, in_codes, value)
    if sparing or not found.thresholds.shape[1]:
        return found
    mixed = _interval(machine, output, addend, **found.fields)
    return searched(layer, in_codes, value) if searching <= mixed else found


def _added(layer: Layer, steps: StepFunction) -> StepFunction:
    """Steps with a further quantizer behind them, whose levels may descend."""
    if layer.addition is None:
        return steps
    levels = _behind(layer, steps.levels)
    if not steps.monotone or (np.diff(levels, axis=-1) >= 0).all():
        return StepFunction(thresholds=steps.thresholds, rising=steps.rising, levels=levels)
    return _reversed(steps, levels)


def _behind(layer: Layer, levels: np.ndarray) -> np.ndarray:
    """Levels behind a further quantizer, if the layer has one."""
    return layer.addition.apply(levels) if isinstance(layer.addition, CodeAddition) else levels


def _search_interval(machine: Machine, output: InputCode, addend: Addend | None, thresholds: int) -> int:
    """Cycles of an outer beat that searches."""
    adds = addend is not None
    return _interval(machine, output, addend, multiplies=adds, search_reads=search_reads(thresholds))


def _interval(machine: Machine, output: InputCode, addend: Addend | None, **fields: Any) -> int:
    """Cycles of an outer beat of a pass with such fields."""
    adding = dict[str, Any](residual=True, residual_planes=addend.code.bits) if addend else {}
    return Pass(machine=machine, out_planes=output.bits, **{**fields, **adding}).least_interval


def _reversed(steps: StepFunction, levels: np.ndarray) -> StepFunction:
    """Steps whose levels descend, told from the other end: rising ones fall."""
    extremes = np.iinfo(np.int64)
    rising = steps.rising[:, np.newaxis]
    # What no number reaches from one end, all do from the other, and the other way round.
    never = np.where(rising, extremes.max, extremes.min)
    inner = np.clip(steps.thresholds, extremes.min + 1, extremes.max - 1)
    thresholds = np.where(steps.thresholds == never, never, np.where(rising, inner - 1, inner + 1))
    return StepFunction(thresholds=thresholds[:, ::-1], rising=~steps.rising, levels=levels[..., ::-1])
