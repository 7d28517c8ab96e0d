"""Steps at positions of their own: MultiThreshold, Trunc."""

from dataclasses import dataclass, replace

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ...graph import StepFunction
from .access import add_table, as_codes, code_map, real_of, refuse_host, refuse_regions, without_padding
from .arranging import arranged
from .drafts import Drafts
from .layout import CHANNELS
from .quantizing import close
from .value import CodesCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


@dataclass(frozen=True, kw_only=True, eq=False)
class Thresholds:
    """Steps of numbers, and the levels between them.

    Parameters
    ----------
    positions : ndarray of shape (n,) or (channels, n), of Fraction
        Ascending.
    inclusive : ndarray of shape (n,), bool
        Whether a number that is just there has reached the step.
    values : ndarray of shape (n + 1,), int64
        Of the levels, ascending.
    operand : Operand
    scale : ndarray of shape (1,) or (channels,), of Fraction
        A level's number is scale · value + offset.
    offset : ndarray of the same shape, of Fraction
    """

    positions: np.ndarray
    inclusive: np.ndarray
    values: np.ndarray
    operand: Operand
    scale: np.ndarray
    offset: np.ndarray

    def levels_of(self, numbers: np.ndarray) -> np.ndarray:
        """Values of numbers of shape (channels, n), of Fraction."""
        positions = np.atleast_2d(self.positions)[:, np.newaxis]
        reached = numbers[:, :, np.newaxis] > positions
        reached |= self.inclusive & (numbers[:, :, np.newaxis] == positions)
        values: np.ndarray = self.values[reached.sum(axis=2)]
        return values


def threshold(drafts: Drafts, label: str, x: Value, steps: Thresholds, axis: int) -> Value:
    """`Builder.threshold`."""
    refuse_host(label, x)
    rows = steps.positions.shape[0] if steps.positions.ndim > 1 else 1
    if rows > 1:
        x = arranged(drafts, x, axis)
        if x.layout.axes[axis] != (CHANNELS,) or rows != x.channels:
            raise SpinplaneError(f"{label}: {rows} lists of thresholds for a tensor of shape {x.shape}")
    if isinstance(x.carrier, InputCarrier):
        x = as_codes(drafts, label, x)
    x = without_padding(drafts, label, x)
    positions = np.broadcast_to(np.atleast_2d(steps.positions), (x.channels, len(steps.inclusive)))
    if isinstance(x.carrier, PairCarrier):
        raise SpinplaneError(f"{label}: a sum of two: quantize it first")
    refuse_regions(label, x)
    if isinstance(x.carrier, SumsCarrier):
        exact = real_of(label, x).steps(2 * positions, np.broadcast_to(steps.inclusive, positions.shape))
        number = close(drafts, x, StepFunction.between(exact, steps.values), steps.operand)
    else:
        assert isinstance(x.carrier, CodesCarrier)
        numbers = real_of(label, x).numbers(drafts.levels(label, x.carrier.maps))
        number = add_table(drafts, label, x, steps.levels_of(numbers), steps.operand)
    scale, offset = (np.broadcast_to(part, x.channels) for part in (steps.scale, steps.offset))
    real = code_map(steps.values, scale)
    return Value(
        layout=x.layout,
        carrier=CodesCarrier(maps=(number,)),
        real=replace(real, first=real.first.plus(offset)) if offset.any() else real,
    )
