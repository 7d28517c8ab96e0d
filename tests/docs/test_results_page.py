"""The page about results: its program prints what it says."""

from pathlib import Path

import pytest
from markdown_blocks import read_blocks, run_block

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def test_a_picture_is_drawn_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in read_blocks(PAGE) if block.language == "python"]
    assert run_block(block, PAGE, {}) == block.printed
    assert (tmp_path / "figures" / "rows.pdf").read_bytes().startswith(b"%PDF")
