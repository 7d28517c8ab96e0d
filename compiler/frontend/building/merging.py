"""Layers that only copy, written into the layer before them where nothing else reads that one's map."""

from dataclasses import replace

import numpy as np

from ...graph import CodeAddition, Layer, StepFunction
from .copies import is_copying
from .drafts import Drafts, sources


def merge_copies(drafts: Drafts, outputs: set[int]) -> dict[int, int]:
    """Write copying layers into the layers before them.

    Returns
    -------
    dict of int to int
        Maps that are gone, each with the one that has taken its place.
    """
    gone: dict[int, int] = {}
    for number in sorted(drafts.maps):
        draft = drafts.maps[number]
        if draft.layer is None or not is_copying(draft.layer) or len(draft.layer.inputs) != 1:
            continue
        (before,) = draft.layer.inputs
        if drafts.maps[before].layer is None or before in outputs or drafts.readers(before) != [number]:
            continue
        if sources(draft.layer).count(before) > 1:
            continue  # added to itself, as it was before
        own = drafts.maps[before].layer
        assert own is not None
        merged = _merged(own, drafts.maps[before].levels, draft.layer)
        if merged is None:
            continue
        drafts.maps[number] = replace(draft, layer=merged)
        del drafts.maps[before]
        gone[before] = number
    return gone


def _merged(own: Layer, levels: np.ndarray | None, copy: Layer) -> Layer | None:
    """Two layers as one, the latter of which copies maps of some levels; None if that cannot be."""
    if own.steps is None or levels is None or not isinstance(copy.steps, StepFunction):
        return None
    if copy.steps.exact is not None:
        return None  # its own near-ties would be gone
    alone = (_of_values(copy.steps, levels) == levels).all()
    made = own if alone else _with_table(own, copy.steps)
    made = _with_pool(made, copy) if made is not None else None
    return _with_addition(made, copy) if made is not None else None


def _with_table(own: Layer, table: StepFunction) -> Layer | None:
    """The layer with other levels."""
    steps = own.steps
    if own.addition is not None or not isinstance(steps, StepFunction):
        return None
    made = _of_values(table, np.broadcast_to(steps.levels, (len(own.weights), steps.count + 1)))
    rises = (np.diff(made, axis=1) >= 0).all()
    if not rises and (not steps.rising.all() or (own.pool is not None and own.pool.kind == "max_codes")):
        return None
    return replace(own, steps=replace(steps, levels=made[0] if (made == made[:1]).all() else made))


def _of_values(steps: StepFunction, values: np.ndarray) -> np.ndarray:
    """What steps make of values of shape (n,) or (channels, n), of shape (channels, n)."""
    rows = np.broadcast_to(values, (len(steps.thresholds), values.shape[-1]))
    return steps.apply(rows[np.newaxis, :, :, np.newaxis])[0, :, :, 0]


def _with_pool(own: Layer, copy: Layer) -> Layer | None:
    if copy.pool is None:
        return own
    if own.pool is not None or copy.pool.kind != "max_codes":
        return None
    commutes = own.addition is None or (
        isinstance(own.addition, CodeAddition) and own.addition.source is None and own.addition.own_scale > 0
    )
    return replace(own, pool=copy.pool) if commutes and own.residual is None else None


def _with_addition(own: Layer, copy: Layer) -> Layer | None:
    if copy.addition is None:
        return own
    return replace(own, addition=copy.addition) if own.addition is None else None
