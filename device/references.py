"""Where references lie between the levels of a bit line: midway, or where both errors are alike."""

import numpy as np
from scipy.stats import norm, qmc

from spinplane.machine import SpinplaneError

from .sensing import Decision, contents, reference_voltage, sense_voltage, shifted_reference
from .technology import Technology

#: ``"midpoint"`` is the paper's; with ``"equal_error"`` a 0 is taken for a 1 as often as a 1 for a 0.
REFERENCES = ("midpoint", "equal_error")
#: Of resistance-area product and TMR: a draw below this share of the nominal value is taken as this share.
LEAST_FACTOR = 0.05
#: Logarithm of the points over which levels are averaged.
_LOG_POINTS = 13


def place_reference(technology: Technology, decision: Decision, reference: str = "midpoint") -> float:
    """The reference of a decision in V.

    Parameters
    ----------
    technology : Technology
    decision : Decision
    reference : {"midpoint", "equal_error"}

    Raises
    ------
    SpinplaneError
        For another word, and if the upper level is above the supply.
    """
    if reference not in REFERENCES:
        raise SpinplaneError(f"reference = {reference!r}: must be one of {', '.join(REFERENCES)}")
    midpoint = reference_voltage(technology, decision)
    if reference == "midpoint":
        return midpoint
    (low, low_sigma), (high, high_sigma) = _levels(technology, decision)
    both = low_sigma + high_sigma
    return (low * high_sigma + high * low_sigma) / both if both > 0 else midpoint


def reference_errors(technology: Technology, decision: Decision, voltage: float) -> tuple[float, float]:
    """Probabilities that the highest 0 shows 1, and that the lowest 1 shows 0, at a reference in V.

    Levels and the amplifier's offset are taken as normal, with means and deviations of cells that vary.
    """
    (low, low_sigma), (high, high_sigma) = _levels(technology, decision)
    return _beyond(voltage - low, low_sigma), _beyond(high - voltage, high_sigma)


def _beyond(distance: float, sigma: float) -> float:
    """Probability that a normal deviation exceeds a distance."""
    return float(norm.sf(distance / sigma)) if sigma else float(distance <= 0)


def _levels(technology: Technology, decision: Decision) -> list[tuple[float, float]]:
    """Mean and deviation in V, the offset's in it, of the highest 0 and the lowest 1."""
    cells = decision.cells
    uniform = qmc.Sobol(3 * cells, seed=0).random_base2(_LOG_POINTS).T
    keys = ("variation.resistance_area", "variation.tmr")
    resistance_factor, tmr_factor = (
        np.maximum(1 + technology[key] * norm.ppf(uniform[at * cells : (at + 1) * cells]), LEAST_FACTOR)
        for at, key in enumerate(keys)
    )
    sigma = technology["sense_amplifier.offset_sigma"]
    midpoint = reference_voltage(technology, decision)
    # By how much the reference moves with the amplifier's offset.
    offset = np.ptp(shifted_reference(technology, decision, midpoint, np.array([-sigma, sigma]))) / 2
    levels = []
    for ones in (decision.threshold - 1, decision.threshold):
        voltages = sense_voltage(
            technology,
            np.broadcast_to(contents(cells, ones)[:, np.newaxis], tmr_factor.shape),
            resistance_factor=resistance_factor,
            tmr_factor=tmr_factor,
            position=uniform[2 * cells :],
        )
        levels.append((float(np.mean(voltages)), float(np.hypot(np.std(voltages), offset))))
    return levels
