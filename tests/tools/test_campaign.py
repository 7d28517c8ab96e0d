"""A campaign: the same table with any number of processes."""

from types import ModuleType

import pytest
from exploration_tasks import counted

from tools.campaign import count, main


@pytest.mark.parametrize("jobs", [1, 2])
def test_cases_are_counted_once_each(jobs: int) -> None:
    campaign = ModuleType("made up")
    campaign.run, campaign.CASES, campaign.CHUNK = counted, 11, 3  # type: ignore[attr-defined]
    assert count(campaign, jobs=jobs) == {"even": 6, "odd": 5}


def test_an_unknown_campaign_is_told() -> None:
    with pytest.raises(SystemExit, match="campaign: all: must be of damaged_files, faults_on_rtl, gates"):
        main(["all"])
