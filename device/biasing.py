"""Check the table of line voltages: each operation conducts where it should, and only there."""

from dataclasses import dataclass, replace

import numpy as np

from .bit_cell import Access, Biasing, LineConflict, bias
from .sensing import decisions, margin
from .technology import Technology
from .wires import mesh_shift

#: Currents below this share of the driven one are leakage.
LEAKAGE = 0.01
#: A sense has this share of its current, and a write at most this much less.
_TOLERANCE = 0.01
#: A write voltage that reaches the farthest cell gives the nearest one up to this much more.
_EXCESS = 0.25
_COLUMNS = 4


@dataclass(frozen=True, kw_only=True)
class BiasCheck:
    """One operation under the table of line voltages.

    Parameters
    ----------
    name : str
        ``"write 1"``, ``"write 0"``, ``"read"``, ``"AND, OR"`` or ``"write with AND"``.
    current_a : float
        Of a write in each cell, of a sense in a bit line; through the first conducting element of the table,
        positive from its first to its second end.
    leakage_a : float
        The largest current in any element that is not to conduct.
    legal : bool
    reason : str
        What is wrong; empty if nothing is.
    """

    name: str
    current_a: float
    leakage_a: float
    legal: bool
    reason: str


def check_biasing(technology: Technology) -> tuple[BiasCheck, ...]:
    """Check every operation in whole columns of mixed contents, with their wires.

    Returns
    -------
    tuple of BiasCheck
        Writes of either bit and of both in the last row, a read of it, a sense of the first row and the last.
    """
    columns, last = (0, 2), _rows(technology) - 1
    single = {
        "write 1": (Access(operation="write_1", rows=(last,), columns=columns),),
        "write 0": (Access(operation="write_0", rows=(last,), columns=columns),),
        "write 0 and 1": (
            Access(operation="write_1", rows=(last,), columns=(0,)),
            Access(operation="write_0", rows=(last,), columns=(2,)),
        ),
        "read": (Access(operation="read", rows=(last,), columns=columns),),
        "AND, OR": (Access(operation="read", rows=(0, last), columns=columns),),
    }
    return tuple(_check(technology, name, accesses) for name, accesses in single.items())


def check_overlap(technology: Technology) -> BiasCheck:
    """Check a write of one row while two other rows of the same array are sensed, in the same columns.

    The write may shift a sensed bit line by what the amplifier's differential leaves of the smallest margin. The
    shift is that of a few columns, or that of a mesh into which a whole row of cells is written, if it is more.
    """
    middle = _rows(technology) // 2
    accesses = (
        Access(operation="write_1", rows=(middle,), columns=(0,)),
        Access(operation="write_0", rows=(middle,), columns=(2,)),
        Access(operation="read", rows=(middle - 1, middle + 1), columns=(0, 2)),
    )
    check = _check(technology, "write with AND", accesses)
    if not check.legal:
        return check
    cells = _contents(technology, accesses)
    alone, both = bias(technology, accesses[2:], cells), bias(technology, accesses, cells)
    line = next(line for line, drive in technology.operations["read"].selected.items() if drive == "read")
    shift = max(abs(both.voltages[line, column] - alone.voltages[line, column]) for column in (0, 2))
    shift = max(shift, mesh_shift(technology, max(technology[f"write.current_{bit}"] for bit in (0, 1))))
    least = min(margin(technology, decision).margin_v for decision in decisions())
    if shift > least - technology["sense_amplifier.differential"]:
        reason = f"the write shifts a sensed bit line by {shift * 1e3:.2f} mV, whose margin is {least * 1e3:.2f} mV"
        return replace(check, legal=False, reason=reason)
    return check


def write_overlap(technology: Technology) -> str:
    """What the biasing allows: ``"same_array"`` if rows may be sensed while another is written, or ``"none"``."""
    return "same_array" if check_overlap(technology).legal else "none"


def _rows(technology: Technology) -> int:
    return max(4, int(technology["bit_line.cells"]))


def _contents(technology: Technology, accesses: tuple[Access, ...]) -> np.ndarray:
    """A checkerboard, with the cells to be written holding the other bit."""
    cells = np.indices((_rows(technology), _COLUMNS)).sum(axis=0) % 2 == 0
    for access in accesses:
        if access.operation != "read":
            cells[np.ix_(access.rows, access.columns)] = access.operation == "write_0"
    return cells


def _check(technology: Technology, name: str, accesses: tuple[Access, ...]) -> BiasCheck:
    cells = _contents(technology, accesses)
    try:
        solved = bias(technology, accesses, cells)
    except LineConflict as conflict:
        return BiasCheck(name=name, current_a=0.0, leakage_a=0.0, legal=False, reason=str(conflict))
    leaks = {element: np.abs(current) for element, current in solved.currents.items()}
    for access in accesses:
        for element in technology.operations[access.operation].conducts:
            leaks[element][np.ix_(access.rows, access.columns)] = 0.0
    worst = max(leaks, key=lambda element: float(leaks[element].max()))
    leak, (row, column) = float(leaks[worst].max()), np.unravel_index(leaks[worst].argmax(), cells.shape)
    currents = [
        _driven(technology, solved, access, column) for access in accesses for column in access.columns
    ]
    reasons = [reason for _, _, reason in currents if reason]
    least = min(wanted for _, wanted, _ in currents)
    if leak > LEAKAGE * least:
        reasons.append(f"{leak * 1e6:.2f} µA leak through the {worst} of row {row}, column {column}")
    return BiasCheck(
        name=name,
        current_a=currents[0][0],
        leakage_a=leak,
        legal=not reasons,
        reason="; ".join(reasons),
    )


def _driven(technology: Technology, solved: Biasing, access: Access, column: int) -> tuple[float, float, str]:
    """Current of an access in a column, the magnitude that is wanted, and what is wrong with it."""
    flows = {
        element: float(solved.currents[element][list(access.rows), column].sum())
        for element in technology.operations[access.operation].conducts
    }
    write = access.operation != "read"
    wanted = technology[f"write.current_{access.operation[-1]}" if write else "read.current"]
    most = wanted * (1 + (_EXCESS if write else _TOLERANCE))
    for element, flow in flows.items():
        if not wanted * (1 - _TOLERANCE) <= abs(flow) <= most:
            reason = f"{flow * 1e6:.1f} µA in the {element}, {access.operation} needs {wanted * 1e6:.1f} µA"
            return flow, wanted, reason
    if write and (_torque_current(technology, flows) > 0) != (access.operation == "write_1"):
        return flow, wanted, f"{access.operation}: the current of {flow * 1e6:.1f} µA writes the other bit"
    return next(iter(flows.values())), wanted, ""


def _torque_current(technology: Technology, flows: dict[str, float]) -> float:
    """Current that writes, positive towards 1.

    In the junction from the pinned to the free layer, which makes it anti-parallel; in the heavy metal from the
    first end that the technology names to the second, by convention: the sign depends on the metal.
    """
    kind = "mtj" if technology.torque == "spin_transfer" else "half_heavy_metal"
    return flows.get(technology.element(kind).name, 0.0)
