"""Gates of a small machine against its RTL: what is proven of each unit, and which bench runs on its netlist."""

from collections import Counter

from spinplane import check_gates

TITLE = "Gates of the machine `tiny` against its RTL"
#: Its units, which are one chunk: a unit without a bench of its own is exercised in that of another one.
CASES = CHUNK = 48


def run(seeds: range) -> Counter:
    """Check all units, and tell what is known of each."""
    report = check_gates("tiny")
    assert not report.failure, report.failure
    assert len(report.units) == len(seeds)
    return Counter(f"{unit.name}: {unit.finding}" for unit in report.units)
