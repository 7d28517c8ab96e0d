"""Sensing: what an amplifier sees of each content, references between them, margins, time and energy."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .mtj import heavy_metal_resistance, junction, resistance, voltage_at
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
        The highest voltage that is a 0, the reference midway, the lowest voltage that is a 1; see `sense_voltage`.
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


def read_voltage(technology: Technology) -> float:
    """Voltage in V at which a nominal parallel cell takes the read current: of a bit line whose current is sensed."""
    current = technology["read.current"]
    return voltage_at(junction(technology), False, current) + current * series_resistance(technology)


def sense_voltage(
    technology: Technology,
    antiparallel: np.ndarray,
    *,
    resistance_factor: np.ndarray | float = 1.0,
    tmr_factor: np.ndarray | float = 1.0,
    position: np.ndarray | float = 0.5,
) -> np.ndarray:
    """What the amplifier compares with its reference; parameters as of `bit_line_voltage`.

    Where the voltage is sensed, that of the bit line. Where the current I of n cells is sensed, V·(n − I/I_read): by
    how much it is less than that of n nominal parallel cells, over the resistance V/I_read of such a cell with its
    access. Either grows with the anti-parallel cells.

    Returns
    -------
    ndarray of shape (...)
        In V.
    """
    voltage, current = _operating_point(technology, antiparallel, resistance_factor, tmr_factor, position)
    if technology.sensing.quantity == "voltage":
        return voltage
    return voltage * (len(antiparallel) - current / technology["read.current"])


def bit_line_voltage(
    technology: Technology,
    antiparallel: np.ndarray,
    *,
    resistance_factor: np.ndarray | float = 1.0,
    tmr_factor: np.ndarray | float = 1.0,
    position: np.ndarray | float = 0.5,
) -> np.ndarray:
    """Voltage at the amplifier when the read current divides over cells in parallel, or to which it holds them.

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
    return _operating_point(technology, antiparallel, resistance_factor, tmr_factor, position)[0]


