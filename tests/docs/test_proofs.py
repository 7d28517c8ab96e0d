"""The page of proofs says what is proven."""

from tools.proofs_page import PAGE, measured_of, page


def test_the_page_is_that_of_the_proofs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(measured_of(text)), "python -m tools.proofs_page writes it"
