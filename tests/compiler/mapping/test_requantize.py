"""Steps as the output stage computes them: every sum that a channel can reach becomes its level."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.compiler.frontend.thresholds import reachable_sums
from spinplane.compiler.graph import Layer, Pooling, StepFunction
from spinplane.compiler.mapping.codes import InputCode
from spinplane.compiler.mapping.requantize import requantization
from spinplane.machine import Operand, SpinplaneError
from spinplane.machine.descriptor import Requantize

NEVER = np.iinfo(np.int64)


def layer_of(steps, pool=None, weight=3):
    kernels = len(steps.thresholds)
    return Layer(
        name="conv",
        weights=np.tile(np.array([weight, -weight]), (kernels, 1)).reshape(kernels, 2, 1, 1),
        w=Operand(bits=8),
        i=Operand(bits=4),
        bias=np.arange(kernels),
        pool=pool,
        steps=steps,
    )


def code(bits, scale=1, offset=0):
    return InputCode(bits=bits, scale=scale, offset=offset, pad_code=0)


def check(layer, output):
    """All reachable sums, one by one."""
    found = requantization(layer, output)
    low, high = reachable_sums(layer)
    sums = np.arange(low.min(), high.max() + 1)
    for k in range(len(low)):
        mine = sums[(sums >= low[k]) & (sums <= high[k])]
        y = mine * found.multipliers[k] + found.offsets[k]
        if found.requantize is Requantize.SHIFT:
            codes = np.clip(y >> found.shift, found.low, found.high)
        else:
            codes = found.low + (found.thresholds[k] <= y[:, np.newaxis]).sum(axis=1)
        values = output.scale * (codes << found.code_shift) + output.offset
        only = replace(
            layer.steps, thresholds=layer.steps.thresholds[k : k + 1], rising=layer.steps.rising[k : k + 1]
        )
        assert (values == only.apply(mine.reshape(1, 1, 1, -1)).ravel()).all()
    return found


def steps(thresholds, rising, levels):
    return StepFunction(
        thresholds=np.array(thresholds, dtype=np.int64), rising=np.array(rising), levels=np.array(levels)
    )


def test_one_step_is_a_shift_by_nothing():
    never_high = [NEVER.max], [NEVER.min]
    thresholds = [[3], [-4], *never_high, [-1000], [1000]]
    found = check(layer_of(steps(thresholds, [True, False, True, False, True, True], [0, 1])), code(1))
    assert (found.requantize, found.shift) == (Requantize.SHIFT, 0)
    assert set(np.abs(found.multipliers).tolist()) <= {0, 1}


def test_steps_of_a_line_are_a_multiplication_and_a_shift():
    at = np.ceil(np.linspace(-40, 41, 255)).astype(np.int64)
    found = check(layer_of(steps([at, -at], [True, False], np.arange(256))), code(8))
    assert found.requantize is Requantize.SHIFT


def test_steps_of_no_line_are_thresholds():
    found = check(layer_of(steps([[-20, -19, 3], [7, 3, -30]], [True, False], [0, 1, 2, 3])), code(2))
    assert found.requantize is Requantize.THRESHOLDS
    assert found.threshold_words == 1


def test_levels_two_codes_apart_and_above_the_least():
    layer = layer_of(steps([[-20, -19, 3]], [True], [-1, 1, 3, 5]))
    found = check(layer, code(4, offset=-3))
    assert (found.low, found.code_shift) == (1, 1)
    found = check(layer, code(4, scale=2, offset=-3))
    assert (found.low, found.code_shift) == (1, 0)


def test_pooled_sums_have_their_own_steps():
    pool = Pooling(kind="sum", size=(2, 2), stride=(2, 2))
    check(layer_of(steps([[-100, 90, 95]], [True], [0, 1, 2, 3]), pool), code(2))


@pytest.mark.parametrize(
    ("layer", "output", "text"),
    [
        (
            layer_of(steps([np.sort(np.arange(31) ** 2 % 67)], [True], np.arange(32))),
            code(5),
            "layer conv: its 31 steps do not follow (sum · multiplier + offset) / 2^shift, and a list of thresholds "
            "has at most 15",
        ),
        (
            layer_of(steps([[1, 2]], [True], [0, 1, 5])),
            code(3),
            "layer conv: its levels 0 to 5 are not consecutive codes of 3 bits with the values 1 · code + 0",
        ),
        (
            layer_of(steps([[1]], [True], [0, 1]), weight=2**28),
            code(1),
            "layer conv: sums from -4026531840 to 4026531840 do not fit in 32 bits",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(layer, output, text):
    with pytest.raises(SpinplaneError) as error:
        requantization(layer, output)
    assert str(error.value) == text
