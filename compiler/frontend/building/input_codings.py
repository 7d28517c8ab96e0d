"""An input that a network takes in several codings: one map of all of them, and a layer that takes each one from it."""

import numpy as np

from spinplane.machine import Coding, Operand

from ...graph import InputCoding, InputCodings, Layer, StepFunction
from ..operands import least_operand
from .drafts import INPUT, Draft, Drafts


def coding_of_input(drafts: Drafts) -> InputCoding | InputCodings | None:
    """The coding of the network's input as the maps that are needed take it; None if none does.

    Where these are several, layers take their places.
    """
    assert drafts.input is not None
    needed = sorted(drafts.inputs, reverse=True)
    codings = [drafts.input.codings[INPUT - number] for number in needed]
    if len(codings) < 2:
        return codings[0] if codings else None
    channels, *sides = drafts.input.layout.sides
    greatest = max(len(coding.levels) for coding in codings) - 1
    numbers = np.arange(greatest + 1, dtype=np.int64)
    operand, whole = least_operand(numbers, drafts.input.name), needed[-1] - 1
    for at, (number, coding) in enumerate(zip(needed, codings, strict=True)):
        weights = np.zeros((channels, len(needed) * channels, 1, 1), dtype=np.int64)
        weights[np.arange(channels), at * channels + np.arange(channels)] = 1
        layer = Layer(
            name=f"coding {at + 1} of {drafts.input.name}",
            weights=weights,
            w=Operand(bits=1, coding=Coding.UNSIGNED),
            i=operand,
            bias=np.zeros(channels, dtype=np.int64),
            inputs=(whole,),
            steps=StepFunction.one_by_one(numbers[: len(coding.levels)], coding.levels, channels),
        )
        given = drafts.maps[number]
        drafts.maps[number] = Draft(
            layer=layer, sides=given.sides, levels=given.levels, operand=given.operand
        )
    drafts.maps[whole] = Draft(
        layer=None, sides=(len(needed) * channels, sides[0], sides[1]), levels=numbers, operand=operand
    )
    return InputCodings(parts=tuple(codings))
