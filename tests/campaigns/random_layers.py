"""Random layers: every sum that a channel can reach becomes the code that Python's fractions make of it.

Looked at are a dense sample and both sides of steps, with few words of thresholds and with few cycles.
"""

from collections import Counter

import numpy as np

from spinplane.compiler.mapping.layer_splitting import split_layer
from spinplane.compiler.mapping.lowering import layer_input_code
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.compiler.requantization.requantize import requantization
from spinplane.machine import load_machine
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS
from tests.random_requantizations import Case, random_case

TITLE = "Random layers against fractions"
CASES, CHUNK = 20_000, 100

PAPER = load_machine("paper")
NEVER = np.iinfo(np.int64)
#: Steps of a channel that are looked at from both sides.
STEPS = 12


def run(seeds: range) -> Counter:
    """Check random layers, and count their kinds and the methods of their channels."""
    seen = Counter()
    for seed in seeds:
        check(random_case(seed), seed, seen)
    return seen


def parameters(layer, output, addend=None, *, sparing=False):
    """Of each of the stages that compute the layer."""
    parts = list(split_layer(layer, addend).values())
    outputs = [*(layer_input_code(part) for part in parts[1:]), output]
    # What is added to sums is so in the first stage, what is added to codes in the last one.
    addends = [addend if part.residual or part.addition else None for part in parts]
    return [
        requantization(*of_part, PAPER, sparing=sparing)
        for of_part in zip(parts, outputs, addends, strict=True)
    ]


def computed(stages, sums, codes):
    """Codes of sums of shape (channels, n) with those of a residual, stage by stage."""
    for stage in stages:
        for field in (*PARAMETER_FIELDS, *SCALE_FIELDS):
            if field.name in stage.channels:
                numbers = stage.channels[field.name]
                assert numbers.min() >= field.smallest
                assert numbers.max() <= field.largest
        sums = stage(sums, codes)
    return sums


def steps_of(case, channel, low, high, rng):
    """Sums at some of the places where codes change, each found by halving."""
    ends = [case.exact(channel, [end], [0])[0] for end in (low, high)]
    if ends[0] == ends[1]:
        return []
    found = []
    for code in rng.integers(min(ends) + 1, max(ends) + 1, STEPS):
        below, above = (low, high) if ends[0] < ends[1] else (high, low)
        while abs(above - below) > 1:
            middle = (above + below) // 2
            if case.exact(channel, [middle], [0])[0] >= code:
                above = middle
            else:
                below = middle
        found += [below, above]
    return found


def check(case: Case, seed: int, seen: Counter) -> None:
    """On a dense sample and on both sides of steps, with few words of thresholds and with few cycles."""
    rng = np.random.default_rng(seed)
    low, high = reachable_sums(case.layer)
    ways = [parameters(case.layer, case.output, case.addend, sparing=sparing) for sparing in (False, True)]
    for c, (least, greatest) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        sums = np.linspace(least, greatest, 60).astype(np.int64).tolist()
        if case.kind == "pieces":
            near = case.layer.steps.thresholds[c]
            sums += [int(t) for t in (*near, *(near - 1)) if least <= t <= greatest]
        else:
            sums += steps_of(case, c, least, greatest, rng)
        codes = rng.integers(0, 256, len(sums)).tolist() if case.addend else [0] * len(sums)
        codes = [
            code % (case.addend.largest - case.addend.smallest + 1) if case.addend else 0 for code in codes
        ]
        wanted = case.exact(c, sums, codes)
        for stages in ways:
            of_all = (np.tile(numbers, (len(low), 1)) for numbers in (sums, codes))
            assert computed(stages, *of_all)[c].tolist() == wanted, (case.kind, c)
            check_maxima(case, stages, c, sums, wanted)
    for name, count in ways[1][0].methods().items():
        seen[f"{case.kind}: channels {name}"] += count
    seen[f"{case.kind}: layers"] += 1


def check_maxima(case, stages, channel, sums, wanted):
    """The greatest code is that of the sum that the channel takes of several."""
    pool = case.layer.pool
    if pool and pool.kind == "max_codes" and not case.addend:
        least = stages[0].channels["least"][channel]
        taken = min(sums) if least else max(sums)
        assert wanted[sums.index(taken)] == max(wanted)
