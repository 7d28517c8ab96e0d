# amaranth: UnusedElaboratable=no
"""Random networks as QONNX, QDQ, integer operators and TFLite, against their executors and on the RTL."""

import pytest

from tests.campaigns import random_networks, random_networks_on_rtl

TENTH = range(0, random_networks.CASES // 10)
#: Of the tenth, what every run of the tests takes.
FIRST = 100


def test_random_networks_equal_their_executors() -> None:
    random_networks.check_shares(random_networks.run(TENTH[:FIRST]))


@pytest.mark.thorough
def test_a_tenth_of_the_random_networks_equals_its_executors() -> None:
    random_networks.check_shares(random_networks.run(TENTH[FIRST:]))


@pytest.mark.thorough
def test_random_networks_on_the_rtl() -> None:
    campaign = random_networks_on_rtl
    seen = campaign.run(range(campaign.CASES // 10))
    assert seen["runs"] == 2 * (campaign.CASES // 10)
