"""Place a network's feature maps in the image bank: no map is overwritten while a stage has yet to read it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.program import FeatureMap

from .placement import ceil_div
from .stages import Stage

#: Bases that are tried before a network is refused.
_MOST_TRIES = 10_000


def place_maps(machine: Machine, maps: Sequence[FeatureMap], stages: Sequence[Stage]) -> list[FeatureMap]:
    """Bases of all maps: side by side if all fit, else where those that are still read leave room.

    Parameters
    ----------
    machine : Machine
    maps : sequence of FeatureMap
        The network's input, and what each stage gives.
    stages : sequence of Stage

    Raises
    ------
    SpinplaneError
        If the maps that are needed at once do not fit, with the stage's name and the words.
    """
    sizes = [_words(machine, m) for m in maps]
    if sum(sizes) <= machine.image_words:
        bases = [sum(sizes[:at]) for at in range(len(sizes))]
    else:
        bases = _share(machine, sizes, stages)
    return [replace(m, base=base * machine.columns) for m, base in zip(maps, bases, strict=True)]


def kept_maps(maps: Sequence[FeatureMap]) -> list[bool]:
    """Whether each map is still there when the last one is written: it has no bits in common with any later one."""
    kept = list[bool]()
    # Stretches of bits that later maps take, apart from each other and ascending.
    begins, ends = list[int](), list[int]()
    for one in reversed(maps):
        begin, end = one.base, one.base + one.height * one.line_bits
        met = slice(bisect_right(ends, begin), bisect_left(begins, end))
        kept.append(met.start == met.stop)
        begins[met], ends[met] = [min([begin, *begins[met]])], [max([end, *ends[met]])]
    return kept[::-1]


def _words(machine: Machine, feature_map: FeatureMap) -> int:
    return ceil_div(feature_map.height * feature_map.line_bits, machine.columns)


def _share(machine: Machine, sizes: Sequence[int], stages: Sequence[Stage]) -> list[int]:
    """Bases of maps when some take the place of others."""
    needed = _needed(stages)
    for at, stage in enumerate(stages):
        kept = needed[at] - {stage.takes, at + 1}
        words = sum(sizes[of] for of in needed[at])
        if words > machine.image_words:
            beside = f", and {sum(sizes[of] for of in kept)} read beside them or later," if kept else ""
            raise SpinplaneError(
                f"layer {stage.name}: its input of {sizes[stage.takes]} words and its output of {sizes[at + 1]}"
                f"{beside} need image_words = {words}, machine {machine.name} has {machine.image_words}"
            )
    in_order = range(len(sizes))
    for order in (in_order, sorted(in_order, key=lambda number: -sizes[number])):
        bases = _fit(machine.image_words, sizes, needed, order)
        if bases:
            return bases
    total = sum(sizes)
    raise SpinplaneError(
        f"layer {stages[0].name}: found no order of the network's maps that fits image_words = "
        f"{machine.image_words} of machine {machine.name}; side by side they need {total}"
    )


def _needed(stages: Sequence[Stage]) -> list[set[int]]:
    """Maps that are read or written in each stage, or read in a later one after they were written."""
    needed, read_later = list[set[int]](), set[int]()
    for at in reversed(range(len(stages))):
        stage = stages[at]
        # Map n + 1 is what stage n gives.
        read_later.discard(at + 1)
        read_later |= {stage.takes} | ({stage.adds} if stage.adds is not None else set())
        needed.append(read_later | {at + 1})
    return needed[::-1]


def _fit(
    words: int, sizes: Sequence[int], needed: Sequence[set[int]], order: Sequence[int]
) -> list[int] | None:
    """Bases, each as low or as high as those before it in the order leave room; None if none were found.

    Both ends are tried, first those by turns: a chain of layers needs no others.
    """
    beside: list[set[int]] = [set() for _ in sizes]
    for together in needed:
        for number in together:
            beside[number] |= together
    bases: dict[int, int] = {}
    # Bases that are left to try: of each map that has one, and of the next.
    left = [iter(_ends(words, sizes, beside, order[0], bases))]
    tries = 0
    while left:
        number = order[len(left) - 1]
        bases.pop(number, None)
        base = next(left[-1], None)
        if base is None:
            left.pop()
            continue
        tries += 1
        if tries > _MOST_TRIES:
            break
        bases[number] = base
        if len(bases) == len(sizes):
            return [bases[number] for number in range(len(sizes))]
        left.append(iter(_ends(words, sizes, beside, order[len(left)], bases)))
    return None


def _ends(
    words: int, sizes: Sequence[int], beside: Sequence[set[int]], number: int, bases: dict[int, int]
) -> Iterable[int]:
    """Lowest and highest base of a map beside the placed ones that are needed with it."""
    gaps, begin = [], 0
    placed = sorted((bases[of], bases[of] + sizes[of]) for of in beside[number] if of in bases)
    for taken, end in [*placed, (words, words)]:
        if taken - begin >= sizes[number]:
            gaps.append((begin, taken))
        # One that begins before another may end after it.
        begin = max(begin, end)
    if not gaps:
        return ()
    low, high = gaps[0][0], gaps[-1][1] - sizes[number]
    return dict.fromkeys((high, low) if number % 2 else (low, high))
