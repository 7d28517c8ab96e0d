# amaranth: UnusedElaboratable=no
"""A shipped network in memories with faults: the RTL and the functional machine are wrong in the same bits."""

from collections import Counter
from functools import cache

import numpy as np

from spinplane.machine.faults import FaultMap
from tests.faulty_memories import Shipped, random_faults, transient_faults, varied_faults

TITLE = "Faults on the RTL"
#: Of each ten five maps of faults that stay, and five draws of transient ones.
CASES, CHUNK = 100, 10


def run(seeds: range) -> Counter:
    """Run the network in memories with faults, and count how many of its ten sums are wrong."""
    seen = Counter()
    shipped = shipped_network()
    for seed in seeds:
        kind, faults = faults_of(seed)
        wrong = shipped.wrong_values(faults)
        seen[
            f"{kind}: {'no sum is' if not wrong else 'all sums are' if wrong == 10 else 'some are'} wrong"
        ] += 1
    return seen


@cache
def shipped_network() -> Shipped:
    return Shipped()


def faults_of(seed: int) -> tuple[str, FaultMap]:
    """Of faults that stay every fifth are cells that vary, the others stuck cells and drifted amplifiers."""
    shipped, (at, transient) = shipped_network(), divmod(seed, 2)
    if transient:
        return "transient faults", transient_faults(shipped.machine, at)
    rng = np.random.default_rng(at)
    if at % 5 == 0:
        return "varying cells", varied_faults(shipped.machine, rng, at)
    cells, drifted = int(10 ** rng.uniform(0, 5)), 10 ** rng.uniform(-4, -1)
    return "stuck cells and drifted amplifiers", random_faults(
        shipped.machine, rng, cells=cells, drifted=drifted
    )


def check_shares(seen: Counter) -> None:
    """Faults reach from those that hurt nothing to those that leave nothing."""
    for kind in ("transient faults", "stuck cells and drifted amplifiers"):
        assert seen[f"{kind}: no sum is wrong"], kind
        assert seen[f"{kind}: all sums are wrong"], kind
