"""What the bounds of parameters make of a figure."""

from collections.abc import Callable, Sequence
from itertools import product

from .technology import Technology


def bounds_of(
    technology: Technology, keys: Sequence[str], figure: Callable[[Technology], float]
) -> tuple[float, float] | None:
    """Least and largest value of a figure with parameters at all corners of their bounds; None if none has bounds.

    Parameters
    ----------
    technology : Technology
    keys : sequence of str
        Parameters; one without bounds keeps its value.
    figure : callable
        From a technology to a number, monotonic in each of the parameters.
    """
    ends = [technology.parameters[key].bounds for key in keys]
    if not any(ends):
        return None
    bounded = {key: end for key, end in zip(keys, ends, strict=True) if end}
    corners = product(*bounded.values())
    values = [figure(technology.with_values(dict(zip(bounded, corner, strict=True)))) for corner in corners]
    return min(values), max(values)
