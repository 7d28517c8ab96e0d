"""What the stages of a layer compute of it, where one does not compute all."""

from collections.abc import Mapping
from enum import Enum, auto

from ..graph import Layer


class Part(Enum):
    """What of its layer a stage computes.

    Attributes
    ----------
    COPY
        A map that the layer takes beside others, once more where it can.
    WIDENING
        The layer's map with channels between its groups, see `spinplane.compiler.mapping.group_splitting`.
    SUMS
        The layer's own sums, and what becomes of them unless another part does it. Each layer has this part.
    NARROWING
        The layer's kernels out of those of widened groups, and what is added to their codes.
    REST
        What is made of the codes of the sums, see `spinplane.compiler.mapping.layer_splitting`.
    """

    COPY = auto()
    WIDENING = auto()
    SUMS = auto()
    NARROWING = auto()
    REST = auto()


#: Layers that together give what one does, in their order, by what they compute of it.
Way = Mapping[Part, Layer]
