"""Check the table of line voltages: each operation conducts where it should, and only there."""

from dataclasses import dataclass

import numpy as np

from .bit_cell import Access, Biasing, LineConflict, bias
from .technology import Technology

#: Currents below this share of the driven one are leakage.
LEAKAGE = 0.01
#: A write may shift a bit line that is sensed by this share of the read signal.
DISTURBANCE = 0.01
_TOLERANCE = 0.05
_ROWS = _COLUMNS = 4


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
    """Check every operation in a small array of mixed contents.

    Returns
    -------
    tuple of BiasCheck
        Writes of either bit, of both in one row, a read, a sense of two rows.
    """
    columns = (0, 2)
    single = {
        "write 1": (Access(operation="write_1", rows=(1,), columns=columns),),
        "write 0": (Access(operation="write_0", rows=(1,), columns=columns),),
        "write 0 and 1": (
            Access(operation="write_1", rows=(1,), columns=(0,)),
            Access(operation="write_0", rows=(1,), columns=(2,)),
        ),
        "read": (Access(operation="read", rows=(1,), columns=columns),),
        "AND, OR": (Access(operation="read", rows=(1, 3), columns=columns),),
    }
    return tuple(_check(technology, name, accesses) for name, accesses in single.items())


def check_overlap(technology: Technology) -> BiasCheck:
    """Check a write of one row while two other rows of the same array are sensed, in the same columns."""
    accesses = (
        Access(operation="write_1", rows=(0,), columns=(0,)),
        Access(operation="write_0", rows=(0,), columns=(2,)),
        Access(operation="read", rows=(1, 3), columns=(0, 2)),
    )
    check = _check(technology, "write with AND", accesses)
    if not check.legal:
        return check
    cells = _contents(accesses)
    alone, both = bias(technology, accesses[2:], cells), bias(technology, accesses, cells)
    line = next(line for line, drive in technology.operations["read"].selected.items() if drive == "read")
    shift = max(abs(both.voltages[line, column] - alone.voltages[line, column]) for column in (0, 2))
    signal = DISTURBANCE * min(alone.voltages[line, column] for column in (0, 2))
    if shift > signal:
        reason = f"the write shifts a sensed bit line by {shift * 1e3:.2f} mV"
        return BiasCheck(
            name=check.name, current_a=check.current_a, leakage_a=check.leakage_a, legal=False, reason=reason
        )
    return check


def write_overlap(technology: Technology) -> str:
    """What the biasing allows: ``"same_array"`` if rows may be sensed while another is written, or ``"none"``."""
    return "same_array" if check_overlap(technology).legal else "none"


def _contents(accesses: tuple[Access, ...]) -> np.ndarray:
    """A checkerboard, with the cells to be written holding the other bit."""
    cells = np.indices((_ROWS, _COLUMNS)).sum(axis=0) % 2 == 0
    for access in accesses:
        if access.operation != "read":
            cells[np.ix_(access.rows, access.columns)] = access.operation == "write_0"
    return cells


def _check(technology: Technology, name: str, accesses: tuple[Access, ...]) -> BiasCheck:
    cells = _contents(accesses)
    try:
        solved = bias(technology, accesses, cells)
    except LineConflict as conflict:
        return BiasCheck(name=name, current_a=0.0, leakage_a=0.0, legal=False, reason=str(conflict))
    meant = {
        (element, row, column)
        for access in accesses
        for element in technology.operations[access.operation].conducts
        for row in access.rows
        for column in access.columns
    }
    leaks = {key: abs(value) for key, value in solved.currents.items() if key not in meant}
    worst = max(leaks, key=lambda key: leaks[key])
    currents = [
        _driven(technology, solved, access, column) for access in accesses for column in access.columns
    ]
    reasons = [reason for _, _, reason in currents if reason]
    least = min(wanted for _, wanted, _ in currents)
    if leaks[worst] > LEAKAGE * least:
        element, row, column = worst
        reasons.append(
            f"{leaks[worst] * 1e6:.2f} µA leak through the {element} of row {row}, column {column}"
        )
    return BiasCheck(
        name=name,
        current_a=currents[0][0],
        leakage_a=leaks[worst],
        legal=not reasons,
        reason="; ".join(reasons),
    )


def _driven(technology: Technology, solved: Biasing, access: Access, column: int) -> tuple[float, float, str]:
    """Current of an access in a column, the magnitude that is wanted, and what is wrong with it."""
    flows = {
        element: sum(solved.currents[element, row, column] for row in access.rows)
        for element in technology.operations[access.operation].conducts
    }
    write = access.operation != "read"
    wanted = technology[f"write.current_{access.operation[-1]}" if write else "read.current"]
    for element, flow in flows.items():
        if abs(abs(flow) - wanted) > _TOLERANCE * wanted:
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
