"""Functions of codes that are given as tables."""

from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from .access import add_table, as_codes, code_map, line_of, without_padding
from .arranging import arranged
from .drafts import Drafts
from .value import CodesCarrier, Value


def table(drafts: Drafts, label: str, x: Value, first: int, numbers: np.ndarray, axis: int) -> Value:
    """`Builder.table`."""
    x = without_padding(drafts, label, as_codes(drafts, label, x))
    rows = np.atleast_2d(numbers)
    if len(rows) > 1:
        x = arranged(drafts, x, axis)
        if x.layout.channel_axis != axis or len(rows) != x.channels:
            raise SpinplaneError(
                f"{label}: a function for each place on axis {axis}, which is not that of the channels"
            )
    line = line_of(drafts, label, x)
    given = line.slope[:, np.newaxis] * line.levels + line.offset[:, np.newaxis]
    if (given == given[:1]).all() and len(rows) == 1:
        given = given[:1]
    places = given.astype(np.int64) - first
    if (places + first != given).any() or places.min() < 0 or places.max() >= rows.shape[1]:
        raise SpinplaneError(f"{label}: its input has numbers that its function is not given for")
    made = rows[np.arange(len(rows))[:, np.newaxis], places]
    if (made == given).all():
        return x
    number = add_table(drafts, label, replace(x, carrier=CodesCarrier(maps=line.maps)), made)
    levels = drafts.maps[number].levels
    assert levels is not None
    return Value(
        layout=x.layout,
        carrier=CodesCarrier(maps=(number,)),
        real=code_map(levels, np.ones(x.channels, dtype=object)),
    )
