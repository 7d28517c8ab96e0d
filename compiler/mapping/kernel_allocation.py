"""Choose each layer's placement, and the kernels that stay in the array, for the fewest cycles that the rows allow.

Rows from 0 on are free to whichever layer runs: the ring of its input lines, and behind it the kernels of a layer that
loads them each time it runs. Behind these common rows are the kernels that stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spinplane.machine import Machine, SpinplaneError

from .placement import Placement

#: Rings that are tried, and parts of the other rows that are added to the common ones.
_RINGS = 24
_SWAP_PARTS = 8
#: More cycles than any network takes.
_NEVER = int(np.iinfo(np.int64).max) // 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Allocation:
    """The placement of a layer's kernels.

    Parameters
    ----------
    placement : Placement
    resident : bool
        Whether they have rows of their own and stay there.
    kernel_row : int
    pass_kernel_tiles : int
        Kernel tiles of a pass at most.
    """

    placement: Placement
    resident: bool
    kernel_row: int
    pass_kernel_tiles: int


class _Way(NamedTuple):
    """A placement whose kernels stay in `rows` of their own, or are loaded each time: then `rows` is 0.

    Parameters
    ----------
    cycles : int
        Steady ones, of all images of a run.
    number : int
        Among the ways of its layer.
    placement : Placement
    resident : bool
    rows : int
    pass_kernel_tiles : int
    """

    cycles: int
    number: int
    placement: Placement
    resident: bool
    rows: int
    pass_kernel_tiles: int


def choose_allocations(
    machine: Machine, candidates: Sequence[Sequence[Placement]], batch: int = 1
) -> list[Allocation]:
    """Choose a placement for each layer.

    Parameters
    ----------
    machine : Machine
    candidates : sequence of sequences of Placement
        Of each layer; none is empty.
    batch : int
        Images that a run takes: kernels that do not stay are loaded once for all of them.

    Raises
    ------
    SpinplaneError
        If a layer fits in no way, with the numbers and the machine's key.
    """
    options = [_worthwhile(machine, of_layer) for of_layer in candidates]
    # The greatest of the layers' least rings is the least that serves all of them.
    least_ring = max(min(p.input_rows for p in of_layer) for of_layer in options)
    rings = sorted({p.input_rows for of_layer in options for p in of_layer if p.input_rows >= least_ring})
    best: tuple[int, list[Allocation]] | None = None
    for ring in _spread(rings, _RINGS):
        rest = machine.rows - ring
        fitting = [[p for p in of_layer if p.input_rows <= ring] for of_layer in options]
        # Those of fewest cycles come first: with all rows for each layer there were no fewer.
        bound = batch * sum(of_layer[0].steady_cycles for of_layer in fitting)
        for part in range(_SWAP_PARTS + 1):
            if best and best[0] <= bound:
                break
            swap = rest * part // _SWAP_PARTS
            ways = [_ways(of_layer, ring + swap, rest - swap, batch) for of_layer in fitting]
            least = sum(min((way.cycles for way in of_layer), default=_NEVER) for of_layer in ways)
            if least < (best[0] if best else _NEVER):
                found = _share_rows(ways, ring + swap, rest - swap)
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
    usable = [
        p for p in of_layer if p.pass_kernel_tiles and p.input_rows + p.kernel_tile_rows <= machine.rows
    ]
    if not usable:
        raise _misfit(machine, [of_layer])
    usable.sort(key=lambda p: (p.steady_cycles, p.input_rows, p.kernel_rows))
    kept: list[Placement] = []
    for p in usable:
        if not any(
            k.input_rows <= p.input_rows
            and k.kernel_rows <= p.kernel_rows
            and k.kernel_tile_rows <= p.kernel_tile_rows
            and k.load_cycles <= p.load_cycles
            for k in kept
        ):
            kept.append(p)
    return kept


def _ways(of_layer: Sequence[Placement], common: int, rows: int, batch: int) -> list[_Way]:
    """Ways of a layer with as many common rows and others, without those that another one beats in cycles and rows."""
    ways, reload = list[_Way](), None
    for number, p in enumerate(of_layer):
        if p.kernel_rows <= rows:
            steady = batch * p.steady_cycles
            ways.append(_Way(steady, 2 * number, p, True, p.kernel_rows, p.pass_kernel_tiles))
        behind = common - p.input_rows
        # Shorter passes take no fewer cycles.
        least = batch * p.steady_cycles + p.load_cycles
        if p.kernel_tile_rows <= behind and not (reload and reload.cycles <= least):
            kernel_tiles = min(p.pass_kernel_tiles, behind // p.kernel_tile_rows)
            cycles = batch * p.cycles(kernel_tiles) + p.load_cycles
            if reload is None or cycles < reload.cycles:
                reload = _Way(cycles, 2 * number + 1, p, False, 0, kernel_tiles)
    ways += [reload] if reload else []
    kept, fewest_rows = list[_Way](), rows + 1
    for way in sorted(ways, key=lambda way: way[:2]):
        if way.rows < fewest_rows:
            kept.append(way)
            fewest_rows = way.rows
    # Of equal ways the first one is taken.
    return sorted(kept, key=lambda way: way.number)


def _share_rows(
    layers: Sequence[Sequence[_Way]], common: int, rows: int
) -> tuple[int, list[Allocation]] | None:
    """Fewest cycles with `rows` for kernels that stay behind the common ones, by dynamic programming.

    Returns
    -------
    cycles : int
    allocations : list of Allocation
    """
    # Of all layers so far, by the rows that they may use.
    costs = np.zeros(rows + 1, dtype=np.int64)
    choices = []
    for ways in layers:
        best = np.full(rows + 1, _NEVER, dtype=np.int64)
        chosen = np.full(rows + 1, -1, dtype=np.int64)
        for at, way in enumerate(ways):
            shifted = costs[: rows + 1 - way.rows] + way.cycles
            better = shifted < best[way.rows :]
            best[way.rows :][better] = shifted[better]
            chosen[way.rows :][better] = at
        costs = best
        choices.append(chosen)
    used = int(costs.argmin())
    total = int(costs[used])
    if total >= _NEVER:
        return None
    allocations: list[Allocation] = []
    for ways, chosen in zip(reversed(layers), reversed(choices), strict=True):
        way = ways[int(chosen[used])]
        used -= way.rows
        allocations.append(
            Allocation(
                placement=way.placement,
                resident=way.resident,
                kernel_row=common + used if way.resident else way.placement.input_rows,
                pass_kernel_tiles=way.pass_kernel_tiles,
            )
        )
    return total, allocations[::-1]


def _misfit(machine: Machine, candidates: Sequence[Sequence[Placement]]) -> SpinplaneError:
    """What does not fit, by how much, and what would make it fit."""
    for of_layer in candidates:
        name = of_layer[0].layer.name
        pooled = min(p.beats(p.part_kernels) << p.log_clusters for p in of_layer)
        if all(not p.pass_kernel_tiles for p in of_layer):
            return SpinplaneError(
                f"layer {name}: pooling needs pool_beats = {pooled}, machine {machine.name} has {machine.pool_beats}"
            )
        least = min(
            (p for p in of_layer if p.pass_kernel_tiles), key=lambda p: p.input_rows + p.kernel_tile_rows
        )
        if least.input_rows + least.kernel_tile_rows > machine.rows:
            return SpinplaneError(
                f"layer {name}: {least.input_rows} rows of input lines and {least.kernel_tile_rows} of "
                "kernels need rows = "
                f"{least.input_rows + least.kernel_tile_rows}, machine {machine.name} has {machine.rows}"
            )
    # Each layer fits alone, so the common rows can be as many as there are.
    raise AssertionError("layers that fit alone fit one after the other")
