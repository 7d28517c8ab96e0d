"""A turn: one product of a lane in a shared multiplier, and what accompanies the beat on its way to the image bank."""

import enum

from amaranth.lib import data
from amaranth.utils import exact_log2

from spinplane.machine import Machine, bits_for
from spinplane.machine.timing import MULTIPLY_CYCLES


class Product(enum.Enum):
    """What is multiplied; the value is its code in the RTL.

    ``POOLED``: the pooled sum and the channel's multiplier. ``RESIDUAL``: the residual operand, added to the lane's
    product before it. ``OWN``: the lane's own code. ``TOTAL``: the total of own code and residual.
    """

    POOLED = 0
    RESIDUAL = 1
    OWN = 2
    TOTAL = 3


#: Bits of a `Product`.
PRODUCT_KIND_BITS = 2


def kinds_layout(stages: int) -> data.ArrayLayout:
    """The product in each stage of a pipeline."""
    return data.ArrayLayout(PRODUCT_KIND_BITS, stages)


def beat_layout(machine: Machine) -> data.StructLayout:
    """What an outer beat takes along: its word of parameters, whether it is written, and which loops it ends."""
    return data.StructLayout(
        {"word": bits_for(machine.parameter_beats - 1), "written": 1, "ends_pass": 1, "ends": ENDS}
    )


ENDS = data.StructLayout({"slots": 1, "cluster": 1, "line": 1, "kernel_tile": 1, "window": 1, "column": 1})
"""The loops that a beat is the last one of: the slots of its sub-arrays, which count if they have places apart, its
cluster's beats, the clusters of a line, all clusters, the kernel tiles of a window, the region columns of a line.
A loop that ends has ended those inside it."""


def turn_layout(machine: Machine) -> data.StructLayout:
    """A turn, as each stage of the multipliers is told of it.

    ``lane``: its number among those of its multiplier; ``opens``, ``ends``: the first and the last one of its beat;
    ``closes``: the lane's last one of its phase.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "kind": PRODUCT_KIND_BITS,
            "lane": exact_log2(machine.lanes_per_multiplier),
            "opens": 1,
            "closes": 1,
            "ends": 1,
            "beat": beat_layout(machine),
        }
    )


def turns_layout(machine: Machine) -> data.ArrayLayout:
    """The turn in each stage: element k was issued k cycles ago."""
    return data.ArrayLayout(turn_layout(machine), MULTIPLY_CYCLES + 2)
