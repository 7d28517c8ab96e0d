"""Cycles of the accelerator that no shape explains: the depths of its pipelines, in one place.

What follows from shapes (row sets, runs, beats) is in ``docs/accelerator.md``; the functional machine and the compiler
both add these constants.
"""

from .descriptor import DESCRIPTOR_WORDS
from .machine import Machine

#: From the start register to the first word of the header.
START_CYCLES = 2
#: From the last word of a descriptor to the first cycle of its pass, or of the next fetch.
DECODE_CYCLES = 2
#: From the first cycle of a pass to the first request to the image bank or to the kernel bank.
LAUNCH_CYCLES = 1
#: From the last request of a row set, or from the request of a kernel word, to the cycle in which it is offered.
READ_CYCLES = 2
#: From the last cycle of a pass's last run to its results at the way out.
ENGINE_CYCLES = 3
#: From the cycle in which a beat is taken to its last write, but for what `way_out_cycles` adds.
WAY_OUT_CYCLES = 8
#: From the last write of a pass to the fetch of the next descriptor.
FINISH_CYCLES = 2
#: From the last word of END to the interrupt.
END_CYCLES = 1


def fetch_cycles(machine: Machine) -> int:
    """Cycles in which a descriptor is read from program memory, decoding included."""
    return DESCRIPTOR_WORDS // max(1, machine.columns // 32) + DECODE_CYCLES


def way_out_cycles(*, writes: int, threshold_words: int, residual_planes: int) -> int:
    """Cycles from the one in which a beat is taken to that of its last write.

    Parameters
    ----------
    writes : int
        Of the beat.
    threshold_words, residual_planes : int
        That an outer beat reads, 0 if none.
    """
    return WAY_OUT_CYCLES + max(residual_planes - 1, 0) + max(threshold_words, 1) + writes
