"""How many bits a network needs: all weights, and what all layers take."""

from collections.abc import Sequence
from dataclasses import dataclass

from .baselines.layer_work import LayerWork

#: Widths that the first and the last layer may have where nothing quantizes them.
ENDS = (32, 64)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Bits of all weights and of the inputs of all layers.

    Parameters
    ----------
    ends_bits : int or None
        Width of the first and the last layer, weights and inputs; None for their own.
    inner_bits : int or None
        Of the others; None for their own.
    bits : int
    """

    ends_bits: int | None
    inner_bits: int | None
    bits: int


def network_storage(
    works: Sequence[LayerWork], *, ends: int | None = None, inner: int | None = None
) -> Storage:
    """Storage of a network whose first and last layer, or other layers, have other widths than their own.

    Parameters
    ----------
    works : sequence of LayerWork
    ends, inner : int, optional
    """
    bits = 0
    for work in works:
        width = inner if work.quantized else ends
        bits += work.weights * (width or work.w_bits) + work.inputs * (width or work.i_bits)
    return Storage(ends_bits=ends, inner_bits=inner, bits=bits)


def storages(works: Sequence[LayerWork]) -> tuple[Storage, ...]:
    """With all widths their own, with ends of 32 and 64 bits, and with everything as wide as those."""
    return (
        network_storage(works),
        *(network_storage(works, ends=width) for width in ENDS),
        *(network_storage(works, ends=width, inner=width) for width in ENDS),
    )
