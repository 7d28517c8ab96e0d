"""The page of operators is what its generator writes, and each of its rows can be read."""

import pytest

from spinplane.compiler.frontend.onnx_file.domains import DOMAINS
from spinplane.compiler.frontend.onnx_operators import OPERATORS as ONNX_OPERATORS
from spinplane.compiler.frontend.tflite_operators import OPERATORS as TFLITE_OPERATORS
from tools.operators_page import HEADINGS, PAGE, page

ROWS = {
    **{f"{domain} {name}".strip(): operator for (domain, name), operator in ONNX_OPERATORS.items()},
    **{f"TFLite {name}": operator for name, operator in TFLITE_OPERATORS.items()},
}


def test_the_page_is_what_the_generator_writes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.operators_page writes it"


def test_every_domain_has_a_heading() -> None:
    assert set(HEADINGS) == set(DOMAINS.values())


@pytest.mark.parametrize("name", ROWS)
def test_a_row_fits_its_table(name: str) -> None:
    words = (ROWS[name].takes, *ROWS[name].refuses)
    assert all(words)
    assert not any("|" in text or "\n" in text or text.endswith(".") for text in words)
