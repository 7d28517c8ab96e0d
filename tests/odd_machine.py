"""A machine that none of the package is like."""

from spinplane.machine import Machine

# One sub-array, one segment, rows that are no power of two, the slowest and the fastest pulse.
ODD = Machine(
    name="odd",
    sub_arrays=1,
    rows=48,
    columns=32,
    segments=1,
    sense_cycles=2,
    write_cycles=1,
    image_words=64,
    kernel_words=33,
    parameter_beats=17,
    threshold_beats=16,
    pool_beats=5,
    descriptors=5,
    description="odd",
)
