"""Clock gating: what stops the flip-flops of a unit while none of them can change."""

import enum
from importlib.resources import files

from spinplane.machine import Name, SpinplaneError

#: Module of a gate cell.
CLOCK_GATE = Name("clock_gate")


class ClockGating(enum.Enum):
    """How the flip-flops of a unit with an output ``active`` are stopped while that is low.

    ``ENABLES`` gives each flip-flop an enable, as those of an FPGA have; ``CELLS`` places one `CLOCK_GATE` a unit.
    """

    NONE = "none"
    ENABLES = "enables"
    CELLS = "cells"

    @classmethod
    def named(cls, name: str) -> "ClockGating":
        """The one of a name.

        Raises
        ------
        SpinplaneError
            If there is none.
        """
        names = [gating.value for gating in cls]
        if name not in names:
            raise SpinplaneError(f"clock_gating = {name!r}: must be one of {', '.join(names)}")
        return cls(name)


def clock_gate_model() -> str:
    """Verilog of a gate cell."""
    return (files(__package__) / f"{CLOCK_GATE}.v").read_text(encoding="utf-8")
