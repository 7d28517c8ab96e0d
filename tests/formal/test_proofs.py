"""Each property holds, is about something that happens, and fails with a fault in its unit."""

import pytest

from .catalogue import PROOFS

pytestmark = pytest.mark.thorough


@pytest.mark.parametrize("name", PROOFS)
def test_a_property_holds_and_what_it_is_about_happens(name: str) -> None:
    assert PROOFS[name].holds()
    assert PROOFS[name].unreached() == []


@pytest.mark.parametrize("name", PROOFS)
def test_a_fault_breaks_its_property(name: str) -> None:
    assert not PROOFS[name].holds(PROOFS[name].mutant())
