"""Monte Carlo of the sense margin: cells and amplifiers vary, and wrong decisions are counted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from spinplane.machine import SpinplaneError

from .references import LEAST_FACTOR, place_reference
from .sensing import Decision, contents, decisions, sense_voltage, shifted_reference
from .statistics import ErrorRate, Moments, counted, normal_tail
from .technology import Technology

#: Trials that are drawn together, of a generator of their own.
BLOCK = 100_000
#: Maps a function over blocks to its results, which are plain data, in their order: here, or on other processors.
Share = Callable[[Callable[["Block"], Any], Sequence["Block"]], Iterable[Any]]


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
    voltages : mapping of (int, int) to ndarray of shape (n,)
        `sense_voltage` in V of each trial, by number of cells and of anti-parallel ones; of the first `BLOCK` trials.
    offsets : ndarray of shape (amplifiers, n)
        Offset of each sense amplifier in V, in the same trials; of two, the second one decides OR.
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Trials that are drawn together.

    Parameters
    ----------
    technology : Technology
    fan_in, seed : int
    reference : str
        See `place_reference`.
    number, trials : int
        Which block of the run it is, and its trials.
    """

    technology: Technology
    fan_in: int
    seed: int
    reference: str
    number: int
    trials: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """Voltages and offsets of a block, and the distances from the references that follow, by operation."""

    voltages: Mapping[tuple[int, int], np.ndarray]
    offsets: np.ndarray
    margins: Mapping[str, list[np.ndarray]]


def monte_carlo(
    technology: Technology,
    *,
    trials: int = BLOCK,
    fan_in: int = 2,
    seed: int = 0,
    reference: str = "midpoint",
    share: Share = map,
) -> MonteCarlo:
    """Draw cells and sense amplifiers, and sense every content with them.

    Parameters
    ----------
    technology : Technology
    trials : int
        At least 2; memory does not grow beyond `BLOCK`.
    fan_in : int
        Cells of an AND and an OR, 2 to 8.
    seed : int
    reference : {"midpoint", "equal_error"}
        See `place_reference`.
    share : callable
        What does the blocks after the first one. The outcome is the same wherever they are done.

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
    blocks = [
        Block(
            technology=technology,
            fan_in=fan_in,
            seed=seed,
            reference=reference,
            number=number,
            trials=min(BLOCK, trials - begin),
        )
        for number, begin in enumerate(range(0, trials, BLOCK))
    ]
    first = _draw(blocks[0])
    found = [_counted(first), *share(count_block, blocks[1:])]
    errors = {
        decision.operation: SenseErrors(
            decision=decision,
            reference_v=place_reference(technology, decision, reference),
            levels=tuple(
                _rate(found, decision.operation, ones, trials) for ones in range(decision.cells + 1)
            ),
        )
        for decision in operations
    }
    return MonteCarlo(
        trials=trials,
        fan_in=fan_in,
        seed=seed,
        voltages=first.voltages,
        offsets=first.offsets,
        errors=errors,
        xor=tuple(
            counted(sum(block["xor"][ones] for block in found), trials, _xor_tail(errors, ones))
            for ones in range(len(found[0]["xor"]))
        ),
    )


def count_block(block: Block) -> dict[str, Any]:
    """Wrong decisions of a block and the moments of its margins, by operation and content, as plain data."""
    return _counted(_draw(block))


def _draw(block: Block) -> _Drawn:
    technology, cells = block.technology, block.fan_in
    # The first block's numbers are those of the seed alone, whatever follows.
    random = np.random.default_rng([block.seed, block.number] if block.number else block.seed)
    shape = (cells, block.trials)
    sigmas = (technology["variation.resistance_area"], technology["variation.tmr"])
    resistance_factor, tmr_factor = (
        np.maximum(1 + sigma * random.standard_normal(shape), LEAST_FACTOR) for sigma in sigmas
    )
    position = random.random(shape)
    amplifiers = technology.sensing.amplifiers
    offsets = technology["sense_amplifier.offset_sigma"] * random.standard_normal((amplifiers, block.trials))
    voltages = {
        (connected, ones): sense_voltage(
            technology,
            np.broadcast_to(contents(connected, ones)[:, None], (connected, block.trials)),
            resistance_factor=resistance_factor[:connected],
            tmr_factor=tmr_factor[:connected],
            position=position[:connected],
        )
        for connected in (1, cells)
        for ones in range(connected + 1)
    }
    margins = {
        decision.operation: _margins(
            technology,
            decision,
            place_reference(technology, decision, block.reference),
            voltages,
            offsets[-1 if decision.operation == "or" else 0],
        )
        for decision in decisions(cells)
    }
    return _Drawn(voltages=voltages, offsets=offsets, margins=margins)


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


def _counted(drawn: _Drawn) -> dict[str, Any]:
    """See `count_block`; with two amplifiers and two cells also wrong XORs, else none."""
    margins = drawn.margins
    decides = len(drawn.offsets) == 2 and len(margins["and"]) == 3
    return {
        "wrong": {name: [int(np.count_nonzero(one <= 0)) for one in of] for name, of in margins.items()},
        "margins": {name: [asdict(Moments.of(one)) for one in of] for name, of in margins.items()},
        "xor": _wrong_xors(margins["and"], margins["or"]) if decides else [],
    }


def _rate(found: Sequence[dict[str, Any]], operation: str, ones: int, trials: int) -> ErrorRate:
    """Of all blocks together."""
    margins = reduce(add, (Moments(**block["margins"][operation][ones]) for block in found))
    return counted(sum(block["wrong"][operation][ones] for block in found), trials, normal_tail(margins))


def _wrong_xors(both: Sequence[np.ndarray], either: Sequence[np.ndarray]) -> list[int]:
    """Wrong OR ∧ ¬AND: a wrong decision is no error where the other one holds the result at 0."""
    wrong = []
    for ones, (and_margins, or_margins) in enumerate(zip(both, either, strict=True)):
        shows_and, shows_or = (and_margins > 0) == (ones == 2), (or_margins > 0) == (ones >= 1)
        wrong.append(int(np.count_nonzero((shows_or & ~shows_and) != (ones == 1))))
    return wrong


def _xor_tail(errors: Mapping[str, SenseErrors], ones: int) -> float:
    """Of the amplifiers that decide the content."""
    deciding = {0: ("or",), 1: ("and", "or"), 2: ("and",)}[ones]
    return sum(errors[operation].levels[ones].tail for operation in deciding)