def _operating_point(
    technology: Technology,
    antiparallel: np.ndarray,
    resistance_factor: np.ndarray | float,
    tmr_factor: np.ndarray | float,
    position: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """Voltage of the bit line at the amplifier in V, and its current in A."""
    antiparallel = np.asarray(antiparallel)
    mtj, current = junction(technology), technology["read.current"]
    clamped = technology.sensing.quantity == "current"
    held = read_voltage(technology) if clamped else 0.0
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
        total = branch.sum(axis=0)
        parallel = held / (1 + shared * total) if clamped else current / total
        new = parallel * branch * ohms
        change = float(np.max(np.abs(new - over), initial=0.0))
        if change <= _SETTLED * float(np.max(new, initial=0.0)):
            return parallel * (1 + shared * total), parallel * total
        if change > _SHRINKS * last:
            share = 0.5
        over, last = over + share * (new - over), change
    raise ArithmeticError(f"{technology.name}: no operating point at the read current")


def contents(cells: int, ones: int) -> np.ndarray:
    """States of `cells` cells of which `ones` are anti-parallel, shape (cells,), bool."""
    return np.arange(cells) < ones


def level(technology: Technology, cells: int, ones: int, position: float = 0.5) -> float:
    """Nominal `sense_voltage` in V with `ones` of `cells` cells anti-parallel."""
    return float(sense_voltage(technology, contents(cells, ones), position=position))


def reference_voltage(technology: Technology, decision: Decision) -> float:
    """Reference in V, midway between the two levels that it tells apart, in the middle of the bit line.

    Raises
    ------
    SpinplaneError
        If the bit line were above the supply, from which nothing drives it there.
    """
    return _midway(technology, decision, *_levels(technology, decision))


def _levels(technology: Technology, decision: Decision) -> tuple[float, float]:
    """The highest 0 and the lowest 1 in V, in the middle of the bit line."""
    low, high = (level(technology, decision.cells, decision.threshold - i) for i in (1, 0))
    return low, high


def _midway(technology: Technology, decision: Decision, low: float, high: float) -> float:
    """`reference_voltage`, from its two levels."""
    supply = technology["process.supply_voltage"]
    sensed = technology.sensing.quantity
    highest = high if sensed == "voltage" else read_voltage(technology)
    if highest > supply:
        key = "oxide.thickness" if technology.resistance == "negf" else "mtj.resistance_area"
        what = "the lowest 1" if sensed == "voltage" else "the bit line"
        raise SpinplaneError(
            f"{technology.name}: {decision.reference} with {decision.cells} cells cannot be sensed: {what} is "
            f"{highest:.2f} V, the supply {supply:g} V; lower read.current or {key}"
        )
    return (low + high) / 2


def shifted_reference(
    technology: Technology, decision: Decision, reference: float, offsets: np.ndarray
) -> np.ndarray:
    """References in V of amplifiers with offsets, in terms of `sense_voltage`.

    Parameters
    ----------
    technology : Technology
    decision : Decision
    reference : float
        Without an offset, in V.
    offsets : ndarray
        In V: of the input, or of the voltage to which the amplifier clamps the bit line. The reference's own current
        is that of the nominal voltage.

    Returns
    -------
    ndarray of the shape of `offsets`
    """
    if technology.sensing.quantity == "voltage":
        return np.asarray(reference + offsets)
    # The cells take the reference's current I at V + offset if they would take I·V/(V + offset) at V.
    held = read_voltage(technology)
    return np.asarray(held * decision.cells - (held * decision.cells - reference) * held / (held + offsets))


def margin(technology: Technology, decision: Decision) -> Margin:
    """Levels, margin, time and energy of a decision.

    Raises
    ------
    SpinplaneError
        If the amplifier's differential is not reached in any time, or a level is above the supply.
    """
    cells, threshold = decision.cells, decision.threshold
    low, high = _levels(technology, decision)
    reference = _midway(technology, decision, low, high)
    near, far = level(technology, cells, threshold, 0.0), level(technology, cells, threshold - 1, 1.0)
    # Where the voltage is held, all cells may be parallel.
    current = technology["read.current"] * (1 if technology.sensing.quantity == "voltage" else cells)
    time_s = _time(technology, decision, reference, near, far)
    supply = current * technology["process.supply_voltage"]
    return Margin(
        decision=decision,
        low_v=low,
        reference_v=reference,
        high_v=high,
        margin_v=min(near - reference, reference - far),
        time_s=time_s,
        energy_j=supply * time_s + technology["sense_amplifier.energy"],
    )


def sense_time(technology: Technology, decision: Decision) -> float:
    """Time in s from word lines on to the decision.

    Raises
    ------
    SpinplaneError
        As of `margin`.
    """
    reference = reference_voltage(technology, decision)
    cells, threshold = decision.cells, decision.threshold
    near, far = level(technology, cells, threshold, 0.0), level(technology, cells, threshold - 1, 1.0)
    return _time(technology, decision, reference, near, far)


def _time(technology: Technology, decision: Decision, reference: float, near: float, far: float) -> float:
    """`sense_time`, from the levels of the nearest 1 and of the farthest 0."""
    if technology.sensing.quantity == "voltage":
        settled = _settling_time(technology, decision, reference, near)
    else:
        settled = _current_settling_time(technology, decision, reference, far)
    return settled + technology["sense_amplifier.delay"]


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


def _current_settling_time(technology: Technology, decision: Decision, reference: float, low: float) -> float:
    """Time in s after which the current has passed the reference by the amplifier's differential.

    The bit line rises from 0 to the voltage to which it is clamped. Were the cells alone to charge it, its time
    constant would be that of their resistance, and a clamp is faster: this is the longest that it can take. A 1 is a
    small current and on its side at all times, so the highest 0 decides.
    """
    wanted = reference - technology["sense_amplifier.differential"]
    if wanted <= low:
        raise SpinplaneError(
            f"{technology.name}: {decision.reference} with {decision.cells} cells cannot be sensed: the highest 0 is "
            f"{low * 1e3:.1f} mV, reference less differential of the amplifier {wanted * 1e3:.1f} mV; raise "
            "read.current, or lower sense_amplifier.differential"
        )
    held, unit = read_voltage(technology), technology["read.current"]
    least, full = (unit * (decision.cells - voltage / held) for voltage in (wanted, low))
    capacitance = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    return held / full * capacitance * float(-np.log1p(-least / full))
