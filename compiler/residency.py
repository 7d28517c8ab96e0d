"""Which placement each layer takes, and whose kernels stay in the array: the fewest cycles that the rows allow.

Rows from 0 on are free to whichever layer runs: the ring of its input lines, and behind it the kernels of a layer that
loads them each time it runs. Behind these common rows are the kernels that stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinplane.machine import Machine, SpinplaneError

from .placement import Placement

#: Rings that are tried, and parts of the other rows that are added to the common ones.
_RINGS = 24
_SWAP_PARTS = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Home:
    """Where a layer's kernels lie.

    Parameters
    ----------
    placement : Placement
    resident : bool
        Whether they have rows of their own and stay there.
    kernel_row : int
    pass_rounds : int
        Rounds of a pass at most.
    """

    placement: Placement
    resident: bool
    kernel_row: int
    pass_rounds: int


def choose_homes(machine: Machine, candidates: Sequence[Sequence[Placement]]) -> list[Home]:
    """Choose a placement for each layer.

    Parameters
    ----------
    machine : Machine
    candidates : sequence of sequences of Placement
        Of each layer; none is empty.

    Raises
    ------
    SpinplaneError
        If a layer fits in no way, with the numbers and the machine's key.
    """
    options = [_worthwhile(machine, of_layer) for of_layer in candidates]
    # The greatest of the layers' least rings is the least that serves all of them.
    least_ring = max(min(p.input_rows for p in of_layer) for of_layer in options)
    rings = sorted({p.input_rows for of_layer in options for p in of_layer if p.input_rows >= least_ring})
    best: tuple[int, list[Home]] | None = None
    for ring in _spread(rings, _RINGS):
        rest = machine.rows - ring
        bound = sum(
            min(p.cycles(p.pass_rounds) for p in of_layer if p.input_rows <= ring) for of_layer in options
        )
        for part in range(_SWAP_PARTS + 1):
            swap = rest * part // _SWAP_PARTS
            if best and best[0] <= bound:
                break
            found = _share_rows(options, ring, swap, rest - swap)
            if found and (best is None or found[0] < best[0]):
                best = found
    if best is None:
        raise _misfit(machine, candidates)
    return best[1]


def _spread(numbers: list[int], most: int) -> list[int]:
    if len(numbers) <= most:
        return numbers
    return [numbers[round(at)] for at in np.linspace(0, len(numbers) - 1, most)]


def _worthwhile(machine: Machine, of_layer: Sequence[Placement]) -> list[Placement]:
    """Placements that fit in the rows and the pooling memory, without those that another one beats in all respects."""
    usable = [p for p in of_layer if p.pass_rounds and p.input_rows + p.round_rows <= machine.rows]
    if not usable:
        raise _misfit(machine, [of_layer])
    usable.sort(key=lambda p: (p.cycles(p.pass_rounds), p.input_rows, p.kernel_rows))
    kept: list[Placement] = []
    for p in usable:
        if not any(
            k.input_rows <= p.input_rows
            and k.kernel_rows <= p.kernel_rows
            and k.round_rows <= p.round_rows
            and k.load_cycles <= p.load_cycles
            for k in kept
        ):
            kept.append(p)
    return kept


def _share_rows(
    options: Sequence[Sequence[Placement]], ring: int, swap: int, rows: int
) -> tuple[int, list[Home]] | None:
    """Fewest cycles with `rows` for kernels that stay and `ring` + `swap` common ones, by dynamic programming.

    Returns
    -------
    cycles : int
    homes : list of Home
    """
    never = np.iinfo(np.int64).max // 4
    costs = np.zeros(rows + 1, dtype=np.int64)
    choices = []
    for of_layer in options:
        best = np.full(rows + 1, never, dtype=np.int64)
        chosen = np.full(rows + 1, -1, dtype=np.int64)
        ways: list[tuple[Placement, bool, int]] = []
        for p in of_layer:
            if p.input_rows > ring:
                continue
            if p.kernel_rows <= rows:
                ways.append((p, True, p.pass_rounds))
            behind = ring + swap - p.input_rows
            if p.round_rows <= behind:
                ways.append((p, False, min(p.pass_rounds, behind // p.round_rows)))
        for number, (p, resident, rounds) in enumerate(ways):
            taken = p.kernel_rows if resident else 0
            cycles = p.cycles(rounds) + (0 if resident else p.load_cycles)
            shifted = np.full(rows + 1, never, dtype=np.int64)
            shifted[taken:] = costs[: rows + 1 - taken] + cycles
            better = shifted < best
            best, chosen = np.where(better, shifted, best), np.where(better, number, chosen)
        costs = best
        choices.append((ways, chosen))
    used = int(costs.argmin())
    total = int(costs[used])
    if total >= never:
        return None
    homes: list[Home] = []
    for ways, chosen in reversed(choices):
        p, resident, rounds = ways[int(chosen[used])]
        used -= p.kernel_rows if resident else 0
        homes.append(
            Home(
                placement=p,
                resident=resident,
                kernel_row=ring + swap + used if resident else p.input_rows,
                pass_rounds=rounds,
            )
        )
    return total, homes[::-1]


def _misfit(machine: Machine, candidates: Sequence[Sequence[Placement]]) -> SpinplaneError:
    """What does not fit, by how much, and what would make it fit."""
    for of_layer in candidates:
        name = of_layer[0].layer.name
        pooled = min(p.beats(p.part_kernels) << p.log_groups for p in of_layer)
        if all(not p.pass_rounds for p in of_layer):
            return SpinplaneError(
                f"layer {name}: pooling needs pool_beats = {pooled}, machine {machine.name} has {machine.pool_beats}"
            )
        least = min((p for p in of_layer if p.pass_rounds), key=lambda p: p.input_rows + p.round_rows)
        if least.input_rows + least.round_rows > machine.rows:
            return SpinplaneError(
                f"layer {name}: {least.input_rows} rows of input lines and {least.round_rows} of kernels need rows = "
                f"{least.input_rows + least.round_rows}, machine {machine.name} has {machine.rows}"
            )
    # Each layer fits alone, so the common rows can be as many as there are.
    raise AssertionError("layers that fit alone fit one after the other")
