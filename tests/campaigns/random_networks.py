"""Random networks as files of every form: what is imported computes what the file's own executor does."""

import re
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.random_networks.files import random_file
from tests.random_networks.forms import FORMS
from tests.random_networks.judging import MOST_NEAR_TIES, imported, judge

TITLE = "Random networks against the executors of their files"
CASES, CHUNK = 5_000, 50

#: What may be refused, by the limits that docs/operators.md states, and how much of it.
REFUSED = (
    "a padded average, or one of a sum of two",
    "an average behind a Relu, a Clip or a function",
    "a window with gaps takes nothing but padding",
    "has channels without a value that is 0, to pad it",
    "scales whose ratio is .* put sums on its steps",
    "need 9 bits",
)
MOST_REFUSED = 0.02


def form_of(seed: int) -> str:
    """The form of a case: each in turn."""
    return list(FORMS)[seed % len(FORMS)]


def run(seeds: range) -> Counter:
    """Judge networks, and count what was compared and what was refused."""
    seen = Counter()
    for seed in seeds:
        form = form_of(seed)
        with TemporaryDirectory() as folder:
            counted = judged(form, seed // len(FORMS), Path(folder))
        seen += Counter({f"{form}: {what}": count for what, count in counted.items()})
    return seen


def judged(form: str, seed: int, folder: Path) -> Counter:
    """Of one network."""
    file = random_file(form, seed, folder)
    network = imported(file.path)
    if isinstance(network, str):
        stated = [limit for limit in REFUSED if re.search(limit, network)]
        assert stated, (form, seed, network)
        return Counter({"networks": 1, f"refused, {stated[0]}": 1})
    return Counter(networks=1, layers=len(network.graph.layers)) + judge(network, file)


def check_shares(seen: Counter) -> None:
    """Shares of refusals and of near-ties that the executor takes otherwise, of each form."""
    for form in FORMS:
        refused = sum(count for what, count in seen.items() if what.startswith(f"{form}: refused"))
        assert refused <= MOST_REFUSED * seen[f"{form}: networks"], (form, seen)
        assert seen[f"{form}: differing"] <= MOST_NEAR_TIES * seen[f"{form}: elements"], (form, seen)
