"""Sensing: voltages of a bit line for each content, references between them, margins, time and energy."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .mtj import heavy_metal_resistance, junction, resistance
from .technology import Technology

_ITERATIONS = 200
_SETTLED = 1e-10
#: Steps of the operating point that shrink by less than this are halved.
_SHRINKS = 0.7


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One operation of a sense amplifier.

    Parameters
    ----------
    operation : {"read", "and", "or"}
    reference : str
        EN_M, EN_AND or EN_OR.
    cells : int
        Cells on the bit line.
    threshold : int
        Anti-parallel cells from which the result is 1.
    """

    operation: str
    reference: str
    cells: int
    threshold: int


@dataclass(frozen=True, kw_only=True)
class Margin:
    """Nominal levels around a reference.

    Parameters
    ----------
    decision : Decision
    low_v, reference_v, high_v : float
        The highest voltage that is a 0, the reference midway, the lowest voltage that is a 1.
    margin_v : float
        Distance of the reference from either, with the cells at the end of the bit line that is worse.
    time_s : float
        From word lines on to the decision.
    energy_j : float
        Of one bit line: read current from the supply over that time, and the sense amplifier.
    """

    decision: Decision
    low_v: float
    reference_v: float
    high_v: float
    margin_v: float
    time_s: float
    energy_j: float


def decisions(fan_in: int = 2) -> tuple[Decision, ...]:
    """Read, AND and OR of `fan_in` cells.

    Raises
    ------
    SpinplaneError
        If the fan-in is not a whole number from 2 to 8.
    """
    if type(fan_in) is not int or not 2 <= fan_in <= 8:
        raise SpinplaneError(f"fan-in = {fan_in!r}: must be a whole number from 2 to 8")
    return (
        Decision(operation="read", reference="EN_M", cells=1, threshold=1),
        Decision(operation="and", reference="EN_AND", cells=fan_in, threshold=fan_in),
        Decision(operation="or", reference="EN_OR", cells=fan_in, threshold=1),
    )


def series_resistance(technology: Technology) -> float:
    """Resistance in Ω beside the junction on a cell's read path: transistor on, half of the heavy metal."""
    total = 0.0
    for element in technology.elements:
        if element.name in technology.operations["read"].conducts:
            if element.kind == "transistor":
                total += technology[element.resistance]
            elif element.kind == "half_heavy_metal":
                total += heavy_metal_resistance(technology) / 2
    return total


def bit_line_resistance(technology: Technology) -> float:
    """Resistance of the whole bit line in Ω."""
    return technology["bit_line.cells"] * technology["bit_line.resistance_per_cell"]


def bit_line_voltage(
    technology: Technology,
    antiparallel: np.ndarray,
    *,
    resistance_factor: np.ndarray | float = 1.0,
    tmr_factor: np.ndarray | float = 1.0,
    position: np.ndarray | float = 0.5,
) -> np.ndarray:
    """Voltage at the amplifier when the read current divides over cells in parallel.

    Parameters
    ----------
    technology : Technology
    antiparallel : ndarray of shape (cells, ...), bool
        State of each cell on the bit line.
    resistance_factor, tmr_factor : ndarray of the same shape or float
        Resistance-area product and TMR of each cell over the nominal ones.
    position : ndarray of the same shape or float
        Place of each cell along the bit line: 0 at the amplifier, 1 at the far end.

    Returns
    -------
    ndarray of shape (...)
        In V.
    """
    antiparallel = np.asarray(antiparallel)
    mtj, current = junction(technology), technology["read.current"]
    wire = bit_line_resistance(technology) * np.broadcast_to(position, antiparallel.shape)
    shared = wire.min(axis=0)
    series = series_resistance(technology) + wire - shared
    over = np.zeros(antiparallel.shape)
    share, last = 1.0, np.inf
    # The junctions mostly depend weakly on their own voltage, and a few rounds settle. Above about half a volt
    # they do not, whole steps swing, and half steps settle.
    for _ in range(_ITERATIONS):
        ohms = resistance(mtj, antiparallel, over, resistance_factor=resistance_factor, tmr_factor=tmr_factor)
        branch = 1 / (ohms + series)
        parallel = current / branch.sum(axis=0)
        new = parallel * branch * ohms
        change = float(np.max(np.abs(new - over), initial=0.0))
        if change <= _SETTLED * float(np.max(new, initial=0.0)):
            return parallel + current * shared
        if change > _SHRINKS * last:
            share = 0.5
        over, last = over + share * (new - over), change
    raise ArithmeticError(f"{technology.name}: no operating point at the read current")


def contents(cells: int, ones: int) -> np.ndarray:
    """States of `cells` cells of which `ones` are anti-parallel, shape (cells,), bool."""
    return np.arange(cells) < ones


def level(technology: Technology, cells: int, ones: int, position: float = 0.5) -> float:
    """Nominal voltage in V with `ones` of `cells` cells anti-parallel."""
    return float(bit_line_voltage(technology, contents(cells, ones), position=position))


def reference_voltage(technology: Technology, decision: Decision) -> float:
    """Reference in V, midway between the two levels that it tells apart, in the middle of the bit line.

    Raises
    ------
    SpinplaneError
        If the upper level is above the supply, from which no current source reaches it.
    """
    low, high = (level(technology, decision.cells, decision.threshold - i) for i in (1, 0))
    supply = technology["process.supply_voltage"]
    if high > supply:
        key = "oxide.thickness" if technology.resistance == "negf" else "mtj.resistance_area"
        raise SpinplaneError(
            f"{technology.name}: {decision.reference} with {decision.cells} cells cannot be sensed: the lowest 1 is "
            f"{high:.2f} V, the supply {supply:g} V; lower read.current or {key}"
        )
    return (low + high) / 2


def margin(technology: Technology, decision: Decision) -> Margin:
    """Levels, margin, time and energy of a decision.

    Raises
    ------
    SpinplaneError
        If the amplifier's differential is not reached in any time, or a level is above the supply.
    """
    reference = reference_voltage(technology, decision)
    cells, threshold = decision.cells, decision.threshold
    low, high = (level(technology, cells, threshold - i) for i in (1, 0))
    near, far = level(technology, cells, threshold, 0.0), level(technology, cells, threshold - 1, 1.0)
    time_s = _settling_time(technology, decision, reference, near) + technology["sense_amplifier.delay"]
    supply = technology["read.current"] * technology["process.supply_voltage"]
    return Margin(
        decision=decision,
        low_v=low,
        reference_v=reference,
        high_v=high,
        margin_v=min(near - reference, reference - far),
        time_s=time_s,
        energy_j=supply * time_s + technology["sense_amplifier.energy"],
    )


def _settling_time(technology: Technology, decision: Decision, reference: float, high: float) -> float:
    """Time in s after which the bit line has passed the reference by the amplifier's differential.

    The bit line is charged from 0 through the parallel cells: V(t) = V·(1 − exp(−t/(R·C))) with V = I·R. A 0 stays
    below the reference at all times, so the lowest 1 decides.
    """
    wanted = reference + technology["sense_amplifier.differential"]
    if wanted >= high:
        raise SpinplaneError(
            f"{technology.name}: {decision.reference} with {decision.cells} cells cannot be sensed: the lowest 1 is "
            f"{high * 1e3:.1f} mV, reference and differential of the amplifier are {wanted * 1e3:.1f} mV; raise "
            "read.current or oxide.thickness, or lower sense_amplifier.differential"
        )
    capacitance = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    return high / technology["read.current"] * capacitance * float(-np.log1p(-wanted / high))
