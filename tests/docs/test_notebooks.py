"""Tutorial and worked examples are executed as notebooks: what a page prints is what it says."""

from codeop import compile_command
from itertools import pairwise
from pathlib import Path

import pytest

from tools.notebooks import PAGES, PageError, execute, filled, notebook_of, read_blocks

TUTORIAL = [page for page in PAGES if page.parent.name == "tutorial"]
EXAMPLES = [page for page in PAGES if page.parent.name == "examples"]
#: Pages that take longer than a fast test may.
LONG = (
    *("1-bring-your-network", "2-size-an-array", "3-hand-over-rtl"),
    *("1-one-and", "7-memory", "8-another-opinion"),
)


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.thorough] if page.stem in LONG else []) for page in PAGES],
    ids=lambda page: page.stem,
)
def test_a_page_prints_what_it_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Verilog and compiled models are those of the other tests.
    monkeypatch.setenv("SPINPLANE_BUILD", str(Path("build").resolve()))
    blocks = read_blocks(page)
    assert blocks
    printed = execute(page, notebook_of(page), tmp_path)
    for block, now in zip(blocks, printed, strict=True):
        assert now == (block.printed or ""), f"{page.name}, line {block.line}"


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
    assert [page.name[0] for page in TUTORIAL] == ["1", "2", "3", "4", "5", "6", "7", "8"]
    for page, following in pairwise(TUTORIAL):
        assert f"({following.name})" in page.read_text(encoding="utf-8")


def test_each_example_has_its_row_in_their_list() -> None:
    listed = (EXAMPLES[0].parent / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in EXAMPLES if f"({page.name})" not in listed] == []


def test_a_notebook_has_the_page_without_its_outputs(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\nSee [two](2-two.md#more) and [a file](../x.py).\n\n"
        "```python\n1 + 1\n```\n\n```text\n3\n```\n\nEnd.\n"
    )
    cells = notebook_of(page).cells
    assert [(cell.cell_type, cell.source) for cell in cells] == [
        ("markdown", "# Page\n\nSee [two](2-two.ipynb) and a file."),
        ("code", "1 + 1"),
        ("markdown", "End."),
    ]


def test_another_output_than_that_of_a_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n\n```python\nprint(1)\n1 + 1\n```\n\n```text\n3\n```\n\n```sh\necho a\n```\n\n```python\n\n```\n"
        "\n```text\n```\n"
    )
    first, second, last = read_blocks(page)
    assert (first.language, first.line, first.printed) == ("python", 4, "3\n")
    assert (second.language, second.printed, last.printed) == ("sh", None, "")
    printed = execute(page, notebook_of(page), tmp_path)
    assert printed == ["1\n2\n", "a\n", ""]
    assert filled(page, printed) == page.read_text().replace("3\n", "1\n2\n")
    assert filled(page, ["3\n", "b\n", "c\n"]) == page.read_text()[:-4] + "c\n```\n"


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("```sh\nfalse | cat\n```\n", "CalledProcessError"),
        ("```sh\nfalse; true\n```\n", "CalledProcessError"),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```python\nimport warnings; warnings.warn('old')\n```\n", "UserWarning: old"),
    ],
)
def test_a_block_that_fails_or_warns_names_its_line(block: str, complaint: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n" + block)
    with pytest.raises(PageError, match=rf"(?s)^page\.md, line 4: .*{complaint}"):
        execute(page, notebook_of(page), tmp_path)
