# amaranth: UnusedElaboratable=no
"""Random layers on the RTL of one build."""

import pytest

from tests.campaigns import random_layers_on_rtl as campaign

TENTH = range(0, campaign.CASES // 10, campaign.CHUNK)


@pytest.mark.thorough
@pytest.mark.parametrize("first", TENTH)
def test_random_layers_on_the_rtl(first: int) -> None:
    seen = campaign.run(range(first, first + campaign.CHUNK))
    assert seen["runs on icarus"] == seen["runs on verilator"] == 2 * campaign.CHUNK
