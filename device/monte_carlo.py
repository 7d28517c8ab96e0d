"""Monte Carlo of the sense margin: cells and amplifiers vary, and wrong decisions are counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .references import LEAST_FACTOR, place_reference
from .sensing import Decision, contents, decisions, sense_voltage, shifted_reference
from .statistics import ErrorRate, counted, normal_tail
from .technology import Technology


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
        `sense_voltage` in V of each trial, by number of cells and of anti-parallel ones.
    offsets : ndarray of shape (amplifiers, trials)
        Offset of each sense amplifier in V; of two, the second one decides OR.
    errors : mapping of str to SenseErrors
        By operation: ``"read"``, ``"and"``, ``"or"``.
    xor : tuple of ErrorRate
        With two amplifiers, wrong XORs with 0, 1, … anti-parallel cells, of two cells; else empty. The tail is the sum
        of those of the amplifiers that decide the content.
    """

    trials: int
    fan_in: int
    seed: int
    voltages: Mapping[tuple[int, int], np.ndarray]
    offsets: np.ndarray
    errors: Mapping[str, SenseErrors]
    xor: tuple[ErrorRate, ...] = ()

    @property
    def worst_xor(self) -> ErrorRate:
        """The content of two cells with the highest rate of wrong XORs; only with two amplifiers."""
        return max(self.xor, key=lambda level: level.rate)


def monte_carlo(
    technology: Technology,
    *,
    trials: int = 100_000,
    fan_in: int = 2,
    seed: int = 0,
    reference: str = "midpoint",
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
    reference : {"midpoint", "equal_error"}
        See `place_reference`.

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
    row, uniform along the bit line. For each trial: the offset of each amplifier, normal. References are nominal.
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
    amplifiers = technology.sensing.amplifiers
    offsets = technology["sense_amplifier.offset_sigma"] * random.standard_normal((amplifiers, trials))
    voltages = {}
    for cells in (1, fan_in):
        for ones in range(cells + 1):
            voltages[cells, ones] = sense_voltage(
                technology,
                np.broadcast_to(contents(cells, ones)[:, None], (cells, trials)),
                resistance_factor=resistance_factor[:cells],
                tmr_factor=tmr_factor[:cells],
                position=position[:cells],
            )
    references = {
        decision.operation: place_reference(technology, decision, reference) for decision in operations
    }
    margins = {
        decision.operation: _margins(
            technology,
            decision,
            references[decision.operation],
            voltages,
            offsets[-1 if decision.operation == "or" else 0],
        )
        for decision in operations
    }
    errors = {
        decision.operation: SenseErrors(
            decision=decision,
            reference_v=references[decision.operation],
            levels=tuple(
                counted(int(np.count_nonzero(found <= 0)), trials, normal_tail(found))
                for found in margins[decision.operation]
            ),
        )
        for decision in operations
    }
    decides = amplifiers == 2 and fan_in == 2
    return MonteCarlo(
        trials=trials,
        fan_in=fan_in,
        seed=seed,
        voltages=voltages,
        offsets=offsets,
        errors=errors,
        xor=_xor_errors(margins["and"], margins["or"], errors) if decides else (),
    )


def _margins(
    technology: Technology,
    decision: Decision,
    reference: float,
    voltages: Mapping[tuple[int, int], np.ndarray],
    offsets: np.ndarray,
) -> list[np.ndarray]:
    """Distances in V from the reference with 0, 1, … anti-parallel cells: not above 0 where the decision is wrong."""
    shifted = shifted_reference(technology, decision, reference, offsets)
    above = [voltages[decision.cells, ones] - shifted for ones in range(decision.cells + 1)]
    return [margins if ones >= decision.threshold else -margins for ones, margins in enumerate(above)]


def _xor_errors(
    both: list[np.ndarray], either: list[np.ndarray], errors: Mapping[str, SenseErrors]
) -> tuple[ErrorRate, ...]:
    """Errors of OR ∧ ¬AND: a wrong decision is no error where the other one holds the result at 0."""
    rates = []
    for ones, (and_margins, or_margins) in enumerate(zip(both, either, strict=True)):
        shows_and, shows_or = (and_margins > 0) == (ones == 2), (or_margins > 0) == (ones >= 1)
        wrong = (shows_or & ~shows_and) != (ones == 1)
        deciding = {0: ("or",), 1: ("and", "or"), 2: ("and",)}[ones]
        tail = sum(errors[operation].levels[ones].tail for operation in deciding)
        rates.append(counted(int(np.count_nonzero(wrong)), len(wrong), tail))
    return tuple(rates)
