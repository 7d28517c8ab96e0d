"""Place a network's feature maps in the image bank: no map is overwritten while a stage has yet to read it."""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.program import FeatureMap

from .placement import ceil_div
from .stages import Stage

#: Bases that are tried before a network is refused.
_MOST_TRIES = 10_000


def place_maps(
    machine: Machine,
    maps: Sequence[FeatureMap],
    homes: Sequence[Hashable],
    stages: Sequence[Stage],
    kept: Iterable[int],
    batch: int = 1,
) -> list[FeatureMap]:
    """Bases of all maps: side by side if all fit, else where those that are still read leave room.

    A stage runs for all images before the next one begins, so the maps of all images lie behind each other.

    Parameters
    ----------
    machine : Machine
    maps : sequence of FeatureMap
        The network's input, and what each stage gives. Their bases are those within their homes.
    homes : sequence of hashable
        Of each map; maps of one home share their pixels.
    stages : sequence of Stage
    kept : iterable of int
        Numbers of the maps that nothing may overwrite: the network's outputs.
    batch : int
        Images that a run takes.

    Raises
    ------
    SpinplaneError
        If the maps that are needed at once do not fit, with the stage's name and the words.
    """
    numbers = _home_numbers(homes)
    sizes = [0] * (max(numbers) + 1)
    for number, one in zip(numbers, maps, strict=True):
        sizes[number] = batch * _words(machine, one)
    if sum(sizes) <= machine.image_words:
        bases = [sum(sizes[:at]) for at in range(len(sizes))]
    else:
        bases = _share(machine, sizes, stages, numbers, {numbers[one] for one in kept})
    return [
        replace(
            m,
            base=m.base + bases[number] * machine.columns,
            image_bits=sizes[number] // batch * machine.columns if batch > 1 else 0,
        )
        for m, number in zip(maps, numbers, strict=True)
    ]


def kept_maps(maps: Sequence[FeatureMap], homes: Sequence[Hashable], batch: int = 1) -> list[bool]:
    """Whether each map is still there when the last one is written: no later home has bits in common with its own.

    Of a batch, all images' maps are, or none counts as such.
    """
    numbers, extents = _home_numbers(homes), dict[int, tuple[int, int]]()
    for number, one in zip(numbers, maps, strict=True):
        # A home begins with one of its maps.
        begin = min(one.base, extents[number][0]) if number in extents else one.base
        extents[number] = begin, begin + (batch - 1) * one.image_bits + one.height * one.line_bits
    kept = dict[int, bool]()
    # Stretches of bits that later homes take, apart from each other and ascending.
    begins, ends = list[int](), list[int]()
    for number in sorted(extents, reverse=True):
        begin, end = extents[number]
        met = slice(bisect_right(ends, begin), bisect_left(begins, end))
        kept[number] = met.start == met.stop
        begins[met], ends[met] = [min([begin, *begins[met]])], [max([end, *ends[met]])]
    return [kept[number] for number in numbers]


def _home_numbers(homes: Sequence[Hashable]) -> list[int]:
    """Number of each map's home, in the order in which they are first written."""
    known = dict[Hashable, int]()
    return [known.setdefault(home, len(known)) for home in homes]


def _words(machine: Machine, feature_map: FeatureMap) -> int:
    return ceil_div(feature_map.height * feature_map.line_bits, machine.columns)


def _share(
    machine: Machine, sizes: Sequence[int], stages: Sequence[Stage], homes: Sequence[int], kept: set[int]
) -> list[int]:
    """Bases of homes when some take the place of others."""
    needed = _needed(stages, homes, kept)
    for at, stage in enumerate(stages):
        # All maps that it takes side by side lie in one home.
        taken, given = homes[stage.takes[0]], homes[at + 1]
        beside = needed[at] - {taken, given}
        words = sum(sizes[of] for of in needed[at])
        if words > machine.image_words:
            others = f", and {sum(sizes[of] for of in beside)} read beside them or later," if beside else ""
            raise SpinplaneError(
                f"layer {stage.name}: its input of {sizes[taken]} words and its output of {sizes[given]}"
                f"{others} need image_words = {words}, machine {machine.name} has {machine.image_words}"
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


def _needed(stages: Sequence[Stage], homes: Sequence[int], kept: set[int]) -> list[set[int]]:
    """Homes that are read or written in each stage, or read in a later one, or at the end, after they were written."""
    needed, read_later = list[set[int]](), set(kept)
    first_writer = {home: at for at, home in reversed(list(enumerate(homes[1:])))}
    for at in reversed(range(len(stages))):
        stage, given = stages[at], homes[at + 1]
        read = [*stage.takes, *([] if stage.adds is None else [stage.adds])]
        read_later |= {homes[number] for number in read}
        needed.append(read_later | {given})
        # Map n + 1 is what stage n gives; the network's input is there from the start.
        if first_writer[given] == at and given != homes[0]:
            read_later.discard(given)
    return needed[::-1]


def _fit(
    words: int, sizes: Sequence[int], needed: Sequence[set[int]], order: Sequence[int]
) -> list[int] | None:
    """Bases of homes, each as low or as high as those before it leave room; None if none were found.

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
