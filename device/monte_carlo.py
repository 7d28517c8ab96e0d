"""Monte Carlo of the sense margin: cells and amplifiers vary, and wrong decisions are counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .sensing import Decision, bit_line_voltage, contents, decisions, reference_voltage
from .statistics import ErrorRate, counted, normal_tail
from .technology import Technology

#: Of resistance-area product and TMR: a draw below this share of the nominal value is taken as this share.
LEAST_FACTOR = 0.05


@dataclass(frozen=True, kw_only=True)
class SenseErrors:
    """Errors of one operation.

    Parameters
    ----------
    decision : Decision
    reference_v : float
        Nominal reference in V.
    levels : tuple of ErrorRate
        Wrong decisions with 0, 1, … anti-parallel cells; the tail is normal, with mean and deviation of the
        trials' distances from the reference.
    """

    decision: Decision
    reference_v: float
    levels: tuple[ErrorRate, ...]

    @property
    def worst(self) -> ErrorRate:
        """The level with the highest rate."""
        return max(self.levels, key=lambda level: level.rate)


@dataclass(frozen=True, kw_only=True)
class MonteCarlo:
    """Outcome of a Monte Carlo run.

    Parameters
    ----------
    trials, fan_in, seed : int
    voltages : mapping of (int, int) to ndarray of shape (trials,)
        Bit-line voltage in V of each trial, by number of cells and of anti-parallel ones.
    offsets : ndarray of shape (trials,)
        Offset of the sense amplifier in V.
    errors : mapping of str to SenseErrors
        By operation: ``"read"``, ``"and"``, ``"or"``.
    """

    trials: int
    fan_in: int
    seed: int
    voltages: Mapping[tuple[int, int], np.ndarray]
    offsets: np.ndarray
    errors: Mapping[str, SenseErrors]


def monte_carlo(
    technology: Technology, *, trials: int = 100_000, fan_in: int = 2, seed: int = 0
) -> MonteCarlo:
    """Draw cells and sense amplifiers, and sense every content with them.

    Parameters
    ----------
    technology : Technology
    trials : int
        At least 2.
    fan_in : int
        Cells of an AND and an OR, 2 to 8.
    seed : int

    Returns
    -------
    MonteCarlo

    Raises
    ------
    SpinplaneError
        For a number of trials or a fan-in that is not allowed.

    Notes
    -----
    Independent for each cell: resistance-area product and TMR, normal with the technology's deviations, and its
    row, uniform along the bit line. For each trial: the amplifier's offset, normal. References are nominal.
    """
    if type(trials) is not int or trials < 2:
        raise SpinplaneError(f"trials = {trials!r}: must be a whole number of at least 2")
    operations = decisions(fan_in)
    random = np.random.default_rng(seed)
    shape = (fan_in, trials)
    sigmas = (technology["variation.resistance_area"], technology["variation.tmr"])
    resistance_factor, tmr_factor = (
        np.maximum(1 + sigma * random.standard_normal(shape), LEAST_FACTOR) for sigma in sigmas
    )
    position = random.random(shape)
    offsets = technology["sense_amplifier.offset_sigma"] * random.standard_normal(trials)
    voltages = {}
    for cells in (1, fan_in):
        for ones in range(cells + 1):
            voltages[cells, ones] = bit_line_voltage(
                technology,
                np.broadcast_to(contents(cells, ones)[:, None], (cells, trials)),
                resistance_factor=resistance_factor[:cells],
                tmr_factor=tmr_factor[:cells],
                position=position[:cells],
            )
    errors = {decision.operation: _errors(technology, decision, voltages, offsets) for decision in operations}
    return MonteCarlo(
        trials=trials, fan_in=fan_in, seed=seed, voltages=voltages, offsets=offsets, errors=errors
    )


def _errors(
    technology: Technology,
    decision: Decision,
    voltages: Mapping[tuple[int, int], np.ndarray],
    offsets: np.ndarray,
) -> SenseErrors:
    reference = reference_voltage(technology, decision)
    levels = []
    for ones in range(decision.cells + 1):
        above = voltages[decision.cells, ones] - reference - offsets
        margins = above if ones >= decision.threshold else -above
        levels.append(counted(int(np.count_nonzero(margins <= 0)), len(margins), normal_tail(margins)))
    return SenseErrors(decision=decision, reference_v=reference, levels=tuple(levels))
