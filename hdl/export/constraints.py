"""Timing constraints of a machine's accelerator."""

from collections.abc import Mapping, Sequence
from typing import Any

from spinplane.machine import Machine, MachineClock, Name
from spinplane.machine.external.sdc import HeldLines, constraints
from spinplane.machine.external.text import Text

from .memories import SENSE_LINES, WRITE_LINES, MemoryCells

#: Of a period, what the ports of what lies around the accelerator take: an assumption to be replaced.
PORT_SHARE = 0.2


def accelerator_constraints(
    machine: Machine,
    ports: Sequence[Mapping[str, Any]],
    memories: MemoryCells,
    clock: MachineClock,
    *,
    asynchronous_reset: bool = False,
) -> Text:
    """Constraints of a machine's accelerator with its memories as cells, for a clock.

    Parameters
    ----------
    machine : Machine
    ports : sequence of mappings
        Name and direction of each port of the top module.
    memories : MemoryCells
    clock : MachineClock
    asynchronous_reset : bool
        The top is an `AsynchronousReset`.
    """
    names = {
        direction: [Name(port["name"]) for port in ports if port["direction"] == direction]
        for direction in ("input", "output")
    }
    period_ns = 1e9 / clock.clock_hz
    return constraints(
        period_ns=period_ns,
        delay_ns=PORT_SHARE * period_ns,
        inputs=[name for name in names["input"] if name != "clk"],
        outputs=names["output"],
        held=[
            HeldLines(cell=array, lines=lines, cycles=cycles)
            for array in memories.arrays
            for lines, cycles in ((SENSE_LINES, machine.sense_cycles), (WRITE_LINES, machine.write_cycles))
        ],
        asynchronous=[Name("rst")] if asynchronous_reset else [],
    )
