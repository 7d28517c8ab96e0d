"""Names of the hardware counters: the same in the RTL, the functional machine and the compiler."""

from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Events of a run, summed over all sub-arrays; ``cycles`` are those of the engine.

    Parameters
    ----------
    row_writes : int
        Write pulses: one for each row and sub-array, write-backs included.
    row_reads : int
        Rows sensed alone (EN_M).
    ands, ors : int
        Pairs of rows sensed at once (EN_AND, EN_OR).
    bit_counts : int
        Sensed rows that passed a bit-counter.
    shifts, additions : int
        Counts shifted and accumulated: one for each accumulator that takes part.
    cycles : int
        Clock cycles from the first command to the last result, stalls included.
    stalled : int
        Those of them in which a sub-array held a row operation or a write back because a stream made it wait.
    """

    row_writes: int = 0
    row_reads: int = 0
    ands: int = 0
    ors: int = 0
    bit_counts: int = 0
    shifts: int = 0
    additions: int = 0
    cycles: int = 0
    stalled: int = 0

    def as_dict(self) -> dict[str, int]:
        """Counters by name, in the order of their declaration."""
        return asdict(self)


#: Bits of a counter's register.
COUNTER_BITS = 48

COUNTER_NAMES = tuple(field.name for field in fields(Counters))


@dataclass(frozen=True, kw_only=True)
class AcceleratorCounters(Counters):
    """Events of a program on the whole accelerator; ``cycles`` from the start register to the interrupt.

    Parameters
    ----------
    image_reads, image_writes : int
        Words that the input streamer and the residual operand read from the image bank, and that the output packer
        wrote.
    kernel_reads : int
        Rows read from the kernel bank.
    parameter_reads : int
        Words read from the banks of parameters and scales, and from that of thresholds and tables.
    """

    image_reads: int = 0
    image_writes: int = 0
    kernel_reads: int = 0
    parameter_reads: int = 0


ACCELERATOR_COUNTER_NAMES = tuple(field.name for field in fields(AcceleratorCounters))
