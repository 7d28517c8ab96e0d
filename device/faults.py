"""Fault maps drawn from a technology's variations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import norm

from spinplane.machine import FaultMap, Machine, SpinplaneError
from spinplane.machine.variation import ALWAYS, MOST_CONDUCTANCE, NOMINAL_CONDUCTANCE, Variation

from .mtj import junction, resistance
from .references import LEAST_FACTOR, place_reference
from .sensing import (
    Decision,
    bit_line_resistance,
    decisions,
    level,
    read_voltage,
    reference_voltage,
    series_resistance,
    shifted_reference,
)
from .technology import Technology
from .write import needed_current

_ITERATIONS = 60


def draw_fault_map(
    machine: Machine,
    technology: Technology,
    seed: int,
    *,
    offset_sigma: float | None = None,
    weak_cells: float | tuple[float, float] | None = None,
    sigma_ra: float | None = None,
    sigma_tmr: float | None = None,
    reference: str = "midpoint",
) -> FaultMap:
    """Draw stuck cells, drifted sense amplifiers and the conductances of all cells of one machine.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    seed : int
        The same seed, machine and technology give the same map.
    offset_sigma : float, optional
        Standard deviation of the amplifiers' offsets in V; the technology's if not given.
    weak_cells : float or tuple of float, optional
        Share of cells that cannot be written, from 0 to 1, half of them stuck at either value; or the shares
        of those stuck at 0 and at 1. From `weak_cell_rates` if not given.
    sigma_ra, sigma_tmr : float, optional
        Standard deviations of a cell's resistance-area product and TMR over the nominal ones; the technology's
        if not given. With 0 for both, all cells are alike and the map has no variation.
    reference : {"midpoint", "equal_error"}
        Where the references lie, see `place_reference`: for the technology's own deviations, whatever those drawn are.

    Returns
    -------
    FaultMap

    Raises
    ------
    SpinplaneError
        If a value is not allowed.

    Notes
    -----
    An amplifier's offset shifts all of its references alike; of two amplifiers the second one has that of OR. The
    thresholds follow from the nominal levels of the bit line, the variation's references from `draw_variation`. One
    seed draws the same normal numbers whatever the deviations are.
    """
    sigma = technology["sense_amplifier.offset_sigma"] if offset_sigma is None else offset_sigma
    if not sigma >= 0:
        raise SpinplaneError(f"offset sigma = {sigma!r} V: must be at least 0")
    if weak_cells is None:
        rates = weak_cell_rates(technology)
    else:
        rates = weak_cells if isinstance(weak_cells, tuple) else (weak_cells / 2, weak_cells / 2)
        if not (min(rates) >= 0 and sum(rates) <= 1):
            raise SpinplaneError(f"share of weak cells = {weak_cells!r}: must be from 0 to 1")
    sigmas = {
        name: technology[f"variation.{key}"] if given is None else given
        for name, key, given in (("RA", "resistance_area", sigma_ra), ("TMR", "tmr", sigma_tmr))
    }
    for name, value in sigmas.items():
        if not 0 <= value < 1:
            raise SpinplaneError(f"sigma of {name} = {value!r}: must be at least 0 and below 1")
    random = np.random.default_rng(seed)
    shape = (technology.sensing.amplifiers, machine.sub_arrays, machine.columns)
    amplifiers = sigma * random.standard_normal(shape)
    offsets = {"read": amplifiers[0], "and": amplifiers[0], "or": amplifiers[-1]}
    thresholds: dict[str, Any] = {
        f"{decision.operation}_thresholds": drifted_thresholds(
            technology, decision, offsets[decision.operation], reference
        )
        for decision in decisions()
    }
    stuck = _stuck_cells(machine, rates, random)
    varies = any(sigmas.values())
    return FaultMap(
        sub_arrays=machine.sub_arrays,
        rows=machine.rows,
        columns=machine.columns,
        stuck=stuck,
        variation=draw_variation(machine, technology, random, offsets, sigmas["RA"], sigmas["TMR"], reference)
        if varies
        else None,
        seed=seed,
        origin=f"{technology.name} on {machine.name}: offset sigma {sigma * 1e3:g} mV, cells stuck at 0 and 1 with "
        f"rates {rates[0]:.3g} and {rates[1]:.3g}"
        + (f", sigma of RA {sigmas['RA']:.3g} and of TMR {sigmas['TMR']:.3g}" if varies else ""),
        **thresholds,
    )


def draw_variation(
    machine: Machine,
    technology: Technology,
    random: np.random.Generator,
    offsets: Mapping[str, np.ndarray],
    sigma_ra: float,
    sigma_tmr: float,
    reference: str = "midpoint",
) -> Variation:
    """Draw the conductances of all cells, and place the references between them.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    random : numpy.random.Generator
    offsets : mapping of str to ndarray of shape (sub_arrays, columns)
        Of the amplifiers, in V, by operation.
    sigma_ra, sigma_tmr : float
        Standard deviations over the nominal values.
    reference : {"midpoint", "equal_error"}

    Returns
    -------
    Variation

    Notes
    -----
    At a given current the bit line is above its reference just if the cells, were they held at the reference,
    would draw less than the current. Conductances are therefore those at the voltage of EN_AND's reference, with
    the junction's own voltage that of the nominal cell. The wire up to a row counts twice, as both cells of a
    pair send their current through it.
    """
    shape = (machine.sub_arrays, machine.rows, machine.columns)
    resistance_factor, tmr_factor = (
        np.maximum(1 + sigma * random.standard_normal(shape, dtype=np.float32), np.float32(LEAST_FACTOR))
        for sigma in (sigma_ra, sigma_tmr)
    )
    position = ((np.arange(machine.rows, dtype=np.float32) + 0.5) / machine.rows)[:, np.newaxis]
    conductances = [
        np.rint(
            cell_conductance(
                technology,
                antiparallel,
                resistance_factor=resistance_factor,
                tmr_factor=tmr_factor,
                position=position,
            )
        )
        for antiparallel in (False, True)
    ]
    largest = max(float(values.max()) for values in conductances)
    if largest > MOST_CONDUCTANCE:
        raise SpinplaneError(
            f"{technology.name}: a cell of {largest / NOMINAL_CONDUCTANCE:.1f} times the nominal conductance: "
            f"must be at most {MOST_CONDUCTANCE / NOMINAL_CONDUCTANCE:.1f} times"
        )
    parallel, antiparallel = (values.astype(np.uint16) for values in conductances)
    return Variation(
        parallel=parallel,
        antiparallel=antiparallel,
        **{
            f"{decision.operation}_references": reference_conductance(
                technology,
                decision,
                shifted_reference(
                    technology,
                    decision,
                    place_reference(technology, decision, reference),
                    offsets[decision.operation],
                ),
            )
            for decision in decisions()
        },
    )


def cell_conductance(
    technology: Technology,
    antiparallel: bool,
    *,
    resistance_factor: np.ndarray | float = 1.0,
    tmr_factor: np.ndarray | float = 1.0,
    position: np.ndarray | float = 0.5,
) -> np.ndarray:
    """Conductance of cells in units of `Variation`, not rounded; parameters as in `sensing.bit_line_voltage`."""
    mtj, series = junction(technology), series_resistance(technology)
    clamped = technology.sensing.quantity == "current"
    line = read_voltage(technology) if clamped else reference_voltage(technology, decisions()[1])
    over = {}
    for state in (False, True):
        voltage = float(line)
        for _ in range(_ITERATIONS):
            ohms = float(resistance(mtj, state, voltage))
            voltage = 0.5 * (voltage + line * ohms / (ohms + series))
        over[state] = voltage
    nominal = float(resistance(mtj, False, over[False])) + series
    cell_ohms = resistance(
        mtj, antiparallel, over[antiparallel], resistance_factor=resistance_factor, tmr_factor=tmr_factor
    )
    wire = 2 * bit_line_resistance(technology) * np.asarray(position)
    return NOMINAL_CONDUCTANCE * nominal / (cell_ohms + series + wire)


def reference_conductance(technology: Technology, decision: Decision, voltages: np.ndarray) -> np.ndarray:
    """References in units of `Variation` at `voltages` in V: those whose sums of conductances lie above them.

    One over the sum, or with a sensed current the sum itself, goes with the voltage as a straight line through the
    two nominal levels that the decision tells apart.

    Returns
    -------
    ndarray of the shape of `voltages`, int32
        `ALWAYS` where every sum is below the voltage's.
    """
    below, above = decision.threshold - 1, decision.threshold
    low, high = (level(technology, decision.cells, ones) for ones in (below, above))
    state = [float(cell_conductance(technology, antiparallel)) for antiparallel in (False, True)]
    at_low, at_high = ((decision.cells - ones) * state[0] + ones * state[1] for ones in (below, above))
    share = (np.asarray(voltages) - low) / (high - low)
    if technology.sensing.quantity == "current":
        return np.ceil(np.clip(at_low + share * (at_high - at_low), 0, ALWAYS)).astype(np.int32)
    inverse = 1 / at_low + share * (1 / at_high - 1 / at_low)
    return np.ceil(1 / np.maximum(inverse, 1 / ALWAYS)).astype(np.int32)


def weak_cell_rates(technology: Technology) -> tuple[float, float]:
    """Shares of cells stuck at 0 and at 1: those whose needed current exceeds the write current.

    The current that switches a cell within the pulse varies with the technology's deviation; a cell that
    cannot be written to 1 is stuck at 0.
    """
    sigma = technology["variation.critical_current"]
    rates = []
    for bit in (1, 0):
        excess = technology[f"write.current_{bit}"] / needed_current(technology, bit) - 1
        rates.append(float(norm.sf(excess / sigma)) if sigma else float(excess < 0))
    return rates[0], rates[1]


def drifted_thresholds(
    technology: Technology, decision: Decision, offsets: np.ndarray, reference: str = "midpoint"
) -> np.ndarray:
    """Anti-parallel cells from which amplifiers with `offsets` (V) show 1.

    Returns
    -------
    ndarray of the shape of `offsets`, uint8
        The number of nominal levels that are not above the shifted reference.
    """
    placed = place_reference(technology, decision, reference)
    shifted = shifted_reference(technology, decision, placed, offsets)
    levels = [level(technology, decision.cells, ones) for ones in range(decision.cells + 1)]
    return np.sum([voltage <= shifted for voltage in levels], axis=0).astype(np.uint8)


def _stuck_cells(machine: Machine, rates: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    shape = (machine.sub_arrays, machine.rows, machine.columns)
    draw = random.random(shape)
    # A cell that can be written neither way would be stuck at what it held; the two rates share one draw.
    stuck = np.argwhere(draw < sum(rates))
    values = draw[tuple(stuck.T)] >= rates[0]
    return np.column_stack([stuck, values]).astype(np.int32)
