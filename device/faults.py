"""Fault maps drawn from a technology's variations."""

import numpy as np
from scipy.stats import norm

from spinplane.machine import FaultMap, Machine, SpinplaneError

from .sensing import Decision, decisions, level, reference_voltage
from .technology import Technology
from .write import needed_current


def draw_fault_map(
    machine: Machine,
    technology: Technology,
    seed: int,
    *,
    offset_sigma: float | None = None,
    weak_cells: float | None = None,
) -> FaultMap:
    """Draw stuck cells and drifted sense amplifiers of one machine.

    Parameters
    ----------
    machine : Machine
    technology : Technology
    seed : int
        The same seed, machine and technology give the same map.
    offset_sigma : float, optional
        Standard deviation of the amplifiers' offsets in V; the technology's if not given.
    weak_cells : float, optional
        Share of cells that cannot be written, from 0 to 1; from `weak_cell_rates` if not given. Half of
        them are stuck at either value.

    Returns
    -------
    FaultMap

    Raises
    ------
    SpinplaneError
        If a value is not allowed.

    Notes
    -----
    An amplifier's offset shifts all of its references alike; its thresholds follow from the nominal levels of
    the bit line. The variation of single cells while they are sensed depends on the pair of rows and is in
    `monte_carlo` only.
    """
    sigma = technology["sense_amplifier.offset_sigma"] if offset_sigma is None else offset_sigma
    if not sigma >= 0:
        raise SpinplaneError(f"offset sigma = {sigma!r} V: allowed are 0 and above")
    if weak_cells is not None and not 0 <= weak_cells <= 1:
        raise SpinplaneError(f"share of weak cells = {weak_cells!r}: allowed are 0 to 1")
    rates = weak_cell_rates(technology) if weak_cells is None else (weak_cells / 2, weak_cells / 2)
    random = np.random.default_rng(seed)
    offsets = sigma * random.standard_normal((machine.sub_arrays, machine.columns))
    thresholds = {
        f"{decision.operation}_thresholds": drifted_thresholds(technology, decision, offsets)
        for decision in decisions()
    }
    return FaultMap(
        sub_arrays=machine.sub_arrays,
        rows=machine.rows,
        columns=machine.columns,
        stuck=_stuck_cells(machine, rates, random),
        seed=seed,
        origin=f"{technology.name} on {machine.name}: offset sigma {sigma * 1e3:g} mV, cells stuck at 0 and 1 with "
        f"rates {rates[0]:.3g} and {rates[1]:.3g}",
        **thresholds,
    )


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


def drifted_thresholds(technology: Technology, decision: Decision, offsets: np.ndarray) -> np.ndarray:
    """Anti-parallel cells from which amplifiers with `offsets` (V) show 1.

    Returns
    -------
    ndarray of the shape of `offsets`, uint8
        The number of nominal levels that are not above the shifted reference.
    """
    reference = reference_voltage(technology, decision) + offsets
    levels = [level(technology, decision.cells, ones) for ones in range(decision.cells + 1)]
    return np.sum([voltage <= reference for voltage in levels], axis=0).astype(np.uint8)


def _stuck_cells(machine: Machine, rates: tuple[float, float], random: np.random.Generator) -> np.ndarray:
    shape = (machine.sub_arrays, machine.rows, machine.columns)
    draw = random.random(shape)
    # A cell that can be written neither way would be stuck at what it held; the two rates share one draw.
    stuck = np.argwhere(draw < sum(rates))
    values = draw[tuple(stuck.T)] >= rates[0]
    return np.column_stack([stuck, values]).astype(np.int32)
