"""The pages about results and reports: their programs print what they say."""

from pathlib import Path

import pytest

from tools.notebooks import DOCS, execute, notebook_of, read_blocks


def printed_and_said(name: str, folder: Path) -> tuple[list[str], list[str | None]]:
    """What the Python of a page of docs/ prints in `folder`, and what the page says."""
    page = DOCS / name
    said = [block.printed for block in read_blocks(page) if block.language == "python"]
    assert said
    return execute(page, notebook_of(page, lambda block: block.language == "python"), folder), said


def test_a_picture_is_drawn_when_it_is_asked_for(tmp_path: Path) -> None:
    printed, said = printed_and_said("results.md", tmp_path)
    assert printed == said
    assert (tmp_path / "figures" / "rows.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.thorough
def test_a_page_of_a_network_is_written_from_python(tmp_path: Path) -> None:
    printed, said = printed_and_said("report.md", tmp_path)
    assert printed == said
    assert (tmp_path / "digits.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
