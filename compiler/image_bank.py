"""Where the feature maps of a network lie in the image bank: none is written over while a stage is still to read it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.program import FeatureMap

from .placement import ceil_div
from .stages import Stage


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


def overlap(a: FeatureMap, b: FeatureMap) -> bool:
    """Whether two maps have bits in common."""
    return a.base < b.base + b.height * b.line_bits and b.base < a.base + a.height * a.line_bits


def _words(machine: Machine, feature_map: FeatureMap) -> int:
    return ceil_div(feature_map.height * feature_map.line_bits, machine.columns)


def _share(machine: Machine, sizes: Sequence[int], stages: Sequence[Stage]) -> list[int]:
    """Bases of maps of which some lie where others have been."""
    needed = _needed(stages)
    for at, stage in enumerate(stages):
        kept = needed[at] - {stage.takes, at + 1}
        words = sum(sizes[of] for of in needed[at])
        if words > machine.image_words:
            beside = f", and {sum(sizes[of] for of in kept)} that are read besides or later," if kept else ""
            raise SpinplaneError(
                f"layer {stage.name}: its input of {sizes[stage.takes]} words and its output of {sizes[at + 1]}"
                f"{beside} need image_words = {words}, machine {machine.name} has {machine.image_words}"
            )
    in_order = range(len(sizes))
    # By turns at both ends, which is all that a chain of layers needs, or the largest first.
    for order, at_end in (
        (in_order, lambda number: bool(number % 2)),
        (sorted(in_order, key=lambda number: -sizes[number]), lambda _: False),
    ):
        bases = _first_fit(machine.image_words, sizes, needed, order, at_end)
        if bases:
            return bases
    total = sum(sizes)
    raise SpinplaneError(
        f"layer {stages[0].name}: no order of the network's maps was found in which they fit image_words = "
        f"{machine.image_words} of machine {machine.name}; side by side they need {total}"
    )


def _needed(stages: Sequence[Stage]) -> list[set[int]]:
    """Maps that are read or written in each stage, or read in a later one after they were written."""
    needed, read_later = list[set[int]](), set[int]()
    for at in reversed(range(len(stages))):
        stage = stages[at]
        read_later |= {stage.takes} | ({stage.adds} if stage.adds is not None else set())
        # Map n + 1 is what stage n gives.
        needed.append({number for number in read_later if number <= at} | {at + 1})
    return needed[::-1]


def _first_fit(
    words: int,
    sizes: Sequence[int],
    needed: Sequence[set[int]],
    order: Iterable[int],
    at_end: Callable[[int], bool],
) -> list[int] | None:
    """Bases, each as low or as high as those before it in the order leave room; None if one finds none."""
    bases: dict[int, int] = {}
    for number in order:
        beside = set[int]().union(*(of for of in needed if number in of)) & bases.keys()
        taken = sorted((bases[of], bases[of] + sizes[of]) for of in beside)
        begins = [0, *(end for _, end in taken)]
        ends = [*(begin for begin, _ in taken), words]
        # The ends of those before may lie beyond that of the last one.
        gaps = [
            (max(begins[: at + 1]), end)
            for at, end in enumerate(ends)
            if end - max(begins[: at + 1]) >= sizes[number]
        ]
        if not gaps:
            return None
        bases[number] = gaps[-1][1] - sizes[number] if at_end(number) else gaps[0][0]
    return [bases[number] for number in range(len(sizes))]
