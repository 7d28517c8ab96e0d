"""The tutorial is run as it stands: what a page prints is what it says."""

from codeop import compile_command
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_blocks import read_blocks, rewritten, run_block

PAGES = sorted((Path(__file__).parents[2] / "docs" / "tutorial").glob("[0-9]*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Verilog and compiled models are those of the other tests.
    monkeypatch.setenv("SPINPLANE_BUILD", str(Path("build").resolve()))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    blocks = read_blocks(page)
    assert blocks
    for block in blocks:
        printed = run_block(block, page, names)
        assert printed == (block.printed or ""), f"{page.name}, line {block.line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_can_be_pasted_into_a_session(page: Path) -> None:
    # A session of Python 3.11 and 3.12 wants a blank line after a loop.
    for block in read_blocks(page):
        pending: list[str] = []
        for line in [*block.text.splitlines(), ""] if block.language == "python" else []:
            pending.append(line)
            if compile_command("\n".join(pending), f"{page.name}, line {block.line}"):
                pending = []
        assert not pending, f"{page.name}, line {block.line}"


def test_the_pages_lead_from_one_to_the_next() -> None:
    assert [page.name[0] for page in PAGES] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    for page, following in pairwise(PAGES):
        assert f"({following.name})" in page.read_text(encoding="utf-8")


def test_another_output_than_that_of_a_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n```python\nprint(1 + 1)\n```\n\n```text\n3\n```\n\n```sh\necho a\n```\n")
    first, second = read_blocks(page)
    assert (first.language, first.line, first.printed) == ("python", 4, "3\n")
    assert run_block(first, page, {}) == "2\n"
    assert (second.language, second.printed) == ("sh", None)
    assert run_block(second, page, {}) == "a\n"
    assert rewritten(page) == page.read_text().replace("3", "2")


def test_a_block_that_fails_names_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho no >&2; exit 3\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md, line 2: no"):
        run_block(read_blocks(page)[0], page, {})
