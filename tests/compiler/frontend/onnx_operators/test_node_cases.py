"""ONNX's own cases of single operators, with operands of 8 bits, and the page that tells of them."""

from pathlib import Path

import node_cases
import pytest


@pytest.mark.thorough
def test_cases_are_onnxruntimes_or_refused():
    found = node_cases.results()
    assert [(r.case.name, r.case.form, r.differing) for r in found if r.differing] == []
    assert all(result.elements for result in found if not result.refused)
    counted = [result for result in found if not result.case.beyond]
    assert sum(bool(result.refused) for result in counted) <= 0.1 * len(counted)
    page = Path(__file__).parents[4] / "docs" / "node_cases.md"
    assert page.read_text() == node_cases.page(found)
