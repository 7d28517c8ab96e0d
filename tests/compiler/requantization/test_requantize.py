"""Parameters of the output stage: every sum that a channel can reach becomes the code that its layer means."""

import pytest

from tests.campaigns import random_layers
from tests.random_requantizations import KINDS

TENTH = range(0, random_layers.CASES // 10, random_layers.CHUNK)


@pytest.mark.parametrize(
    "first", [*TENTH[:2], *(pytest.param(first, marks=pytest.mark.thorough) for first in TENTH[2:])]
)
def test_random_layers_are_what_fractions_make_of_them(first):
    seen = random_layers.run(range(first, first + random_layers.CHUNK))
    assert all(seen[f"{kind}: layers"] for kind in KINDS)
